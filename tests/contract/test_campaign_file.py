"""The campaign file and the overrides of the command line."""

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from dialer.adapters.campaign_file import Overrides, override, read_campaign, read_options
from dialer.adapters.campaign_file.messages import tables_of
from dialer.adapters.campaign_file.tables import CampaignFile
from dialer.adapters.campaign_file.values import parse_duration
from dialer.adapters.ledger.spec_text import read_spec, write_spec
from dialer.domain.calling_window import CallingWindow
from dialer.domain.campaign import CampaignSpec, ContactColumns, Pace, Reminder, Schedule, Source
from dialer.domain.disposition import Disposition
from dialer.domain.limits import PRESETS, UNLIMITED, PersonLimits
from dialer.domain.suppression import OptOut
from dialer.errors import CampaignFileError
from tests.campaign_reference import page

WHOLE = """
name = "october-renewals"
provider = "vaani"
agent = "+14155550100"
caller_ids = ["+14155550190"]
[contacts]
phone = "Mobile"
variables = ["plan"]
sheet = "May"
[window]
days = "mon-fri"
hours = "10:00-12:00, 14:00-18:30"
timezone = "Asia/Kolkata"
holidays = "in, us-fl"
blackout = ["2027-12-31", 2027-12-24]
lead = "5m"
also_rules = ["IN-RBI"]
rules = "off"
rules_reason = "consent in writing"
[pace]
calls_per_second = 2.5
concurrent_calls = 20
weight = 3
[redial]
max_attempts = 2
busy = "10m"
max_busy = 1
jitter = "5m"
other_hour = true
callback = ""
[suppression]
entities = ["wants=stop"]
[limits]
per_day = 1
lifetime = 0
silence = "7d"
[source]
url = "sqlite:///people.db"
query = "SELECT * FROM people"
refresh = "*/5 * * * *"
[schedule]
start = "2027-03-01T09:00:00+05:30"
end = "2027-03-31T18:00:00Z"
repeat = "0 9 * * 1"
timezone = "Asia/Kathmandu"
[reminder]
event = "appointment"
before = ["2h", "1d"]
timezone = "Asia/Kolkata"
[budget]
max_cost = 100
"""


LEAST = 'name = "n"\nagent = "a"\n'
SOURCE = '[source]\nurl = "sqlite:///people.db"\nquery = "SELECT 1"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "october.toml"
    path.write_text(text)
    return path


def test_every_key_is_read(tmp_path: Path) -> None:
    spec = read_campaign(written(tmp_path, WHOLE), Overrides())
    assert spec == CampaignSpec(
        "october-renewals", "+14155550100", "vaani", ("+14155550190",),
        ContactColumns(phone="Mobile", variables=("plan",), sheet="May"),
        window=CallingWindow(
            frozenset(range(5)), ((600, 720), (840, 1110)), "Asia/Kolkata", lead_s=300.0,
            holidays=("IN", "US-FL"), blackout=(date(2027, 12, 24), date(2027, 12, 31)), also_rules=("IN-RBI",),
            rules="off", rules_reason="consent in writing",
        ),
        pace=Pace(2.5, 20, 3), redial=spec.redial, max_cost=100.0, opt_out=spec.opt_out,
        limits=PersonLimits(1, 3, 6, 0, silence_s=604800.0),
        source=Source("sqlite:///people.db", "SELECT * FROM people", "*/5 * * * *"),
        schedule=Schedule(1803871800.0, 1806516000.0, "0 9 * * 1", "Asia/Kathmandu"),
        reminder=Reminder("appointment", (86400.0, 7200.0), "Asia/Kolkata"),
    )  # fmt: skip
    assert read_spec(write_spec(spec)) == spec
    assert (spec.redial.max_attempts, spec.redial.delays_s[Disposition.BUSY]) == (2, 600.0)
    assert (spec.redial.most, spec.redial.jitter_s) == ({Disposition.BUSY: 1}, 300.0)
    assert (spec.redial.other_hour, spec.redial.callback_s) == (True, None)
    assert spec.opt_out == OptOut(entities=("wants=stop",))
    assert spec.redial.delays_s[Disposition.NO_ANSWER] == 7200.0


def test_only_name_and_agent_are_needed(tmp_path: Path) -> None:
    assert read_campaign(written(tmp_path, 'name = "n"\nagent = "a"'), Overrides()) == CampaignSpec("n", "a")


def test_the_page_shows_every_key_with_its_default(tmp_path: Path) -> None:
    shown = (Path(__file__).parents[2] / "docs" / "campaign_file.md").read_text()
    assert shown == page()
    spec = read_campaign(written(tmp_path, shown.split("```")[1].removeprefix("toml")), Overrides())
    assert spec == CampaignSpec(spec.name, spec.agent)


def test_a_preset_is_overridden_key_by_key(tmp_path: Path) -> None:
    text = 'name = "n"\nagent = "a"\n[limits]\npreset = "reg_f"\nper_day = 2\nsilence = "10d"'
    spec = read_campaign(written(tmp_path, text), Overrides(), standing=UNLIMITED)
    assert spec.limits == PersonLimits(2, 7, 0, 0, silence_s=864000.0)
    assert read_campaign(written(tmp_path, text.partition("\nper_day")[0]), Overrides()).limits == PRESETS["reg_f"]


def test_overrides_win_over_the_file_and_defaults_lose(tmp_path: Path) -> None:
    given = Overrides(name="other", agent="b", rate=9.0, concurrency=0, max_attempts=2, region="in", window="always")
    defaults = {"name": "nobody", "pace": {"weight": 9}}
    spec = read_campaign(written(tmp_path, WHOLE), given, defaults)
    assert (spec.name, spec.agent, spec.region, spec.window.always) == ("other", "b", "IN", True)
    assert (spec.window.rules, spec.window.rules_reason) == ("off", "the window is `always` on the command line")
    assert (spec.pace, spec.redial.max_attempts) == (Pace(9.0, 0, 3), 2)


def test_an_existing_campaign_takes_what_the_command_line_sets() -> None:
    spec = override(CampaignSpec("n", "a"), Overrides(rate=3.0, timezone="Asia/Kolkata"))
    assert spec == CampaignSpec("n", "a", timezone="Asia/Kolkata", pace=Pace(3.0, 10, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('naem = "n"', 'october.toml: there is no key "naem": did you mean "name"?'),
        ("[pase]\nweight = 1", 'there is no table [pase]: did you mean "pace"?'),
        ("[pace]\ncalls_per_secnd = 1", 'there is no key [pace] "calls_per_secnd": did you mean "calls_per_second"?'),
        ('[pace]\nweight = "2"', "[pace] weight must be a number"),
        ("name = 3", "name must be text"),
        ('name = "n"', "a campaign needs an agent: an agent id (agent = ..., or --agent)"),
        ('agent = "a"', "a campaign needs a name (name = ..., or --name)"),
        ('name = "n"\nagent = "a"\nprovider = "vaanivoce"', 'vaani, vaanivoice: did you mean "vaanivoice"?'),
        (
            'name = "n"\nagent = "a"\n[redial]\nbusy = "soon"',
            '[redial] busy = "soon" must read like "15m", "2h" or "1d"',
        ),
        ('name = "n"\nagent = "a"\n[window]\nhours = "9-5"', 'window hours "9-5" must read like "09:00-20:00"'),
        ('name = "n"\nagent = "a"\n[window]\ndays = "weekdays"', 'window days "weekdays" must read like "mon-sat"'),
        ('name = "n"\nagent = "a"\n[window]\ntimezone = "IST"', 'time zone "IST" is not an IANA name'),
        ('name = "n"\nagent = "a"\n[window]\nrules = "off"', 'rules = "off" needs rules_reason'),
        (
            'name = "n"\nagent = "a"\n[window]\nhours = "20:00-02:00"',
            'if it ends on the next day, write "20:00-02:00+1"',
        ),
        ('name = "n"\nagent = "a"\n[window]\nholidays = "US-XX"', 'holidays: there is no calendar "US-XX"'),
        ('name = "n"\nagent = "a"\n[window]\nblackout = ["xmas"]', 'blackout: "xmas" must read like "2027-12-24"'),
        ('name = "n"\nagent = "a"\n[window]\nlead = "2d"', 'lead = "2d" must be a day at most'),
        (
            'name = "n"\nagent = "a"\n[window]\nalso_rules = ["RBI"]',
            'there is no rule "RBI"; rules to name are IN-RBI, US-REG-F, unknown',
        ),
        ('name = "n"\nagent = "a"\n[window]\nrules = "lax"', '[window] rules = "lax" must be "strict" or "off"'),
        (
            'name = "n"\nagent = "a"\n[limits]\nper_day = -1',
            "[limits] per_day = -1 must be a number from 1 to 1,000,000, or 0 (no limit)",
        ),
        (
            'name = "n"\nagent = "a"\n[limits]\npreset = "usa"',
            '[limits] preset = "usa" must be one of default, reg_f, us_strict, fr, uk, reminder',
        ),
        ('name = "n"\nagent = "a"\n[limits]\nspacing = "soon"', '[limits] spacing = "soon" must read like "15m"'),
        (
            'name = "n"\nagent = "a"\n[redial]\nmax_busy = -1',
            "[redial] max_busy = -1 must be a number from 1 to 1,000, or 0 (as max_attempts)",
        ),
        ('name = "n"\nagent = "a"\n[suppression]\nentities = [3]', "[suppression] entities must list words in quotes"),
        ('name = "n"\nagent = "a"\n[source]\nurl = "sqlite://"', "[source] needs both url and query"),
        ('name = "n"\nagent = "a"\n[schedule]\nstart = "2027-03-01"', "must be a time with its zone"),
        (
            'name = "n"\nagent = "a"\n[schedule]\nstart = "2027-03-01T00:00Z"\nend = "2027-02-01T00:00Z"',
            "[schedule] end must be after start",
        ),
        ('name = "n"\nagent = "a"\n[reminder]\nevent = "at"', "[reminder] needs both event (a column) and before"),
        (f'{LEAST}[source]\nrefresh = "* * * * *"', "[source] refresh needs url and query"),
        (f'{LEAST}{SOURCE}refresh = "hourly"', '[source] refresh = "hourly" is no cron expression'),
        (
            f'{LEAST}{SOURCE}refresh = "0 9 * * *"',
            '[source] refresh needs a zone: [schedule] timezone = "Asia/Kolkata"',
        ),
        (f'{LEAST}[schedule]\nrepeat = "0 9 * * *"', "[schedule] repeat needs a zone"),
        (f'{LEAST}[schedule]\nrepeat = "0 0 31 2 *"', "[schedule] repeat = "),
        (f'{LEAST}[schedule]\ntimezone = "IST"', '[schedule] timezone = "IST" is not an IANA name'),
        (f'{LEAST}[reminder]\nevent = "at"\nbefore = ["1h"]\ntimezone = "IST"', "[reminder] timezone"),
        (
            f'{LEAST}[redial]\nmax_attempts = 1\n[reminder]\nevent = "at"\nbefore = ["1d", "1h"]',
            "[redial] max_attempts = 1 leaves no attempt for each of the 2 moments of [reminder] before",
        ),
        ("name =", "not a readable TOML file"),
    ],
)
def test_what_cannot_be_obeyed_names_the_place_and_the_remedy(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CampaignFileError) as refused:
        read_campaign(written(tmp_path, text), Overrides())
    assert message in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CampaignFileError, match="there is no such campaign file"):
        read_campaign(tmp_path / "none.toml", Overrides())


def test_durations() -> None:
    assert [parse_duration(text) for text in ("90s", "15m", "2h", "1.5d")] == [90, 900, 7200, 129600]


def test_a_country_is_the_region_of_all_numbers_and_anything_else_a_column(tmp_path: Path) -> None:
    country = read_campaign(written(tmp_path, 'name = "n"\nagent = "a"\n[contacts]\nregion = "in"'), Overrides())
    column = read_campaign(written(tmp_path, 'name = "n"\nagent = "a"\n[contacts]\nregion = "land"'), Overrides())
    assert (country.region, country.columns.region) == ("IN", "")
    assert (column.region, column.columns.region) == ("", "land")


def test_a_spec_that_an_older_version_stored_is_read() -> None:
    spec = CampaignSpec("n", "a")
    raw = json.loads(write_spec(spec))
    for name in ("hours", "blackout", "also_rules"):
        del raw["window"][name]
    raw["window"] |= {"opens": "09:00:00", "closes": "20:00:00"}
    assert read_spec(json.dumps(raw)) == spec


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://shop:hunter2@db/shop",
        "mysql+pymysql://shop:hunter2${X}@db/shop",
        "postgresql://db/shop?password=hunter2",
        "mssql+pyodbc:///?odbc_connect=Server%3Ddb%3BPWD%3Dhunter2",
    ],
)
def test_a_password_in_the_address_is_refused_and_not_shown(tmp_path: Path, url: str) -> None:
    with pytest.raises(CampaignFileError, match=r"Write .* in its place") as refused:
        read_campaign(written(tmp_path, f'{LEAST}[source]\nurl = "{url}"\nquery = "SELECT 1"'), Overrides())
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["postgresql://shop:${PW}@db/shop", "postgresql://shop@db/shop", "${SHOP}", "sqlite:///a:b@c.db",
     "postgresql://db/shop?password=${PW}"],
)  # fmt: skip
def test_an_address_without_a_readable_password_is_kept_as_it_is(tmp_path: Path, url: str) -> None:
    text = f'{LEAST}[source]\nurl = "{url}"\nquery = "SELECT 1"'
    assert read_campaign(written(tmp_path, text), Overrides()).source.url == url


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ('[schedule]\ntimezone = "Asia/Kolkata"\n[window]\ntimezone = "Europe/London"', "Asia/Kolkata"),
        ('[window]\ntimezone = "Europe/London"', "Europe/London"),
    ],
)
def test_cron_expressions_are_read_in_the_declared_zone(tmp_path: Path, text: str, zone: str) -> None:
    whole = f'{LEAST}{SOURCE}refresh = "0 9 * * *"\n{text}'
    assert read_campaign(written(tmp_path, whole), Overrides()).cron_zone == zone


ODD_VALUES = [
    "nan", "inf", "-inf", "1e400", "-1", "-1e308", "1e308", "1e-300", "0.5", "9" * 30, "true", "[]", "[[]]", "[1]",
    "[nan]", "[{}]", "{}", '""', '" "', '"nans"', '"infd"', '"1e400d"', '"-1h"', '"1_0h"', '"9999999999999d"',
    "2027-03-01", "2027-03-01T09:00:00Z", "09:00:00", '"\\u0000"', '"\\u001b[31m"', '["\\u0000"]', '[""]',
]  # fmt: skip


TABLES: dict[str, type[BaseModel]] = {"": CampaignFile, **tables_of(CampaignFile)}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("value", ODD_VALUES)
def test_no_odd_value_of_any_key_gets_further_than_the_file(tmp_path: Path, table: str, value: str) -> None:
    for key in TABLES[table].model_fields:
        head = "\n".join(f'{name} = "x"' for name in ("name", "agent") if (table, name) != ("", key))
        text = f"{key} = {value}\n{head}" if not table else f"{head}\n[{table}]\n{key} = {value}"
        try:
            spec = read_campaign(written(tmp_path, text), Overrides())
        except CampaignFileError as refused:
            assert f"{tmp_path}/october.toml" in str(refused)
            continue
        json.dumps(json.loads(write_spec(spec)), allow_nan=False)
        assert read_spec(write_spec(spec)) == spec


@pytest.mark.parametrize(
    "odd",
    [
        {"rate": math.nan}, {"rate": math.inf}, {"rate": -1.0}, {"rate": 1e-300}, {"rate": 1e308}, {"concurrency": -1},
        {"concurrency": 10**30}, {"max_attempts": 0}, {"max_attempts": -2}, {"max_attempts": 10**30},
        {"timezone": "Mars/Phobos"}, {"region": "XX"}, {"caller_ids": ("",)}, {"window": "sometimes"},
    ],
)  # fmt: skip
def test_an_override_is_held_to_the_same_bounds(odd: dict[str, Any]) -> None:
    with pytest.raises(CampaignFileError):
        read_campaign(None, read_options(name="n", agent="a", provider="simulator", **odd))
    with pytest.raises(CampaignFileError):
        override(CampaignSpec("n", "a"), read_options(**odd))


def test_a_campaign_of_moments_keeps_an_attempt_for_each_also_with_overrides() -> None:
    spec = CampaignSpec("n", "a", reminder=Reminder("at", (86400.0, 3600.0)))
    with pytest.raises(CampaignFileError, match="leaves no attempt"):
        override(spec, Overrides(max_attempts=1))


@pytest.mark.parametrize(("text", "said"), [("[" * 5000, "nested too deep"), ("#" * 1_000_001, "longer than")])
def test_a_file_that_no_campaign_is_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CampaignFileError, match=said):
        read_campaign(written(tmp_path, f"a = {text}"), Overrides())


def test_a_directory_is_no_campaign_file(tmp_path: Path) -> None:
    with pytest.raises(CampaignFileError, match="a directory"):
        read_campaign(tmp_path, Overrides())


@pytest.mark.parametrize("name", ["a\x1b[31m", "a\nb", "a\u202eb", "a\u200bb", "a\ud83d", "a" * 301, "\x9b31m"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(CampaignFileError, match="the campaign's name") as refused:
        read_campaign(None, read_options(name=name, agent="a"))
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("name", "kept"), [("Cafe\u0301 ", "Caf\u00e9"), ("  a b ", "a b"), ("\u0915\u094d\u200d\u0937",) * 2]
)
def test_names_that_look_the_same_are_the_same(name: str, kept: str) -> None:
    assert read_campaign(None, Overrides(name=name, agent="a")).name == kept


def test_a_source_whose_port_is_no_number_is_refused_without_a_word_of_it(tmp_path: Path) -> None:
    text = f'{LEAST}[source]\nurl = "postgresql://u@h:Xq7wPd9z/x"\nquery = "SELECT 1"'
    with pytest.raises(CampaignFileError, match="a port is a number") as refused:
        read_campaign(written(tmp_path, text), Overrides())
    assert "Xq7wPd9z" not in str(refused.value)
