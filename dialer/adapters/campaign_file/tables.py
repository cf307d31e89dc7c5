"""The campaign file: its tables and keys, what each may be and means. ``docs/campaign_file.md`` is made from it."""

from dataclasses import replace
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dialer.adapters.campaign_file import values
from dialer.adapters.campaign_file.source_url import check_source_url
from dialer.domain import campaign
from dialer.domain.calling_window import CallingWindow, make_window
from dialer.domain.campaign import CampaignSpec, ContactColumns
from dialer.domain.limits import PRESETS, PersonLimits
from dialer.domain.phone_number import is_region
from dialer.domain.public_holidays import is_calendar
from dialer.domain.redial import RedialPolicy
from dialer.domain.suppression import OptOut
from dialer.errors import CampaignFileError

DELAYS = tuple(RedialPolicy().delays_s)
"""What a call may come to that allows another."""


def described(default: Any, meaning: str) -> Any:
    """A key: its value when the file has none, and what it means."""
    return Field(default, description=meaning)


class Table(BaseModel):
    """A table of the file. Values are what TOML says they are: no text is taken for a number."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, hide_input_in_errors=True, validate_default=True
    )


class Contacts(Table):
    """The columns of the list; guessed from common headers when absent."""

    phone: str = described("", "the column with the phone number")
    name: str = described("", "the column with the person's name")
    timezone: str = described("", "a column with each person's zone")
    trust_timezone: bool = described(False, "true: that zone holds even where the number is from another zone")
    region: str = described("", 'a column with each person\'s country, or the country of all, e.g. "IN"')
    state: str = described("", "a column with each person's state or province")
    postal_code: str = described("", "a column with each person's postal code")
    key: str = described("", "a column with a person's own id")
    variables: list[str] = described(["*"], 'columns handed to the agent; "*": all others')
    sheet: str = described("", "the sheet of a workbook, if several hold something")

    @property
    def country(self) -> str:
        """``region = "IN"`` is a country for all numbers in national format; anything else names a column."""
        return self.region.upper() if is_region(self.region.upper()) else ""

    def columns(self) -> ContactColumns:
        """As the readers of lists want them."""
        region = "" if self.country else self.region
        return ContactColumns(**self.model_dump() | {"region": region, "variables": tuple(self.variables)})


class Window(Table):
    """When people may be called."""

    days: str = described("mon-sat", 'days, e.g. "mon,wed,fri", or "always"')
    hours: str = described("09:00-20:00", '"09:00-12:00, 14:00-20:00"; "20:00-02:00+1" ends on the next day')
    timezone: str = described("contact", '"contact": every zone the number may be in; or one zone for all')
    holidays: str = described("", 'no calls on the public holidays of these places: "IN", "US-FL"')
    blackout: list[values.Day] = described([], 'nor on these days: ["2027-12-24"]')
    lead: values.Lead = described("2m", "no call starts so shortly before closing; a day at most")
    rules: Literal["strict", "off"] = described("strict", "whether the calling rules of each place hold too")
    rules_reason: str = described("", 'required with rules = "off", shown in every report')
    also_rules: list[values.Rule] = described([], 'rules by purpose: "IN-RBI", "US-REG-F"')

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.rules == "off" and not self.rules_reason.strip():
            raise ValueError('rules = "off" needs rules_reason, which every report shows')
        for place in self._places():
            if not is_calendar(place):
                raise ValueError(f'holidays: there is no calendar "{place}"; write e.g. "IN" or "US-FL"')
        return self

    def _places(self) -> tuple[str, ...]:
        return tuple(self.holidays.replace(",", " ").upper().split())

    def window(self) -> CallingWindow:
        """Raises CampaignFileError for days, hours and a zone that do not read."""
        return replace(
            make_window(self.days, self.hours, self.timezone),
            lead_s=self.lead,
            holidays=self._places(),
            blackout=tuple(sorted(set(self.blackout))),
            rules=self.rules,
            rules_reason=self.rules_reason.strip() if self.rules == "off" else "",
            also_rules=tuple(self.also_rules),
        )


class Pace(Table):
    """How fast, and how many at once."""

    calls_per_second: values.Rate = described(1.0, "calls started each second")
    concurrent_calls: values.Count = described(10, "calls at the same time")
    weight: values.Weight = described(1, "share of the account when campaigns compete")


class Redial(Table):
    """Who is tried again, and when."""

    max_attempts: values.Attempts = described(3, "attempts for each contact, whatever they come to")
    no_answer: values.Duration = described("2h", "delay after a call nobody answered")
    busy: values.Duration = described("15m", "after a busy line")
    voicemail: values.Duration = described("4h", "after a voicemail")
    failed: values.Duration = described("30m", "after a call that failed")
    unconfirmed: values.Duration = described("4h", "after a call that no log shows")
    max_no_answer: values.Most = described(0, "attempts with this outcome before a contact is given up")
    max_busy: values.Most = described(0, "the same")
    max_voicemail: values.Most = described(0, "the same")
    max_failed: values.Most = described(0, "the same")
    max_unconfirmed: values.Most = described(0, "the same")
    jitter: values.DurationOrNone = described("", 'up to so much is added to each delay, e.g. "10m"')
    other_hour: bool = described(False, "true: not twice at the same hour of the day")
    callback: values.DurationOrNone = described(
        "1h", 'after a call in which somebody asked for it without a time; "": never'
    )

    def policy(self) -> RedialPolicy:
        """As the domain knows it."""
        most = {word: getattr(self, f"max_{word}") for word in DELAYS}
        return RedialPolicy(
            self.max_attempts,
            {word: getattr(self, word) for word in DELAYS},
            {word: limit for word, limit in most.items() if limit},
            self.jitter or 0.0,
            self.other_hour,
            self.callback,
        )


class Suppression(Table):
    """What in a call log puts a number onto the do-not-call list of all campaigns."""

    entities: list[values.Word] = described(
        ["opt_out", "do_not_call", "dnc"], 'extracted fields: "name" where its value says yes, or "name=value"'
    )
    dispositions: list[values.Word] = described(
        ["do not call", "dnc", "opt out", "opted out"], "words for what a call came to"
    )


class Limits(Table):
    """How often one person may be called, over all campaigns."""

    preset: values.Preset = described("", f"one of {', '.join(PRESETS)}; the keys below stand above it")
    per_day: values.Count = described(2, "calls in any 24 hours")
    per_7_days: values.Count = described(3, "calls in any 7 days")
    per_30_days: values.Count = described(6, "calls in any 30 days")
    lifetime: values.Count = described(10, "calls ever")
    silence: values.DurationOrNone = described("", 'no call for so long after a conversation, e.g. "7d"')
    refusal_silence: values.DurationOrNone = described("", "no call for so long after one that was turned down")
    spacing: values.DurationOrNone = described("", "least time between any two calls")

    def limits(self, standing: PersonLimits) -> PersonLimits:
        """The preset, or ``standing``, with what is said key by key."""
        said = self.model_dump(exclude_unset=True, exclude_none=True, exclude={"preset"})
        own = {name if isinstance(value, int) else f"{name}_s": value for name, value in said.items()}
        return replace(PRESETS[self.preset] if self.preset else standing, **own)


class Source(Table):
    """A database to read the list from, instead of a file."""

    url: str = described("", "any SQLAlchemy URL; ${SOURCE_...} is filled in from the environment")
    query: str = described("", "the query whose rows are the list")
    refresh: values.Cron = described("", "a cron expression: when it is read again")
    timeout: values.DurationOrNone = described("10m", "how long the query may take for its next row; at least 1s")
    max_rows: values.Rows = described(5_000_000, "how many rows it may give")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.timeout is not None and self.timeout < 1:
            raise ValueError("timeout must be at least 1s")
        if bool(self.url) != bool(self.query):
            raise ValueError("needs both url and query")
        if self.refresh and not self.url:
            raise ValueError("refresh needs url and query")
        check_source_url(self.url)
        return self

    def source(self) -> campaign.Source:
        """As the domain knows it."""
        return campaign.Source(
            self.url, self.query, self.refresh, self.timeout or campaign.Source().timeout_s, self.max_rows
        )


class Schedule(Table):
    """From when until when to dial."""

    start: values.MomentOrNone = described("", 'a time with its zone, e.g. "2027-03-01T09:00:00+05:30"')
    end: values.MomentOrNone = described("", "who still waits then is `expired`")
    repeat: values.Cron = described("", "a cron expression: everybody is called again, in a round of its own")
    timezone: values.Zone = described("", "the zone of the cron expressions")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class Reminder(Table):
    """Calls at times before an appointment."""

    event: str = described("", "the column with the appointment's time")
    before: list[values.Duration] = described([], 'how long before it to call, e.g. ["24h", "2h"]')
    timezone: values.Zone = described("", "of appointments without a zone, in lists without a timezone column")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.event) != bool(self.before):
            raise ValueError('needs both event (a column) and before, e.g. ["24h", "2h"]')
        return self


class Budget(Table):
    """What a campaign may cost."""

    max_cost: values.Cost = described(0.0, "in the provider's units")


class CampaignFile(Table):
    """A whole file. Only ``name`` and ``agent`` are required."""

    name: values.Name = described("", "the campaign's name; required")
    provider: values.Provider = described(
        "vaanivoice", "vaanivoice, vaani, simulator (which calls nobody), or an installed one"
    )
    agent: str = described("", "the agent's id (vaanivoice) or its phone number (vaani); required")
    caller_ids: list[values.Word] = described([], "vaanivoice: numbers to rotate over")
    contacts: Contacts = Contacts()
    window: Window = Window()
    pace: Pace = Pace()
    redial: Redial = Redial()
    suppression: Suppression = Suppression()
    limits: Limits = Limits()
    source: Source = Source()
    schedule: Schedule = Schedule()
    reminder: Reminder = Reminder()
    budget: Budget = Budget()

    def spec(self, standing: PersonLimits) -> CampaignSpec:
        """The campaign, with ``standing`` limits of a person where no preset is named.

        Raises CampaignFileError for a window that does not read, and for a name or an agent that is missing.
        """
        if not self.name:
            raise CampaignFileError("a campaign needs a name (name = ..., or --name)")
        if not self.agent:
            what = "the agent's phone number" if self.provider == "vaani" else "an agent id"
            raise CampaignFileError(f"a campaign needs an agent: {what} (agent = ..., or --agent)")
        schedule, reminder = self.schedule, self.reminder
        return CampaignSpec(
            self.name,
            self.agent,
            self.provider or "vaanivoice",
            tuple(self.caller_ids),
            self.contacts.columns(),
            self.contacts.country,
            window=self.window.window(),
            pace=campaign.Pace(**self.pace.model_dump()),
            redial=self.redial.policy(),
            limits=self.limits.limits(standing),
            source=self.source.source(),
            schedule=campaign.Schedule(**schedule.model_dump()),
            reminder=campaign.Reminder(
                reminder.event, tuple(sorted(set(reminder.before), reverse=True)), reminder.timezone
            ),
            opt_out=OptOut(tuple(self.suppression.entities), tuple(self.suppression.dispositions)),
            max_cost=self.budget.max_cost,
        )
