"""What the rules of a campaign mean for its list, in sentences."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dialer.domain.campaign import CampaignSpec
from dialer.domain.hours import DAYS, hours_text

UNITS = ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


def what_it_means(spec: CampaignSpec, seen: Mapping[str, Any]) -> dict[str, str]:
    """A sentence for each table of the campaign file of which there is something to say.

    ``seen`` is what was seen in the list (``Prepared.seen``).
    """
    people = seen["counts"].get("queued", 0)
    said = {
        "window": _window(spec, seen, people),
        "pace": _pace(spec, people),
        "redial": _redial(spec, people),
        "limits": _limits(spec),
        "source": f"It is read again when it is {spec.source.refresh}." if spec.source.refresh else "",
        "schedule": _schedule(spec),
        "reminder": _reminder(spec, seen),
        "budget": f"Calls stop at {spec.max_cost:g}." if spec.max_cost else "Nothing stops it for its cost.",
    }
    return {table: sentence for table, sentence in said.items() if sentence}


def hours_in_words(spec: CampaignSpec) -> str:
    """When people are called, in a few words."""
    window = spec.window
    if window.always:
        words = "at any hour"
    else:
        days = ", ".join(DAYS[day] for day in sorted(window.days))
        zone = "each person's own time" if window.zone == "contact" else window.zone
        words = f"{days} {hours_text(window.hours)}, {zone}"
    return f"{words}; the calling rules of each place {'hold too' if window.rules != 'off' else 'are off'}"


def span_in_words(seconds: float) -> str:
    """About how long: "2.5 h"."""
    for unit_s, unit in UNITS:
        if seconds >= (2 if unit == "days" else 1) * unit_s:
            return f"{seconds / unit_s:.3g} {unit}"
    return "a moment"


def _window(spec: CampaignSpec, seen: Mapping[str, Any], people: int) -> str:
    now = seen["now"]
    later = people + seen["counts"].get("deferred", 0) - now
    return f"Calls go out {hours_in_words(spec)}. {now:,} people may be called now, {max(0, later):,} wait."


def _pace(spec: CampaignSpec, people: int) -> str:
    rate, lines = spec.pace.calls_per_second, spec.pace.concurrent_calls
    at_once = f"{lines:,} calls at the same time" if lines else "any number of calls at the same time"
    if not rate:
        return f"As fast as the account allows, with {at_once}."
    least = span_in_words(people / rate)
    return f"{rate:g} calls a second, {at_once}: to call all {people:,} once takes {least} at least."


def _redial(spec: CampaignSpec, people: int) -> str:
    most = spec.redial.max_attempts
    times = "once" if most == 1 else f"up to {most:,} times"
    return f"Each person is called {times}: {people * most:,} calls at most."


def _limits(spec: CampaignSpec) -> str:
    limits = spec.limits
    named = ((limits.per_day, "24 h"), (limits.per_7_days, "7 days"), (limits.per_30_days, "30 days"))
    said = [f"{most:,} in {span}" for most, span in named if most]
    said += [f"{limits.lifetime:,} ever"] if limits.lifetime else []
    if not said:
        return "No limit on how often a person is called, except that of the calling rules."
    return f"Calls to one person over all campaigns: {', '.join(said)} at most."


def _schedule(spec: CampaignSpec) -> str:
    begins = _moment(spec.schedule.start) or "when it is started"
    ends = _moment(spec.schedule.end)
    until = f"whoever still waits {ends} is not called any more" if ends else "it goes on until everybody is done"
    rounds = f"; everybody is called again when it is {spec.schedule.repeat}" if spec.schedule.repeat else ""
    return f"It begins {begins}; {until}{rounds}."


def _moment(at: float | None) -> str:
    return "" if at is None else f"on {datetime.fromtimestamp(at, UTC):%Y-%m-%d at %H:%M} UTC"


def _reminder(spec: CampaignSpec, seen: Mapping[str, Any]) -> str:
    if not spec.reminder.event:
        return "Nobody is reminded of an appointment."
    before = ", ".join(span_in_words(seconds) for seconds in spec.reminder.before_s)
    late = seen["counts"].get("deferred", 0)
    return f"Each person is called {before} before their appointment; for {late:,} it is too late."
