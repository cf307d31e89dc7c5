"""Addresses: what can be used passes, a slip is refused by the option's name, and nothing of it is quoted."""

import os
import stat
from pathlib import Path

import pytest

from config.env_file import other_writer
from config.settings import SettingsError, load_settings

SECRET = "Xq7wPd9z"


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.upper().startswith("DIALER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6379/0", "redis://localhost", "redis://:6379/1", "redis:///2", "redis://[::1]:6379",
        "rediss://user:p%40ss%2F@redis.example:6380/3?ssl_cert_reqs=none&protocol=3", "unix:///run/redis.sock?db=1",
        f"redis://:{SECRET}@10.0.0.7:6379/0?socket_timeout=2", "redis://user:a@b@host:6379/0",
        "redis://my_redis.svc.cluster.local:6379/",
    ],
)  # fmt: skip
def test_addresses_of_redis_that_work_are_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_REDIS_URL", url)
    assert load_settings().redis_url == url


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379", "redis:/localhost", f"redis://:{SECRET}#tail@h:6379/0", f"redis://:{SECRET}/tail@h:6379/0",
        f"redis://:{SECRET}?tail@h:6379/0", "redis-sentinel://h:26379/0", "redis://h/0?retries=3", "redis://h/zero",
        "redis://h:99999", "redis://h:port", "redis://[::1", "unix://run/redis.sock", "redis://h:6379/0?db=one",
        "redis://h:6379/0/1", "redis://user@:6379", " redis://h", "redis://h\n", "redis://h?decode_responses=True",
        f"redis://{SECRET}@/0", "redis://a..b/0", "redis://h:0",
    ],
)  # fmt: skip
def test_addresses_of_redis_with_a_slip_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_REDIS_URL", url)
    with pytest.raises(SettingsError, match=r"^DIALER_REDIS_URL: ") as refused:
        load_settings()
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://dialer@db/dialer", "postgresql:///dialer", "postgresql://u:p%40@10.0.0.1:5433/x?sslmode=require",
        "postgresql://u:p@h1:5432,h2:5433/x?target_session_attrs=read-write", "postgres://u@[::1]:5432/x",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/x", "postgresql:///x?host=/run/postgresql&user=a%40b",
        "postgresql://h/x?options=-c%20search_path%3Dd", "postgresql://u@h/x?application_name=me@home",
    ],
)  # fmt: skip
def test_addresses_of_postgresql_that_work_are_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_DATABASE_URL", url)
    assert load_settings().ledger_url == url.replace("postgres://", "postgresql://")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://dialer:100%{SECRET}@h:1/dialer", f"postgresql://dialer:p@{SECRET}/x@h:1/dialer",
        f"postgresql://dialer:p@{SECRET}@h/dialer", f"postgresql://dialer:{SECRET}/x@h/dialer",
        f"postgresql://dialer:{SECRET}?x@h/dialer", "postgresql://h:port/x", "postgresql://h:99999/x",
        f"postgresql://h/x?nonsense={SECRET}", "postgresql://[::1/x", "sqlite:///", "mysql://h/x", "ledger.db",
    ],
)  # fmt: skip
def test_addresses_of_postgresql_with_a_slip_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_DATABASE_URL", url)
    with pytest.raises(SettingsError, match=r"^DIALER_DATABASE_URL: ") as refused:
        load_settings()
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("provider", ["VAANI", "VAANIVOICE"])
@pytest.mark.parametrize(
    "url",
    [
        "http://host:port", "https://[::1", "api.example.com", "ftp://h", "https://", "https://h:0", "https://h:70000",
        "https://u:p@h", "https://h?x=1", "https://h#x", "https://h h", "https://exa\x1bmple.com", "https://.com",
        "https:///path",
    ],
)  # fmt: skip
def test_a_base_url_that_is_none_is_refused(provider: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"DIALER_{provider}_BASE_URL", url)
    with pytest.raises(SettingsError, match=rf"^DIALER_{provider}_BASE_URL: ") as refused:
        load_settings()
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("name", ["VAANI_CALLS_PER_SECOND", "MAX_CALL_S", "REDIAL_SCALE", "VAANI_CONCURRENT_CALLS"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400", "-1", "1e308", "1_", "0x10", "one"])
def test_numbers_that_are_none_are_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"DIALER_{name}", value)
    with pytest.raises(SettingsError, match=rf"^DIALER_{name}: "):
        load_settings()


def test_names_that_a_container_is_given_of_a_service_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DIALER_SERVICE_HOST": "10.0.0.7", "DIALER_SERVICE_PORT": "8080", "DIALER_SERVICE_PORT_HTTP": "8080",
        "DIALER_PORT": "tcp://10.0.0.7:8080", "DIALER_PORT_8080_TCP": "tcp://10.0.0.7:8080",
        "DIALER_PORT_8080_TCP_PROTO": "tcp", "DIALER_PORT_8080_TCP_PORT": "8080",
        "DIALER_PORT_8080_TCP_ADDR": "10.0.0.7", "DIALER_NAME": "/web/dialer", "DIALER_ENV_LANG": "C",
        "DIALER_REDIS_SERVICE_HOST": "10.0.0.8", "DIALER_REDIS_PORT": "tcp://10.0.0.8:6379",
        "DIALER_REDIS_PORT_6379_TCP_ADDR": "10.0.0.8",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert load_settings().redis_url == ""


@pytest.mark.parametrize(("name", "value"), [("DIALER_REDIS_PORT", "6379"), ("DIALER_NAME", "calls")])
def test_an_option_that_somebody_hoped_for_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"there is no option {name}"):
        load_settings()


def test_a_home_below_the_users_own_is_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    (tmp_path / ".env").write_text("DIALER_HOME=~/calls\n")
    assert load_settings().home == tmp_path / "me" / "calls"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"DIALER_LOG_LEVEL=info\nDIALER_WEB_TOKEN=\xff\xfe\n", ".env:2: not UTF-8"),
        ("DIALER_LOG_LEVEL=debug\n".encode("utf-16"), ".env:1: not UTF-8"),
        (b"DIALER LOG_LEVEL=info\n", ".env:1: not a line such as"),
        (b"# x\n" * 300_000, "longer than"),
    ],
)
def test_an_env_file_that_is_none_is_named_with_the_line(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert said in str(refused.value)


def test_an_env_file_that_is_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings()


def test_an_env_file_saved_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfDIALER_LOG_LEVEL=debug\r\n")
    assert load_settings().log_level == "debug"


@pytest.mark.parametrize(
    "line", ["DIALER_REDIS_SERVER=/tmp/x", "DIALER_VAANI_BASE_URL=https://h", "DIALER_HOME=x", "dialer_redis_url="]
)
def test_a_file_that_others_can_write_names_no_program_and_no_address(line: str, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(line + "\n")
    file.chmod(0o666)
    with pytest.raises(SettingsError, match="chmod go-w"):
        load_settings()
    file.chmod(0o644)
    assert load_settings().log_level == "info"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_a_file_that_others_can_write_may_set_what_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DIALER_LOG_LEVEL=debug\nOTHER_URL=https://elsewhere\n")
    (tmp_path / ".env").chmod(0o666)
    assert load_settings().log_level == "debug"


@pytest.mark.parametrize(
    ("owner", "mode", "told"),
    [
        (0, 0o644, ""), (os.geteuid(), 0o600, ""), (os.geteuid(), 0o100644, ""), (12_345_678, 0o600, "another user"),
        (0, 0o664, "others may write it"), (os.geteuid(), 0o602, "others may write it"),
    ],
)  # fmt: skip
def test_who_else_may_write_a_file_is_told(owner: int, mode: int, told: str) -> None:
    assert told in other_writer(owner, mode)
    assert bool(told) == bool(other_writer(owner, mode))
