"""Who does something to a campaign or to the do-not-call list, and why."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class By:
    """Who acts: an operator as ``user@host``, or the program itself; and the reason, where one is given."""

    who: str
    why: str = ""


PROGRAM = By("dialer")
"""The program by itself: halts, rounds that are due, opt-outs in calls."""


MOVES = ("start", "pause", "resume", "cancel", "halt", "reopen", "schedule")
"""Acts that move a campaign."""


@dataclass(frozen=True, slots=True)
class Act:
    """One row of the audit. ``at`` is unix seconds; ``before`` and ``after`` are words, or JSON objects.

    ``campaign`` is its handle, "" for acts over all; ``subject`` is what was acted on, where that is not the campaign:
    a number appears as its hash. ``chain`` is the hash of this row and of the chain before it.
    """

    act_id: int
    at: float
    who: str
    act: str
    campaign: str = ""
    subject: str = ""
    before: str = ""
    after: str = ""
    why: str = ""
    chain: str = ""


def chained(act: Act, before: str) -> str:
    """The hash of an act and of the ``before`` hash of the act that precedes it ("" for the first)."""
    fields = [before, repr(act.at), act.who, act.act, act.campaign, act.subject, act.before, act.after, act.why]
    return sha256(json.dumps(fields, ensure_ascii=True).encode()).hexdigest()


def differences(before: str, after: str) -> Iterator[tuple[str, object, object]]:
    """Of two JSON objects: each key that differs, dotted ("pace.weight"), with both its values."""
    old, new = (dict(_flat("", json.loads(text))) for text in (before or "{}", after or "{}"))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield key, old.get(key), new.get(key)


def _flat(place: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{place}.{key}" if place else str(key), inner)
    else:
        yield place, value
