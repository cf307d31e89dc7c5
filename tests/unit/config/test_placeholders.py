"""Addresses of sources: what the environment holds stays out of the campaign file."""

from pathlib import Path

import pytest

from config import SettingsError, fill_url


def test_values_are_put_in_and_a_password_may_hold_any_character(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "p@ss/w:rd%")
    monkeypatch.setenv("SHOP_HOST", "db:5433")
    env = tmp_path / ".env"
    env.write_text("SHOP_NAME=shop\nSHOP_HOST=overruled\n")
    filled = fill_url("postgresql://u:${SHOP_PASSWORD}@${SHOP_HOST}/${SHOP_NAME}", env)
    assert filled == "postgresql://u:p%40ss%2Fw%3Ard%25@db:5433/shop"


def test_a_whole_address_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_URL", "postgresql://u:pw@db/shop")
    assert fill_url("${SHOP_URL}") == "postgresql://u:pw@db/shop"


def test_a_name_that_is_not_set_is_told() -> None:
    with pytest.raises(SettingsError, match="NOT_SET_ANYWHERE is not set in the environment"):
        fill_url("postgresql://u:${NOT_SET_ANYWHERE}@db/shop")


def test_an_address_without_placeholders_stays() -> None:
    assert fill_url("sqlite:///shop.db") == "sqlite:///shop.db"
