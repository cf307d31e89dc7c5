"""Why a campaign cannot be obeyed: what older versions took, or another program wrote into the ledger."""

import math
from collections.abc import Iterator

from dialer.domain.campaign import CampaignSpec
from dialer.domain.country_rules import rulebook
from dialer.domain.cron import next_moment
from dialer.domain.time_zones import zone_names

FASTEST = 1e6
"""Calls per second that no provider takes; with more the arithmetic of the pacer ends."""


def flaw_of(spec: CampaignSpec) -> str:
    """The first thing in a spec that cannot be obeyed; "" when all can."""
    return next(_flaws(spec), "")


def _flaws(spec: CampaignSpec) -> Iterator[str]:
    pace = spec.pace
    if not 0 <= pace.calls_per_second <= FASTEST:
        yield f"calls_per_second is {pace.calls_per_second}"
    if not 0 <= pace.concurrent_calls <= FASTEST or not 1 <= pace.weight <= FASTEST:
        yield "concurrent_calls or weight is out of range"
    for name, seconds in _durations(spec):
        if not (math.isfinite(seconds) and seconds >= 0):
            yield f"{name} is {seconds}"
    if not math.isfinite(spec.max_cost) or spec.max_cost < 0:
        yield f"max_cost is {spec.max_cost}"
    for zone in (spec.timezone, spec.schedule.timezone, spec.reminder.timezone, spec.window.zone):
        if zone not in ("", "contact") and zone not in zone_names():
            yield f'there is no time zone "{zone}"'
    for rule in spec.window.also_rules:
        if rule not in rulebook().by_id:
            yield f'there is no calling rule "{rule}"'
    yield from _crons(spec)


def _durations(spec: CampaignSpec) -> Iterator[tuple[str, float]]:
    yield "lead", spec.window.lead_s
    yield from (("before", seconds) for seconds in spec.reminder.before_s)
    yield from ((str(word), seconds) for word, seconds in spec.redial.delays_s.items())
    limits = spec.limits
    yield from (("silence", seconds) for seconds in (limits.silence_s, limits.refusal_silence_s, limits.spacing_s))
    yield from (("schedule", at) for at in (spec.schedule.start, spec.schedule.end) if at is not None)


def _crons(spec: CampaignSpec) -> Iterator[str]:
    for expression in (spec.source.refresh, spec.schedule.repeat):
        try:
            if expression:
                next_moment(expression, spec.cron_zone or "UTC", 0.0)
        except (ValueError, KeyError) as wrong:
            yield f'"{expression}" is no cron expression: {wrong}'
