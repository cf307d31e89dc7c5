"""What is asked of a vendor campaign, checked as its documents say (wire contract, section 3.12)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from dialer.simulator.books import Call
from dialer.simulator.checking import invalid, validated
from dialer.simulator.forms import File, read_table
from dialer.simulator.options import Options
from dialer.simulator.switchboard import Refused

FILE = "csv_file"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS_A_WEEK = len(DAYS)
EARLIEST, LATEST = time(2, 30), time(14, 29)
MOST_ROWS, MOST_EMAILS, MOST_TRIES, MOST_DELAY_MINS = 10_000, 5, 10, 1440
NAME_COLUMNS = ("name", "contact_name", "customer_name", "full_name")
PHONE_COLUMNS = ("phone_number", "phone", "mobile", "contact", "contact_number", "mobile_number")
INDIAN = re.compile(r"(?:\+?91|0)?([1-9][0-9]{9})")
CLEARED = {"notification_emails", "campaign_webhook_url", "per_call_webhook_url"}
"""What may be empty."""


def _text(parse: Callable[[str], Any], **schema: Any) -> tuple[BeforeValidator, WithJsonSchema]:
    """What reads the text of a form; what was read already stays."""
    read = BeforeValidator(lambda given: parse(given.strip()) if isinstance(given, str) else given)
    return read, WithJsonSchema(schema)


def _told(**schema: Any) -> Any:
    """What a caller is told of a number; what is out of it is refused with a code."""
    return Field(json_schema_extra=schema)


def _time(text: str) -> time:
    if not re.fullmatch(r"[0-9]{2}:[0-9]{2}", text):
        raise ValueError(text)
    return time.fromisoformat(text)


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _url(text: str) -> str | None:
    if text and not re.fullmatch(r"https?://[^\s/]+\S*", text):
        raise ValueError(text)
    return text or None


Day = Annotated[date, *_text(date.fromisoformat, type="string", format="date")]
Clock = Annotated[time, *_text(_time, type="string", pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Words = Annotated[tuple[str, ...], *_text(_list, type="string")]
Url = Annotated[str | None, *_text(_url, type="string", format="uri")]


class Plan(BaseModel):
    """One campaign's settings, by the vendor's names; times of day are UTC, ``max_retries`` counts every try."""

    model_config = ConfigDict(str_strip_whitespace=True, frozen=True)

    campaign_name: Annotated[str, Field(min_length=1, max_length=255)]
    agent_id: Annotated[str, Field(min_length=1)]
    concurrency: Annotated[int, _told(minimum=1)]
    from_date: Day
    to_date: Day
    start_time: Clock
    end_time: Clock
    days_of_week: Words
    perform_dnd_check: bool = False
    max_retries: Annotated[int, _told(minimum=1, maximum=MOST_TRIES)] = 3
    retry_delay_mins: Annotated[int, _told(minimum=0, maximum=MOST_DELAY_MINS)] = 30
    notification_emails: Words = ()
    campaign_webhook_url: Url = None
    per_call_webhook_url: Url = None

    def window(self, now: float) -> tuple[float, float] | None:
        """The window that is open at ``now`` or opens next, in unix seconds; None when there is no more."""
        today = datetime.fromtimestamp(now, UTC).date()
        day = max(today, self.from_date)
        for number in range(day.toordinal(), min(self.to_date.toordinal(), day.toordinal() + DAYS_A_WEEK) + 1):
            day = date.fromordinal(number)
            opens, closes = _moment(day, self.start_time), _moment(day, self.end_time)
            if DAYS[day.weekday()] in self.days_of_week and closes > now:
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


def new_plan(fields: Mapping[str, Any], options: Options, now: float) -> Plan:
    """The plan of a new campaign. Raises ``RequestValidationError``, or ``Refused`` with a code."""
    given = {name: text for name, text in _named(fields).items() if text != "" or name in CLEARED}
    return _checked(validated(Plan, given), options, now)


def changed_plan(plan: Plan, fields: Mapping[str, str], options: Options, now: float) -> Plan:
    """``plan`` with what ``fields`` give; raises as ``new_plan``."""
    return new_plan({**plan.model_dump(), **_named(fields)}, options, now)


def _named(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The vendor's client sends ``name`` beside ``campaign_name``."""
    return {"campaign_name": fields["name"], **fields} if fields.get("name") else fields


def leads_of(file: File) -> list[Lead]:
    """The rows of the CSV. Raises ``RequestValidationError`` for no CSV, no column of numbers, no row or too many.

    A number that is none leaves a lead that has failed; the vendor's documents do not say.
    """
    columns, rows = read_table(FILE, file)
    phone = _column(columns, PHONE_COLUMNS)
    if phone is None:
        raise invalid(FILE, "The file needs a row and a column phone_number")
    if len(rows) > MOST_ROWS:
        raise invalid(FILE, f"The file has more than {MOST_ROWS} rows")
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


def _checked(plan: Plan, options: Options, now: float) -> Plan:
    hours = options.campaign_hours == "any" or EARLIEST <= plan.start_time < plan.end_time <= LATEST
    days = {day.lower() for day in plan.days_of_week}
    today = datetime.fromtimestamp(now, UTC).date()
    wrong = {
        "INVALID_TIME_WINDOW": not hours or plan.start_time >= plan.end_time,
        "CONCURRENCY_EXCEEDED": not 1 <= plan.concurrency <= options.campaign_concurrency,
        "INVALID_DATE_RANGE": plan.from_date > plan.to_date or plan.to_date < today,
        "NO_DAYS_SELECTED": not days or not days <= set(DAYS),
        "INVALID_RETRY_CONFIG": not 1 <= plan.max_retries <= MOST_TRIES
        or not 0 <= plan.retry_delay_mins <= MOST_DELAY_MINS,
        "TOO_MANY_EMAILS": len(plan.notification_emails) > MOST_EMAILS,
    }
    for code, found in wrong.items():
        if found:
            raise Refused(options.campaign_refusal, code.replace("_", " ").capitalize(), code=code)
    return plan.model_copy(update={"days_of_week": tuple(day for day in DAYS if day in days)})


def _moment(day: date, at: time) -> float:
    return datetime.combine(day, at, UTC).timestamp()
