"""A campaign becomes its file, and the fields of a form, and is the same again."""

import tomllib
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.campaign_file import (
    fields_of,
    keys_of,
    parse_settings,
    read_settings,
    settings_of,
    with_fields,
    write_settings,
)
from dialer.adapters.campaign_file.values import parse_duration
from dialer.adapters.campaign_file.writing import duration_text, table_names, toml_value
from dialer.domain.calling_window import ALWAYS, CallingWindow
from dialer.domain.campaign import CampaignSpec, ContactColumns, Pace, Reminder, Schedule, Source
from dialer.domain.disposition import Disposition
from dialer.domain.limits import PRESETS, UNLIMITED, PersonLimits
from dialer.domain.redial import RedialPolicy
from dialer.domain.suppression import OptOut

PLAIN = CampaignSpec("may", "agent")
SPECS = {
    "plain": PLAIN,
    "always": replace(PLAIN, window=ALWAYS, provider="simulator"),
    "window": replace(
        PLAIN,
        window=CallingWindow(
            days=frozenset({0, 2, 6}),
            hours=((600, 720), (1200, 1560)),
            zone="Asia/Kolkata",
            lead_s=90.0,
            holidays=("IN", "US-FL"),
            blackout=(date(2027, 12, 24),),
            also_rules=("IN-RBI",),
        ),
    ),
    "pace": replace(PLAIN, pace=Pace(0.00001, 0, 7), max_cost=12.5),
    "redial": replace(
        PLAIN,
        redial=RedialPolicy(
            5,
            dict(RedialPolicy().delays_s) | {Disposition.BUSY: 61.5},
            {Disposition.BUSY: 2},
            jitter_s=600.0,
            other_hour=True,
            callback_s=None,
        ),
    ),
    "limits": replace(PLAIN, limits=PRESETS["fr"]),
    "no limits": replace(PLAIN, limits=UNLIMITED),
    "columns": replace(
        PLAIN,
        columns=ContactColumns(
            "Mobile, home", "Who", "Zone", "Country", "id", ("a, b", "c"), "May", "State", "ZIP", True
        ),
    ),
    "region": replace(PLAIN, region="IN", caller_ids=("+14155550190", "+14155550191")),
    "source": replace(PLAIN, source=Source("sqlite:///x.db", 'SELECT "a"\nFROM b', "", 30.0, 5)),
    "calendar": replace(
        PLAIN,
        schedule=Schedule(1_803_871_800.0, 1_806_516_000.0, "0 9 * * 1", "Asia/Kathmandu"),
        reminder=Reminder("when", (86_400.0, 5_400.0), "Asia/Kolkata"),
    ),
    "opt out": replace(PLAIN, opt_out=OptOut((), ("stop it",))),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
@pytest.mark.parametrize("standing", [PersonLimits(), UNLIMITED])
def test_a_campaign_is_the_same_after_its_file(spec: CampaignSpec, standing: PersonLimits) -> None:
    settings, notes = settings_of(spec, standing)
    text = write_settings(settings, notes)

    assert tomllib.loads(text) == settings
    assert read_settings(parse_settings(text.encode(), "file"), standing) == spec
    assert notes == ()


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_a_campaign_is_the_same_after_a_form(spec: CampaignSpec) -> None:
    settings, _ = settings_of(spec, PersonLimits())
    tables = ("", *table_names())

    sent = with_fields({}, fields_of(settings, tables), tables)

    assert sent == settings
    assert read_settings(sent) == spec


def test_what_no_key_says_is_noted() -> None:
    spec = replace(PLAIN, timezone="Asia/Kolkata", region="IN", columns=ContactColumns(region="Country"))
    settings, notes = settings_of(spec, PersonLimits())
    assert settings["contacts"] == {"region": "Country"}
    assert [note.partition(" was given")[0] for note in notes] == [
        "no key says it: --timezone Asia/Kolkata",
        "no key says it: --region IN",
    ]
    assert tomllib.loads(write_settings(settings, notes)) == settings


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_written_so_that_it_reads_back(text: str) -> None:
    assert tomllib.loads(f"x = {toml_value(text)}") == {"x": text}


@given(st.integers(0, 10**8).map(lambda ms: ms / 1000))
def test_a_length_of_time_reads_back(seconds: float) -> None:
    assert parse_duration(duration_text(seconds)) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("pace.calls_per_second", "1,5", 15),
        ("pace.calls_per_second", " 2.5 ", 2.5),
        ("pace.calls_per_second", "fast", "fast"),
        ("redial.other_hour", "perhaps", "perhaps"),
        ("window.blackout", '["2027-12-24", "2027-12-25"]', ["2027-12-24", "2027-12-25"]),
        ("window.blackout", "2027-12-24, 2027-12-25", ["2027-12-24", "2027-12-25"]),
        ("contacts.variables", "a, b\r\nc\r\n", ["a, b", "c"]),
        ("contacts.variables", "", []),
        ("redial.callback", "", ""),
    ],
)
def test_what_stands_in_a_field(name: str, text: str, said: Any) -> None:
    table, _, key = name.partition(".")
    assert with_fields({}, {name: text}, (table,)) == {table: {key: said}}


def test_an_empty_limit_is_left_to_the_preset() -> None:
    shown = fields_of({"limits": {"preset": "reg_f", "per_day": 2}}, ("limits",))
    assert (shown["limits.per_day"], shown["limits.per_7_days"]) == ("2", "")
    assert with_fields({}, shown, ("limits",)) == {"limits": {"preset": "reg_f", "per_day": 2}}


def test_every_key_means_something() -> None:
    assert all(key.meaning for table in ("", *table_names()) for key in keys_of(table))
