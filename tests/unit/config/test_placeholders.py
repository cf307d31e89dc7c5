"""Addresses of sources: what the environment holds stays out of the campaign file."""

from pathlib import Path

import pytest

from config import SettingsError, fill_url


def test_values_are_put_in_and_a_password_may_hold_any_character(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOURCE_PASSWORD", "p@ss/w:rd%")
    monkeypatch.setenv("SOURCE_HOST", "db:5433")
    env = tmp_path / ".env"
    env.write_text("SOURCE_NAME=shop\nSOURCE_HOST=overruled\n")
    filled = fill_url("postgresql://u:${SOURCE_PASSWORD}@${SOURCE_HOST}/${SOURCE_NAME}", env)
    assert filled.url == "postgresql://u:p%40ss%2Fw%3Ard%25@db:5433/shop"


def test_a_whole_address_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_URL", "postgresql://u:pw@db/shop")
    assert fill_url("${SOURCE_URL}").url == "postgresql://u:pw@db/shop"


def test_a_name_that_is_not_set_is_told() -> None:
    with pytest.raises(SettingsError, match="SOURCE_NOT_SET is not set in the environment"):
        fill_url("postgresql://u:${SOURCE_NOT_SET}@db/shop")


def test_an_address_without_placeholders_stays() -> None:
    assert fill_url("sqlite:///shop.db") == ("sqlite:///shop.db", ())


@pytest.mark.parametrize(
    "name",
    ["DIALER_VAANIVOICE_API_KEY", "dialer_vaanivoice_api_key", "Dialer_Database_Url", "DIALER_SOURCE_NAMES", "HOME",
     "PATH", "AWS_SECRET_ACCESS_KEY", "source_password", "MY_SOURCE_X", "SOURCE-X", "", " SOURCE_X"],
)  # fmt: skip
def test_only_what_is_meant_for_sources_is_filled_in(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    env = tmp_path / ".env"
    env.write_text(
        'DIALER_VAANIVOICE_API_KEY="canary"\ndialer_vaanivoice_api_key="canary"\nSOURCE_X=x\nMY_SOURCE_X=x\n'
    )
    monkeypatch.setenv("DIALER_SOURCE_NAMES", "DIALER_VAANIVOICE_API_KEY, OTHER Dialer_Database_Url")
    with pytest.raises(SettingsError, match=r"\[source\] url") as refused:
        fill_url(f"postgresql://${{{name}}}@db/x", env)
    assert "canary" not in str(refused.value)


def test_a_name_that_the_operator_lists_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_SOURCE_NAMES", "SHOP_PASSWORD,SHOP_HOST")
    monkeypatch.setenv("SHOP_PASSWORD", "pw")
    monkeypatch.setenv("SHOP_HOST", "db")
    filled = fill_url("postgresql://u:${SHOP_PASSWORD}@${SHOP_HOST}/x", Path("nowhere"))
    assert filled == ("postgresql://u:pw@db/x", ("pw", "db"))
