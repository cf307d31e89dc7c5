"""compose.yaml: Redis lets in one user, who can do what the program does and nothing else."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, ConnectionError, NoPermissionError, ResponseError

from tests.redis_server import redis_binary

COMPOSE = (Path(__file__).parents[2] / "compose.yaml").read_text()
SERVICES = ("worker", "redis", "postgres")


def section(name: str) -> str:
    found = re.search(rf"^  {name}:(?: &\w+)?\n((?:    .*\n|\n)+)", COMPOSE, re.MULTILINE)
    assert found is not None
    return found[1]


def words_of_redis() -> list[str]:
    """What follows the program's name in the service's command, with the password ``pw``."""
    lines = re.search(r"command:\n      - valkey-server\n((?:      - .*\n)+)", section("redis"))
    assert lines is not None
    words = [line.strip().removeprefix("- ").strip('"') for line in lines[1].splitlines()]
    return [re.sub(r"\$\{REDIS_PASSWORD[^}]*\}", "pw", word) for word in words]


@pytest.fixture
def socket_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service's Redis, on a socket."""
    folder = tmp_path_factory.mktemp("c")
    path = str(folder / "s")
    where = ["--port", "0", "--unixsocket", path, "--dir", str(folder)]
    with subprocess.Popen([redis_binary(), *where, *words_of_redis()], stdout=subprocess.DEVNULL) as server:
        try:
            while not _listens(path):
                assert server.poll() is None
            yield path
        finally:
            server.kill()


def _listens(path: str) -> bool:
    try:
        return bool(Redis(unix_socket_path=path, username="dialer", password="pw").ping())
    except ConnectionError:
        return False


def test_nobody_gets_in_without_the_password(socket_path: str) -> None:
    for name in (None, "default", "dialer"):
        with pytest.raises((AuthenticationError, ResponseError)):
            Redis(unix_socket_path=socket_path, username=name, password="no" if name else None).ping()


def test_the_programs_user_can_do_nothing_else(socket_path: str) -> None:
    redis = Redis(unix_socket_path=socket_path, username="dialer", password="pw")
    for words in ("FLUSHALL", "CONFIG GET *", "KEYS *", "SET other 1", "SHUTDOWN NOSAVE", "MODULE LIST", "ACL LIST"):
        with pytest.raises(NoPermissionError):
            redis.execute_command(*words.split())  # type: ignore[no-untyped-call]
    with pytest.raises(ResponseError, match="no permissions to run the 'flushall'"):
        redis.eval("return redis.call('FLUSHALL')", 0)
    assert redis.set("dialer:x", "1")


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_confined(service: str) -> None:
    told = section(service)
    for words in ("read_only: true", "cap_drop:\n      - ALL", "no-new-privileges:true", "mem_limit:", "pids_limit:"):
        assert words in told, words
    assert "ports:" not in told


def test_redis_and_postgresql_have_no_way_out() -> None:
    assert "networks: [inside]" in section("redis")
    assert "networks: [inside]" in section("postgres")
    assert "  inside:\n    internal: true\n" in COMPOSE


def test_the_page_is_confined_like_a_worker_and_reached_from_this_machine_alone() -> None:
    page = section("serve")
    assert page.startswith("    <<: *program\n"), "what confines a worker holds for it too"
    assert re.findall(r"ports:\n((?:      - .*\n)+)", page) == ['      - "127.0.0.1:8080:8080"\n']
    assert "${DIALER_WEB_TOKEN:?set DIALER_WEB_TOKEN}" in page
