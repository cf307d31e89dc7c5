"""Options: typed, complete in the example, refused by name when unknown, and never telling a secret."""

import os
import re
from pathlib import Path
from typing import get_origin

import pytest
from dotenv import dotenv_values
from pydantic import SecretStr

from config.settings import Settings, SettingsError, load_settings, option_names

EXAMPLE = Path(__file__).parents[3] / "config" / "example.env"
SECRET = "tell-nobody-7431"
SECRETS = [name for name, field in Settings.model_fields.items() if field.annotation is SecretStr]


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.upper().startswith("DIALER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_nothing_has_to_be_set() -> None:
    found = load_settings()

    assert found.ledger_url == "sqlite:///.dialer/ledger.db"
    assert found.redis_url == ""


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("DIALER_REDIS_URI", "DIALER_REDIS_URL"),
        ("DIALER_VAANI_APIKEY", "DIALER_VAANI_API_KEY"),
        ("DIALER_PROVIDER_TIMEOUT", "DIALER_PROVIDER_TIMEOUT_S"),
        ("dialer_log_lvel", "DIALER_LOG_LEVEL"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_right_one(
    given: str, nearest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(given, SECRET)

    with pytest.raises(SettingsError) as refused:
        load_settings()

    assert f"there is no option {given.upper()}: did you mean {nearest}?" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_an_unknown_name_in_the_env_file_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DIALER_HOEM=/data\n")

    with pytest.raises(SettingsError, match="DIALER_HOME"):
        load_settings()


def test_names_of_the_test_suite_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_TEST_ANYTHING", "1")

    assert load_settings().log_level == "info"


def test_the_environment_wins_over_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("DIALER_MAX_CALL_S=60\nDIALER_LOG_LEVEL=debug\n")
    monkeypatch.setenv("DIALER_MAX_CALL_S", "90")

    found = load_settings()

    assert (found.max_call_s, found.log_level) == (90.0, "debug")


def test_an_empty_value_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_MAX_CALL_S", "")

    assert load_settings().max_call_s == 3600.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DIALER_MAX_CALL_S", SECRET),
        ("DIALER_MAX_CALL_S", "0"),
        ("DIALER_RETRY_5XX", SECRET),
        ("DIALER_WORKER_MAX_CALLS", "0"),
        ("DIALER_DATABASE_URL", f"mysql://user:{SECRET}@host/name"),
    ],
)
def test_an_unusable_value_is_named_and_not_shown(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as refused:
        load_settings()

    assert name in str(refused.value)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("name", [*SECRETS, "redis_url"])
def test_no_secret_shows_when_the_options_are_printed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = {"database_url": f"postgresql://user:{SECRET}@host/name", "redis_url": f"redis://:{SECRET}@host:6379/0"}
    monkeypatch.setenv(f"DIALER_{name.upper()}", urls.get(name, SECRET))

    found = load_settings()

    assert SECRET not in repr(found) + str(found)


def test_every_option_that_sounds_secret_is_one() -> None:
    sounding = [name for name in Settings.model_fields if re.search(r"key|token|secret|password|database", name)]

    assert sounding == SECRETS


def test_the_old_spelling_of_postgresql_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_DATABASE_URL", "postgres://user@host/name")

    assert load_settings().ledger_url == "postgresql://user@host/name"


def test_numbers_carry_their_unit_in_the_name() -> None:
    units = re.compile(r"_s$|_per_second$|_scale$|_calls$|_mib$|_port$")
    numbers = [name for name, field in Settings.model_fields.items() if field.annotation in (int, float)]

    assert numbers
    assert [name for name in numbers if not units.search(name)] == []


def test_every_option_is_typed_and_described() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.annotation is not None, name
        assert get_origin(field.annotation) is not dict, name


def test_the_example_lists_every_option_in_order() -> None:
    assert list(dotenv_values(EXAMPLE)) == option_names()


def test_the_example_describes_every_option() -> None:
    text = EXAMPLE.read_text()

    for name, field in Settings.model_fields.items():
        assert f"# {field.description}\nDIALER_{name.upper()}=" in text


def test_the_example_holds_the_defaults() -> None:
    assert load_settings(EXAMPLE) == load_settings(Path("no such file"))


def test_the_example_writes_every_default_down() -> None:
    defaults = load_settings()

    for name, text in dotenv_values(EXAMPLE).items():
        default = getattr(defaults, name.removeprefix("DIALER_").lower())
        shown = default.get_secret_value() if isinstance(default, SecretStr) else str(default)
        shown = shown.lower() if isinstance(default, bool) else shown
        assert text == shown.removesuffix(".0"), name


def test_a_service_of_a_cluster_sets_no_port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIALER_METRICS_PORT", "tcp://10.0.0.1:9090")
    assert load_settings(tmp_path / ".env").metrics_port == 0
    monkeypatch.setenv("DIALER_METRICS_PORT", "9090")
    assert load_settings(tmp_path / ".env").metrics_port == 9090
    monkeypatch.setenv("DIALER_METRICS_PORT", "65536")
    with pytest.raises(SettingsError, match="DIALER_METRICS_PORT"):
        load_settings(tmp_path / ".env")


@pytest.mark.parametrize(
    ("given", "read"),
    [("", ()), (SECRET, (SECRET,)), (f"{SECRET},old", (SECRET, "old")), (f" {SECRET} , old ", (SECRET, "old"))],
)
def test_two_secrets_may_sign_webhooks(given: str, read: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_WEBHOOK_SECRET", given)

    settings = load_settings()

    assert settings.webhook_secrets == read
    assert set(read) <= set(settings.secrets)


@pytest.mark.parametrize("given", [f"{SECRET},", f",{SECRET}", f"{SECRET},a,b", ","])
def test_more_or_empty_ones_are_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_WEBHOOK_SECRET", given)

    with pytest.raises(SettingsError, match="DIALER_WEBHOOK_SECRET") as refused:
        load_settings()

    assert SECRET not in str(refused.value)
