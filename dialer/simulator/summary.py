"""What the simulator saw, in a few lines: as one JSON document or as a plain table."""

from collections import Counter
from typing import Any

from dialer.simulator.books import Books


def summarise(books: Books) -> dict[str, Any]:
    """Counts only, no number unmasked.

    ``requests`` by status ("none": no answer was given), ``faults`` by name, ``calls`` by dialect, ``outcomes``,
    ``webhooks`` sent by event,
    ``most_requests_in_a_second`` (place-call requests received), ``most_calls_in_a_second`` (calls placed), both
    in any rolling second, ``most_live_calls``, ``called_more_than_once`` by masked number, ``cost`` in credits.
    """
    statuses = Counter(str(request.status or "none") for request in books.requests)
    faults = Counter(request.fault for request in books.requests if request.fault)
    return {
        "requests": dict(sorted(statuses.items())),
        "faults": dict(sorted(faults.items())),
        "calls": dict(sorted(Counter(call.order.dialect for call in books.calls).items())),
        "webhooks": dict(sorted(Counter(delivery.event for delivery in books.webhooks if delivery.number_of).items())),
        "outcomes": dict(sorted(Counter(call.life.outcome for call in books.calls).items())),
        "most_requests_in_a_second": books.place_requests.most,
        "most_calls_in_a_second": books.placed.most,
        "most_live_calls": books.most_live,
        "people_called": len(books.calls_to),
        "people_called_more_than_once": len(books.called_more_than_once()),
        "called_more_than_once": [
            {"number": masked(number), "calls": count} for number, count in books.called_more_than_once().items()
        ],
        "cost": round(books.spent, 4),
    }


def masked(number: str) -> str:
    """All but the last two digits hidden."""
    return "*" * max(0, len(number) - 2) + number[-2:]


def as_table(seen: dict[str, Any]) -> str:
    """The summary for people; lists at most ten numbers that were called more than once."""
    lines = ["simulator saw"]
    for name in ("requests", "faults", "calls", "outcomes", *(["webhooks"] if seen["webhooks"] else [])):
        lines += _group(name, seen[name])
    for name in (
        "most_requests_in_a_second",
        "most_calls_in_a_second",
        "most_live_calls",
        "people_called",
        "people_called_more_than_once",
        "cost",
    ):
        lines.append(f"  {name.replace('_', ' '):30} {seen[name]:>8}")
    lines += [f"    {repeat['number']:28} {repeat['calls']:>8}" for repeat in seen["called_more_than_once"][:10]]
    return "\n".join(lines)


def _group(name: str, counts: dict[str, int]) -> list[str]:
    return [f"  {name:12} {key:17} {count:>8}" for key, count in counts.items()] or [f"  {name:12} {'none':17}"]
