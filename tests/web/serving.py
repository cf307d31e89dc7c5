"""``dialer serve`` as a process, and those who talk to it from outside."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.acceptance.dialer_process import Home, Running, until

SAID = re.compile(r"listens on (http://\S+?)(/enter/\S+|/)(?: |$)", re.MULTILINE)


@dataclass
class Serving:
    """A ``dialer serve`` that listens."""

    running: Running
    address: str
    link: str

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.rpartition(":")[2])

    @contextmanager
    def browser(self, token: str = "") -> Iterator[httpx.Client]:
        """A client that came in by a token, or by the link."""
        headers = {"Origin": self.address}
        with httpx.Client(base_url=self.address, headers=headers, trust_env=False, verify=False, timeout=60) as client:
            entered = client.post("/login", data={"token": token}) if token else client.get(self.link)
            assert entered.status_code == 303
            yield client

    def program(self, token: str) -> httpx.Client:
        """A client with a token."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.address, headers=headers, trust_env=False, verify=False, timeout=60)

    @contextmanager
    def wire(self) -> Iterator[socket.socket]:
        """A connection on which anything can be sent."""
        with socket.create_connection(("127.0.0.1", self.port), 60) as connection:
            yield connection

    @property
    def said(self) -> str:
        """Everything it wrote."""
        return self.running.out.read_text() + self.running.err.read_text()


def serve(home: Home, *words: str, **settings: str) -> Serving:
    """Start it, and wait until it listens."""
    running = home.start("serve", "--port", "0", *words, **settings)

    def listens() -> bool:
        assert running.alive, running.err.read_text()
        return SAID.search(running.err.read_text() + running.out.read_text()) is not None

    until(listens, "the console listens")
    read = SAID.search(running.err.read_text() + running.out.read_text())
    assert read is not None
    return Serving(running, read[1], read[2])


def head(serving: Serving, first: str, *more: str) -> bytes:
    """A request's head."""
    return "\r\n".join([f"{first} HTTP/1.1", f"Host: 127.0.0.1:{serving.port}", *more, "", ""]).encode("latin-1")


def answer_on(connection: socket.socket) -> bytes:
    """What comes until the other side ends, or the first answer is there."""
    came = b""
    try:
        while piece := connection.recv(65_536):
            came += piece
            if b"\r\n\r\n" in came:
                break
    except ConnectionResetError:
        pass  # it had said all it wanted to
    return came
