"""What the command line may say over a campaign file, or over a campaign that exists."""

from dataclasses import replace
from typing import Any, TypeVar

from pydantic import ConfigDict

from dialer.adapters.campaign_file.messages import naming
from dialer.adapters.campaign_file.tables import Table
from dialer.adapters.campaign_file.values import Attempts, Count, Country, Name, Provider, Rate, Word, Zone
from dialer.domain.calling_window import parse_window
from dialer.domain.campaign import CampaignSpec, ContactColumns, Pace
from dialer.domain.redial import RedialPolicy
from dialer.errors import CampaignFileError

Record = TypeVar("Record", CampaignSpec, ContactColumns, Pace, RedialPolicy)


def _option(field: str) -> str:
    return "--" + field.replace("_ids", "_id").replace("_", "-")


class Overrides(Table):
    """The options of ``run``, ``check`` and ``enqueue``; None and an empty text leave what the file says."""

    model_config = Table.model_config | ConfigDict(alias_generator=_option, validate_by_name=True)

    name: Name | None = None
    provider: Provider | None = None
    agent: str | None = None
    caller_ids: tuple[Word, ...] | None = None
    rate: Rate | None = None
    concurrency: Count | None = None
    max_attempts: Attempts | None = None
    region: Country | None = None
    timezone: Zone | None = None
    window: str | None = None
    phone_column: str | None = None
    name_column: str | None = None
    sheet: str | None = None


def read_options(**options: Any) -> Overrides:
    """The options by the names of the fields. Raises CampaignFileError that names the option."""
    with naming("options", Overrides):
        return Overrides(**options)


def override(spec: CampaignSpec, options: Overrides) -> CampaignSpec:
    """An existing campaign's spec with what the command line sets. Raises CampaignFileError."""
    with naming("options", Overrides):
        return apply(options, spec, "contact")


def apply(options: Overrides, spec: CampaignSpec, window_zone: str) -> CampaignSpec:
    """The spec with the options over it; an option's window is read in ``window_zone``.

    Raises CampaignFileError for a window that does not read, a cron expression without a zone, and for more reminders
    than attempts.
    """
    window = spec.window
    if options.window:
        window = parse_window(options.window, window_zone)
        if window.always:  # and it is meant: the country rules are off, and say so
            window = replace(window, rules="off", rules_reason="the window is `always` on the command line")
    spec = _over(
        spec,
        agent=options.agent,
        caller_ids=options.caller_ids,
        region=options.region,
        timezone=options.timezone,
        window=window,
        pace=_over(spec.pace, calls_per_second=options.rate, concurrent_calls=options.concurrency),
        redial=_over(spec.redial, max_attempts=options.max_attempts),
        columns=_over(spec.columns, phone=options.phone_column, name=options.name_column, sheet=options.sheet),
    )
    _check_calendar(spec)
    return spec


def _over(record: Record, **said: Any) -> Record:
    return replace(record, **{name: value for name, value in said.items() if value not in (None, "", ())})


def _check_calendar(spec: CampaignSpec) -> None:
    for key, expression in (("[source] refresh", spec.source.refresh), ("[schedule] repeat", spec.schedule.repeat)):
        if expression and not spec.cron_zone:
            raise CampaignFileError(f'{key} needs a zone: [schedule] timezone = "Asia/Kolkata"')
    most, moments = spec.redial.max_attempts, len(spec.reminder.before_s)
    if most < moments:
        short = f"max_attempts = {most} leaves no attempt for each of the {moments} moments of [reminder] before"
        raise CampaignFileError(f"[redial] {short}: raise it to {moments} or more")
