"""What is asked of a vendor campaign, checked as its documents say (wire contract, section 3.12)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any

from dialer.simulator.books import Call
from dialer.simulator.checking import Invalid, problem
from dialer.simulator.csv_file import bad_file, read_table
from dialer.simulator.forms import File
from dialer.simulator.options import Options
from dialer.simulator.switchboard import Refused

FILE = "csv_file"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS_A_WEEK = len(DAYS)
EARLIEST, LATEST = time(2, 30), time(14, 29)
MOST_ROWS, MOST_EMAILS, MOST_TRIES, MOST_DELAY_MINS = 10_000, 5, 10, 1440
REQUIRED = ("campaign_name", "agent_id", "concurrency", "from_date", "to_date", "start_time", "end_time")
NAME_COLUMNS = ("name", "contact_name", "customer_name", "full_name")
PHONE_COLUMNS = ("phone_number", "phone", "mobile", "contact", "contact_number", "mobile_number")
INDIAN = re.compile(r"(?:\+?91|0)?([1-9][0-9]{9})")
TRUE, FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off", ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One campaign's settings; times of day are UTC, ``tries`` is the vendor's ``max_retries``."""

    campaign_name: str
    agent_id: str
    concurrency: int
    from_date: date
    to_date: date
    start_time: time
    end_time: time
    days: tuple[str, ...]
    perform_dnd_check: bool = False
    tries: int = 3
    retry_delay_mins: int = 30
    emails: tuple[str, ...] = ()
    campaign_webhook_url: str | None = None
    per_call_webhook_url: str | None = None

    def window(self, now: float) -> tuple[float, float] | None:
        """The window that is open at ``now`` or opens next, in unix seconds; None when there is no more."""
        today = datetime.fromtimestamp(now, UTC).date()
        day = max(today, self.from_date)
        for number in range(day.toordinal(), min(self.to_date.toordinal(), day.toordinal() + DAYS_A_WEEK) + 1):
            day = date.fromordinal(number)
            opens, closes = _moment(day, self.start_time), _moment(day, self.end_time)
            if DAYS[day.weekday()] in self.days and closes > now:
                return opens, closes
        return None


@dataclass(slots=True)
class Lead:
    """One row of the CSV. ``status`` is as the results have it, or ``pending`` or ``calling``."""

    name: str
    phone: str
    variables: dict[str, str]
    status: str = "pending"
    attempts: int = 0
    last_attempt_at: float | None = None
    calls: list[Call] = field(default_factory=list)


def new_plan(fields: Mapping[str, str], options: Options, now: float) -> Plan:
    """The plan of a new campaign. Raises ``Invalid`` for a missing or unreadable field, ``Refused`` with a code."""
    named = _named(fields)
    missing = [name for name in (*REQUIRED, "days_of_week") if not named.get(name)]
    if missing:
        raise Invalid([problem("body", name, "Field required", "missing") for name in missing])
    return _checked(Plan(**_read(named)), options, now)


def changed_plan(plan: Plan, fields: Mapping[str, str], options: Options, now: float) -> Plan:
    """``plan`` with what ``fields`` give; raises as ``new_plan``."""
    return _checked(replace(plan, **_read(_named(fields))), options, now)


def leads_of(file: File) -> list[Lead]:
    """The rows of the CSV. Raises ``Invalid`` for a file that is no CSV, has no number column, or no row or too many.

    A number that is none leaves a lead that has failed; the vendor's documents do not say.
    """
    columns, rows = read_table(FILE, file)
    phone = _column(columns, PHONE_COLUMNS)
    if phone is None:
        raise bad_file(FILE, "The file needs a row and a column phone_number")
    if len(rows) > MOST_ROWS:
        raise bad_file(FILE, f"The file has more than {MOST_ROWS} rows")
    return [_lead(row, columns, phone, _column(columns, NAME_COLUMNS)) for row in rows]


def _lead(row: dict[str, str], columns: list[str], phone: str, name: str | None) -> Lead:
    others = {column: row[column] for column in columns if column not in {phone, name}}
    found = INDIAN.fullmatch(re.sub(r"[\s()-]", "", row[phone]))
    lead = Lead(row[name] if name else "", f"+91{found[1]}" if found else row[phone], others)
    if found is None:
        lead.status = "failed"
    return lead


def _column(columns: list[str], known: tuple[str, ...]) -> str | None:
    lowered = {column.strip().lower(): column for column in columns}
    return next((lowered[name] for name in known if name in lowered), None)


def _named(fields: Mapping[str, str]) -> dict[str, str]:
    """The vendor's client sends ``name`` beside ``campaign_name``."""
    return {"campaign_name": fields.get("name", ""), **fields} if fields.get("name") else dict(fields)


def _read(fields: Mapping[str, str]) -> dict[str, Any]:
    readers: dict[str, tuple[str, Any]] = {
        "campaign_name": ("campaign_name", _name),
        "agent_id": ("agent_id", _filled),
        "concurrency": ("concurrency", int),
        "from_date": ("from_date", date.fromisoformat),
        "to_date": ("to_date", date.fromisoformat),
        "start_time": ("start_time", _time),
        "end_time": ("end_time", _time),
        "days_of_week": ("days", _list),
        "perform_dnd_check": ("perform_dnd_check", _flag),
        "max_retries": ("tries", int),
        "retry_delay_mins": ("retry_delay_mins", int),
        "notification_emails": ("emails", _list),
        "campaign_webhook_url": ("campaign_webhook_url", _url),
        "per_call_webhook_url": ("per_call_webhook_url", _url),
    }
    plan: dict[str, Any] = {}
    problems = []
    for name, (into, reader) in readers.items():
        if fields.get(name) is None:
            continue
        try:
            plan[into] = reader(fields[name].strip())
        except ValueError:
            problems.append(problem("body", name, "Input is not valid", "value_error"))
    if problems:
        raise Invalid(problems)
    return plan


def _checked(plan: Plan, options: Options, now: float) -> Plan:
    hours = options.campaign_hours == "any" or EARLIEST <= plan.start_time < plan.end_time <= LATEST
    days = {day.lower() for day in plan.days}
    today = datetime.fromtimestamp(now, UTC).date()
    wrong = {
        "INVALID_TIME_WINDOW": not hours or plan.start_time >= plan.end_time,
        "CONCURRENCY_EXCEEDED": not 1 <= plan.concurrency <= options.campaign_concurrency,
        "INVALID_DATE_RANGE": plan.from_date > plan.to_date or plan.to_date < today,
        "NO_DAYS_SELECTED": not days or not days <= set(DAYS),
        "INVALID_RETRY_CONFIG": not 1 <= plan.tries <= MOST_TRIES or not 0 <= plan.retry_delay_mins <= MOST_DELAY_MINS,
        "TOO_MANY_EMAILS": len(plan.emails) > MOST_EMAILS,
    }
    for code, found in wrong.items():
        if found:
            raise Refused(options.campaign_refusal, code.replace("_", " ").capitalize(), code=code)
    return replace(plan, days=tuple(day for day in DAYS if day in days))


def _moment(day: date, at: time) -> float:
    return datetime.combine(day, at, UTC).timestamp()


def _name(text: str) -> str:
    if len(_filled(text)) > 255:
        raise ValueError(text)
    return text


def _filled(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def _time(text: str) -> time:
    if not re.fullmatch(r"[0-9]{2}:[0-9]{2}", text):
        raise ValueError(text)
    return time.fromisoformat(text)


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _flag(text: str) -> bool:
    if text.lower() not in TRUE | FALSE:
        raise ValueError(text)
    return text.lower() in TRUE


def _url(text: str) -> str | None:
    if text and not re.fullmatch(r"https?://[^\s/]+\S*", text):
        raise ValueError(text)
    return text or None
