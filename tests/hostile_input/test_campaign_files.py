"""A campaign file from somebody who is not trusted: it is data, and sends nothing of ours anywhere."""

import socket
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import KEY, Home, Provider, dialing, until, write_list

pytestmark = pytest.mark.acceptance

CANARY = "CANARY_9_hunter2"
NOBODY = Provider("http://127.0.0.1:9")
"""For commands that call nobody."""


@dataclass
class Listener:
    """A server of the attacker's: what it was sent."""

    port: int
    received: list[bytes] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Takes connections, and keeps their first packet."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard = Listener(server.getsockname()[1])

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(2)
                    try:
                        heard.received.append(connection.recv(4096))
                    except OSError:
                        heard.received.append(b"")

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield heard
        server.shutdown(socket.SHUT_RDWR)


def campaign(home: Home, url: str, name: str = "evil", more: str = "") -> list[str]:
    """A campaign file with this source."""
    path = home.path / f"{name}.toml"
    path.write_text(
        f'name = "{name}"\nagent = "a"\nprovider = "simulator"\n[source]\nurl = "{url}"\n'
        f'query = "SELECT phone FROM people"\n{more}\n'
    )
    return ["--campaign", str(path)]


def kept_in(home: Home, secret: str) -> list[Path]:
    """Files in which a secret stands."""
    files = [path for path in home.path.rglob("*") if path.is_file() and not path.name.startswith(".env")]
    return [path for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("postgresql://${DIALER_VAANIVOICE_API_KEY}@127.0.0.1:PORT/x", "enqueue"),
        ("postgresql://${DIALER_VAANIVOICE_API_KEY}@127.0.0.1:PORT/x", "run"),
        ("postgresql://${DIALER_VAANIVOICE_API_KEY}@127.0.0.1:PORT/x", "check"),
        ("postgresql://u:${DIALER_VAANIVOICE_API_KEY}@127.0.0.1:PORT/x", "check"),
        ("postgresql://u@127.0.0.1:PORT/${DIALER_VAANIVOICE_API_KEY}", "check"),
        ("postgresql://u@127.0.0.1:PORT/x?application_name=${DIALER_VAANIVOICE_API_KEY}", "check"),
        ("postgresql://${dialer_vaanivoice_api_key}@127.0.0.1:PORT/x", "check"),
        ("postgresql://${AWS_SECRET_ACCESS_KEY}@127.0.0.1:PORT/x", "check"),
        ("postgresql://${HOME}@127.0.0.1:PORT/x", "check"),
        ("sqlite:///${DIALER_VAANIVOICE_API_KEY}", "check"),
        ("${DIALER_VAANIVOICE_API_KEY}://x", "check"),
        ("${DIALER_DATABASE_URL}", "check"),
    ],
)
def test_no_key_leaves_by_an_address(open_home: OpenHome, listener: Listener, command: str, url: str) -> None:
    home = open_home(NOBODY, AWS_SECRET_ACCESS_KEY=CANARY, dialer_vaanivoice_api_key=KEY)
    refused = home.command(command, *campaign(home, url.replace("PORT", str(listener.port))), code=2)
    assert "[source] url may not have" in refused.err
    assert listener.received == []
    assert KEY not in refused.out + refused.err
    assert CANARY not in refused.out + refused.err


def test_no_key_leaves_by_a_worker_that_reads_again(
    open_home: OpenHome, open_provider: OpenProvider, listener: Listener
) -> None:
    """The file was good when it was taken, or another program wrote the ledger."""
    home = open_home(open_provider())
    with sqlite3.connect(home.path / "people.db") as database:
        database.execute("CREATE TABLE people (phone TEXT)")
    database.close()
    good = f"sqlite:///{home.path}/people.db"
    more = 'refresh = "* * * * * *"\n[schedule]\ntimezone = "UTC"'
    home.command("enqueue", *campaign(home, good, more=more))
    evil = f"postgresql://${{DIALER_VAANIVOICE_API_KEY}}@127.0.0.1:{listener.port}/x"
    with sqlite3.connect(home.path / "home" / "ledger.db") as ledger:
        ledger.execute("UPDATE campaigns SET spec = replace(spec, ?, ?)", (good, evil))
    ledger.close()
    home.command("enqueue", str(write_list(home.path / "list.csv", 2)), *dialing())
    worker = home.start("worker")
    home.until_status("finished")
    until(lambda: "may not have DIALER_VAANIVOICE_API_KEY" in str(home.glance("evil")["source"]), "the refusal")
    worker.signal(15)
    worker.ended()
    assert listener.received == []
    assert kept_in(home, KEY) == []


@pytest.mark.parametrize(
    ("url", "values"),
    [
        ("postgresql://${SOURCE_A}@127.0.0.1:1/x", [CANARY]),
        ("postgresql://u:${SOURCE_A}@127.0.0.1:1/x", [CANARY]),
        ("postgresql://u:${SOURCE_A}@${SOURCE_A}/x", [CANARY]),
        ("postgresql://u:${SOURCE_A}@h:${SOURCE_A}/x", [CANARY]),
        ("postgresql://u@127.0.0.1:1/${SOURCE_A}", [CANARY]),
        ("postgresql://u@127.0.0.1:1/x?sslmode=${SOURCE_A}", [CANARY]),
        ("sqlite:///${SOURCE_A}", [CANARY]),
        ("sqlite:////${SOURCE_A}/x.db", [CANARY]),
        ("${SOURCE_A}://x", [CANARY]),
        ("${SOURCE_A}", [CANARY]),
        ("${SOURCE_A}", [f"postgresql://{CANARY}:{CANARY}2@{CANARY}3:99999/{CANARY}4"]),
        ("${SOURCE_A}", [f"mysql+{CANARY}://u@h/x"]),
        ("${SOURCE_A}", [f"postgresql://u@h/x?{CANARY}=1"]),
    ],
)
def test_what_is_filled_in_shows_nowhere(open_home: OpenHome, url: str, values: list[str]) -> None:
    home = open_home(NOBODY, SOURCE_A=values[0], DIALER_LOG_LEVEL="debug")
    failed = home.command("enqueue", *campaign(home, url), code=1)
    assert "the source cannot be read" in failed.err
    assert CANARY.casefold() not in (failed.out + failed.err).casefold()
    assert kept_in(home, CANARY) == []


def test_a_listed_name_is_filled_in(open_home: OpenHome) -> None:
    home = open_home(NOBODY, DIALER_SOURCE_NAMES="SHOP_DB")
    with sqlite3.connect(home.path / "shop.db") as database:
        database.execute("CREATE TABLE people AS SELECT '+919000000001' AS phone")
    database.close()
    (home.path / ".env").write_text(f"SHOP_DB={home.path}/shop.db\n")
    checked = home.command("check", *campaign(home, "sqlite:///${SHOP_DB}"), "--json").json()
    assert checked["queued"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000 + "]" * 5000,
        "a = " + "{b=" * 3000 + "1" + "}" * 3000,
        "a." * 5000 + "b = 1",
        "\x00",
        'name = "' + "x" * 100,
    ],
    ids=["deep list", "deep table", "deep key", "NUL", "no end"],
)
def test_a_file_that_is_no_campaign_is_refused_in_one_line(open_home: OpenHome, text: str) -> None:
    home = open_home(NOBODY)
    (home.path / "evil.toml").write_text(text)
    write_list(home.path / "list.csv", 1)
    refused = home.command("check", "list.csv", "--campaign", "evil.toml", code=2)
    assert "Traceback" not in refused.err
    assert len(refused.err.strip().splitlines()) == 1
    assert len(refused.err) < 500


@pytest.mark.parametrize("name", ["x" * 3000, "नमस्ते" * 90, "a\\nb"])
def test_a_name_that_is_none_is_refused_in_a_line(open_home: OpenHome, name: str) -> None:
    home = open_home(NOBODY)
    write_list(home.path / "list.csv", 1)
    (home.path / "c.toml").write_text(f'name = "{name}"\nagent = "a"\nprovider = "simulator"\n')
    refused = home.command("check", "list.csv", "--campaign", "c.toml", code=2)
    assert "choose another, with --name" in refused.err
    assert len(refused.err.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["x" * 300, "नमस्ते" * 40, "../../x", "a/b", ".", ".."])
def test_a_name_is_no_path(open_home: OpenHome, name: str) -> None:
    home = open_home(NOBODY)
    (home.path / "list.csv").write_text("phone\nnonsense\n+919000000001\n")
    file = home.path / "c.toml"
    file.write_text(f'name = "{name}"\nagent = "a"\nprovider = "simulator"\n')
    imported = home.command("enqueue", "list.csv", "--campaign", str(file), "--json").json()
    assert imported["invalid"] == 1
    rejects = Path(imported["rejects"])
    assert (home.path / rejects).resolve().parent == (home.path / "home" / "rejects").resolve()


def test_two_names_that_look_alike_have_rejects_of_their_own(open_home: OpenHome) -> None:
    home = open_home(NOBODY)
    (home.path / "list.csv").write_text("phone\nnonsense\n")
    paths = set()
    for name in ("a b", "a-b", "a.b", "a_b"):
        (home.path / "c.toml").write_text(f'name = "{name}"\nagent = "a"\nprovider = "simulator"\n')
        paths.add(home.command("enqueue", "list.csv", "--campaign", "c.toml", "--json", code=None).json()["rejects"])
    assert len(paths) == 4
