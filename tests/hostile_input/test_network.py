"""A provider that lies about where its media are, and a key that would leave in clear."""

import json
import socket
from pathlib import Path
from random import Random

import pytest

from dialer.adapters.providers.http.media_places import is_inside, literal, refuse_strange_media
from dialer.adapters.providers.http.recording_file import save_elsewhere
from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.http.socket_stream import connect
from dialer.adapters.providers.vaani.client import VaaniApi
from dialer.adapters.providers.vaanivoice.client import VaaniVoiceApi
from dialer.errors import AnswerUnreadable, NotSent, ProviderError, UsageError
from tests.acceptance.conftest import OpenHome
from tests.acceptance.dialer_process import Provider
from tests.raw_server import Line, RawServer, Script, StoppedClock, http_answer, raw_server

KEY = "not-a-real-key"
AUDIO = b"audio" * 1000
BASE = "https://api.vaani.ai"
TARGETS = [
    "http://127.0.0.1:9/latest",
    "http://localhost/latest",
    "http://127.1/latest",
    "http://2130706433/latest",
    "http://0x7f000001/latest",
    "http://0.0.0.0/latest",
    "http://[::1]/latest",
    "http://[::ffff:127.0.0.1]/latest",
    "http://169.254.169.254/latest/meta-data/iam",
    "http://[fe80::1]/latest",
    "http://[fd00:ec2::254]/latest",
    "http://metadata.google.internal/computeMetadata/v1",
    "https://vaani.ai.example.invalid/a.wav",
    "https://notvaani.ai/a.wav",
    "https://api.vaani.ai@example.invalid/a.wav",
    "https://example.invalid#@api.vaani.ai/",
    "file:///etc/passwd",
    "ftp://api.vaani.ai/a.wav",
    "//169.254.169.254/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "https://[::1",
    "https://api.vaani.ai:0x/",
]


@pytest.mark.parametrize("url", TARGETS)
def test_a_link_to_a_host_of_nobody_we_know_is_refused(url: str) -> None:
    with pytest.raises(AnswerUnreadable):
        refuse_strange_media(url, BASE, ("media.example.invalid",))


def test_the_providers_own_hosts_and_those_of_the_operator_are_not() -> None:
    own = ("https://api.vaani.ai/a", "https://media.vaani.ai/a", "https://vaani.ai/a")
    for url in (*own, "https://x.s3.example.invalid/a"):
        refuse_strange_media(url, BASE, ("*.s3.example.invalid",))
    refuse_strange_media(
        "https://MEDIA.example.invalid/a", "https://provider.example.co.in", ("media.Example.invalid",)
    )
    with pytest.raises(AnswerUnreadable, match="DIALER_MEDIA_HOSTS"):
        refuse_strange_media("https://other.co.in/a", "https://example.co.in", ())


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::", "169.254.169.254", "fe80::1", "::ffff:127.0.0.1"),
        *("::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "fd00:ec2::254", "fe80::1%1"),
    ],
)
async def test_what_a_name_resolves_to_is_asked_too(address: str) -> None:
    assert is_inside(literal(address))


async def test_a_name_that_resolves_to_this_machine_is_not_connected_to() -> None:
    asked: list[str] = []

    def nowhere(address: str) -> bool:
        asked.append(address)
        return False

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(Exception, match="an address of this machine"):
            await connect("localhost", port, 1.0, [], nowhere)
    assert "127.0.0.1" in asked


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def vaani_at(server: RawServer, **more: object) -> VaaniApi:
    endpoint = Endpoint(base_url=server.url, api_key=KEY, timeout_s=5.0, **more)  # type: ignore[arg-type]
    return VaaniApi(endpoint, StoppedClock(), Random(1))


def serving(link: str, secret: bytes = AUDIO) -> Script:
    """The log of one call, whose recording is at ``link``; anything else is the media."""

    async def script(line: Line) -> None:
        while True:
            request = await line.read_request()
            if request.target == "/calls/c1":
                await line.answer(200, json.dumps({"call_log_id": "c1", "recording_url": link}).encode())
            else:
                await line.answer(200, secret, "content-type: audio/ogg\r\n")

    return script


@pytest.mark.parametrize("link", ["http://169.254.169.254/latest/meta", "https://example.invalid/a", "file:///x"])
async def test_a_lying_provider_has_nothing_fetched(link: str, tmp_path: Path) -> None:
    async with raw_server(serving(link)) as server, vaani_at(server) as api:
        with pytest.raises(ProviderError):
            await api.calls.save_recording("c1", tmp_path / "a.ogg")
        assert len(server.requests) == 1
    assert names_in(tmp_path) == []


async def test_a_redirect_to_another_host_of_the_provider_is_followed_without_the_key(tmp_path: Path) -> None:
    async with raw_server(serving("")) as store:
        away = store.url.replace("127.0.0.1", "localhost")

        async def redirecting(line: Line) -> None:
            while True:
                request = await line.read_request()
                if request.target == "/api/stream/c1":
                    await line.answer(307, b"", f"location: {away}/bucket/a.ogg?signature=x\r\n")
                else:
                    await line.answer(200, b"{}")

        async with raw_server(redirecting) as server:
            endpoint = Endpoint(base_url=server.url, api_key=KEY, timeout_s=5.0)
            async with VaaniVoiceApi(endpoint, StoppedClock(), Random(1)) as api:
                saved = await api.calls.save_recording("c1", tmp_path / "a.ogg")
                assert (await api.calls.recording("c1")).content == AUDIO
        assert saved.size == len(AUDIO) and (tmp_path / "a.ogg").read_bytes() == AUDIO
        assert server.requests[0].headers["x-api-key"] == KEY
        assert all("x-api-key" not in request.headers and KEY not in str(request) for request in store.requests)
        assert store.requests[0].target == "/bucket/a.ogg?signature=x"


async def test_a_redirect_that_leads_inside_or_in_circles_is_not_followed(tmp_path: Path) -> None:
    inside = ("http://169.254.169.254/latest", "http://metadata.invalid/", "file:///etc/passwd", "/api/stream/c1")
    for location in inside:

        async def redirecting(line: Line, location: str = location) -> None:
            while True:
                await line.read_request()
                await line.write(http_answer(302, b"", f"location: {location}\r\n"))

        async with raw_server(redirecting) as server:
            endpoint = Endpoint(base_url=server.url, api_key=KEY, timeout_s=5.0)
            async with VaaniVoiceApi(endpoint, StoppedClock(), Random(1)) as api:
                with pytest.raises(ProviderError):
                    await api.calls.save_recording("c1", tmp_path / "a.ogg")
            assert len(server.requests) <= 6
    assert names_in(tmp_path) == []


async def test_loopback_is_refused_after_dns_where_the_provider_is_elsewhere(tmp_path: Path) -> None:
    """The provider's own domain may be made to resolve to this machine."""
    async with raw_server(serving("")) as inside:
        port = inside.url.rsplit(":", 1)[1]
        endpoint = Endpoint(base_url="https://api.example.invalid", api_key=KEY, media_hosts=("localhost.localdomain",))
        async with VaaniApi(endpoint, StoppedClock(), Random(1)) as api:
            with pytest.raises((NotSent, AnswerUnreadable)):
                await save_elsewhere(api.http, f"http://localhost.localdomain:{port}/x", tmp_path / "a")
        assert inside.requests == []


@pytest.mark.parametrize("url", ["http://api.example.invalid", "http://10.0.0.5:8080", "http://192.0.2.1"])
def test_a_key_does_not_leave_in_clear(url: str) -> None:
    for endpoint in (Endpoint(base_url=url, api_key=KEY), Endpoint(base_url=url, access_token=KEY)):
        with pytest.raises(UsageError, match="DIALER_PLAIN_HTTP=true"):
            VaaniApi(endpoint, StoppedClock(), Random(1))
    VaaniApi(Endpoint(base_url=url, api_key=KEY, plain_http=True), StoppedClock(), Random(1))
    VaaniApi(Endpoint(base_url=url), StoppedClock(), Random(1))
    VaaniApi(Endpoint(base_url=url.replace("http:", "https:"), api_key=KEY), StoppedClock(), Random(1))


def test_loopback_needs_no_word() -> None:
    for url in ("http://127.0.0.1:8089", "http://localhost:8089", "http://[::1]:8089"):
        VaaniApi(Endpoint(base_url=url, api_key=KEY), StoppedClock(), Random(1))


def test_a_command_says_so_in_one_line(open_home: OpenHome) -> None:
    home = open_home(Provider("http://api.example.invalid"))
    ended = home.command("agents", code=2)
    assert "DIALER_PLAIN_HTTP=true" in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_no_error_shows_a_password_of_an_address(open_home: OpenHome) -> None:
    home = open_home(Provider("http://127.0.0.1:9"))
    hidden = "CANARYpw"
    for name, value in (
        ("DIALER_VAANIVOICE_BASE_URL", f"https://ann:{hidden}@api.example.invalid"),
        ("DIALER_VAANIVOICE_BASE_URL", f"https://api.example.invalid:{hidden}"),
        ("DIALER_REDIS_URL", f"redis://ann:{hidden}@127.0.0.1:9/0"),
        ("DIALER_REDIS_URL", f"redis://ann:{hidden}/@127.0.0.1:9"),
        ("DIALER_DATABASE_URL", f"postgresql://ann:{hidden}%zz@127.0.0.1:9/x"),
        ("DIALER_DATABASE_URL", f"postgresql://ann:{hidden}@127.0.0.1:9/x"),
        ("HTTPS_PROXY", f"socks5://ann:{hidden}@127.0.0.1:9"),
        ("HTTPS_PROXY", f"http://ann:{hidden}@127.0.0.1:9"),
    ):
        settings = {name: value}
        if name == "HTTPS_PROXY":
            settings["DIALER_VAANIVOICE_BASE_URL"] = "https://api.example.invalid"
        ended = home.start("doctor", **settings).ended()
        assert hidden not in ended.out + ended.err, name
        assert "Traceback" not in ended.err, name
