"""What a value of a campaign may be, wherever it stands: in the file, or in an option of the command line."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dialer.domain.campaign_name import plain_name
from dialer.domain.phone_number import is_region
from dialer.domain.time_zones import zone_flaw
from dialer.errors import CampaignFileError


class Bounds(NamedTuple):
    """From ``least`` to ``most``; 0 besides where ``none`` says what it means."""

    least: float
    most: float
    none: str = ""


COUNT = Bounds(1, 1_000_000, "no limit")
ATTEMPTS = Bounds(1, 1_000)
BOUNDS: Mapping[tuple[str, str], Bounds] = {
    ("pace", "calls_per_second"): Bounds(0.00001, 100_000, "no limit"),
    ("pace", "concurrent_calls"): COUNT,
    ("pace", "weight"): Bounds(1, 1_000_000),
    ("budget", "max_cost"): Bounds(1e-6, 1e12, "no limit"),
    ("redial", "max_attempts"): ATTEMPTS,
}
"""(Table, key) -> what its number may be; ``max_...`` of [redial] and the numbers of [limits] follow their tables."""
OF_TABLE = {"redial": Bounds(1, 1_000, "as max_attempts"), "limits": COUNT}


def check_value(place: str, table: str, key: str, value: object) -> None:
    """Raises CampaignFileError for a number out of its bounds, and for a list that holds something else than texts."""
    shown = f"[{table}] {key}" if table else key
    if isinstance(value, list):
        if not all(isinstance(item, str) or key == "blackout" for item in value):
            raise CampaignFileError(f'{place}: {shown} must list words in quotes, e.g. ["a", "b"]')
    elif isinstance(value, int | float) and not isinstance(value, bool):
        bounds = BOUNDS.get((table, key)) or OF_TABLE.get(table)
        if bounds is not None:
            check_number(place, shown, value, bounds)


def check_number(place: str, shown: str, value: float, bounds: Bounds) -> None:
    """Raises CampaignFileError unless the number is finite and within its bounds."""
    if math.isfinite(value) and (bounds.least <= value <= bounds.most or (bounds.none and value == 0)):
        return
    none = f", or 0 ({bounds.none})" if bounds.none else ""
    raise CampaignFileError(
        f"{place}: {shown} = {_number(value)} must be a number from {_number(bounds.least)} to "
        f"{_number(bounds.most)}{none}"
    )


def _number(value: float) -> str:
    text = f"{value:,}" if isinstance(value, int) or (value.is_integer() and value < 1e15) else f"{value:g}"
    return text.removesuffix(".0") if len(text) <= 40 else f"{text[:20]}..."


def check_name(place: str, name: str) -> str:
    """The name as it is stored. Raises CampaignFileError for one that cannot be shown."""
    try:
        return plain_name(name)
    except ValueError as wrong:
        raise CampaignFileError(f"{place}: the campaign's name {wrong}: choose another, with --name") from None


OPTION_NUMBERS = {
    "rate": ("--rate", BOUNDS["pace", "calls_per_second"]),
    "concurrency": ("--concurrency", BOUNDS["pace", "concurrent_calls"]),
    "max_attempts": ("--max-attempts", ATTEMPTS),
}
"""Fields of ``Overrides`` -> the option's name and what its number may be."""


def check_options(options: Mapping[str, Any]) -> None:
    """What the command line says over the file, by the fields of ``Overrides``. Raises CampaignFileError."""
    for name, (shown, bounds) in OPTION_NUMBERS.items():
        if options.get(name) is not None:
            check_number("options", shown, options[name], bounds)
    region, zone = options.get("region"), options.get("timezone")
    if region and not is_region(region.upper()):
        raise CampaignFileError(f'options: --region "{region}" is no country: write its ISO 3166 code, e.g. IN')
    if zone and (flaw := zone_flaw(zone)):
        raise CampaignFileError(f'options: --timezone "{zone}" {flaw}')
    check_texts("--caller-id", options.get("caller_ids") or ())


def check_texts(shown: str, texts: Sequence[str]) -> None:
    """Raises CampaignFileError for an empty text."""
    if not all(text.strip() for text in texts):
        raise CampaignFileError(f"options: {shown} must not be empty")
