"""Moments and durations, in the forms that logs write them.

A moment that stands for nothing is missing: Go's zero time, 1970, "None". A time without a zone is reckoned as UTC; by
how much a log's clock differs from that is learned from our own calls, not guessed here.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from dialer.adapters.providers.answers.values import number, text

EARLIEST_S, LATEST_S = 946_684_800.0, 4_102_444_800.0
"""2000 and 2100: no call was made before, and what is later counts something else."""
_EPOCHS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""Below this an epoch counts seconds, milliseconds, microseconds, nanoseconds."""
_NUMERIC = re.compile(
    r"(?P<a>\d{1,4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{2,4})"
    r"[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>[.,]\d+)?)?"
    r"\s*(?P<half>[ap]\.?m\.?)?\s*(?P<zone>z|utc|gmt|[+-]\d\d:?\d\d)?(?:\s*[a-z]{2,5})?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(20\d\d)(\d\d)(\d\d)[T ]?(\d\d)(\d\d)(\d\d)")
_MONTH = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE)
_NAMED = re.compile(r"([A-Za-z]{3,9}) (\d{1,2}),? (\d{4}),? (.*)")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
_UNITS = re.compile(
    r"(?:pt)?(?:(\d+)\s*h(?:ours?|rs?)?)?\s*(?:(\d+)\s*m(?:in(?:ute)?s?)?)?\s*"
    r"(?:(\d+(?:\.\d+)?)\s*s(?:ec(?:ond)?s?)?)?",
    re.IGNORECASE,
)


def when(value: object) -> float | None:
    """Unix seconds of a moment: an epoch, ISO 8601, RFC 2822, or day first (month first where the day must be)."""
    moment = _read(value)
    return moment if moment is not None and EARLIEST_S < moment < LATEST_S else None


def is_moment(value: object) -> bool:
    """Whether a field that holds a moment or nothing holds one, be it in a form that nobody can read."""
    if value is True or when(value) is not None:
        return True
    return _read(value) is None and re.search(r"[1-9]", text(value)) is not None


def _read(value: object) -> float | None:
    said = text(value)
    plain = number(value)
    if plain is not None:
        return _compact(said) or _epoch(plain)
    for read in (_iso, _numeric, _named, _compact):
        moment = read(said)
        if moment is not None:
            return moment
    return None


def seconds(value: object) -> float | None:
    """A duration in seconds: a number, "00:00:41", "41s", "1m 5s", "PT41S". Negative ones and nonsense are missing."""
    plain = number(value)
    if plain is not None:
        return plain if plain >= 0 else None
    said = text(value)
    parts = _CLOCK.fullmatch(said) or (_UNITS.fullmatch(said) if re.search(r"\d", said) else None)
    if parts is None:
        return None
    hours, minutes, rest = (float(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + rest


def _epoch(plain: float) -> float | None:
    return next((plain / unit for below, unit in _EPOCHS if plain < below), None)


def _stamp(moment: datetime) -> float | None:
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError):
        return None


def _compact(said: str) -> float | None:
    match = _COMPACT.fullmatch(said)
    return _stamp_of(*map(int, match.groups())) if match else None


def _stamp_of(*parts: int) -> float | None:
    try:
        return _stamp(datetime(*parts))  # type: ignore[arg-type]  # noqa: DTZ001 - reckoned as UTC
    except (ValueError, OverflowError):
        return None


def _iso(said: str) -> float | None:
    try:
        return _stamp(datetime.fromisoformat(said))
    except ValueError:
        return None


def _numeric(said: str) -> float | None:
    match = _NUMERIC.fullmatch(said)
    if match is None:
        return None
    a, b, c = int(match["a"]), int(match["b"]), int(match["c"])
    year, month, day = (a, b, c) if len(match["a"]) == 4 else (c, b, a)
    if month > 12 >= day:
        month, day = day, month
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"][0] in "pP" else 0)
    micros = int(float("0" + match["fraction"].replace(",", ".")) * 1e6) if match["fraction"] else 0
    year += 2000 if year < 100 else 0
    at = _stamp_of(year, month, day, hour, int(match["minute"]), int(match["second"] or 0), micros)
    return None if at is None else at - _offset_s(match["zone"] or "")


def _offset_s(zone: str) -> float:
    if not zone or zone[0] not in "+-":
        return 0.0
    digits = zone[1:].replace(":", "")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    offset = timezone(ahead if zone[0] == "+" else -ahead).utcoffset(None)
    return offset.total_seconds()


def _named(said: str) -> float | None:
    """With the name of a month: RFC 2822 and what resembles it."""
    if not _MONTH.search(said):
        return None
    american = _NAMED.fullmatch(said)
    said = f"{american[2]} {american[1][:3]} {american[3]} {american[4]}" if american else said.replace(",", " ")
    half = re.search(r"\s*\b([ap])\.?m\b\.?", said, re.IGNORECASE)
    if half:
        said = said[: half.start()] + said[half.end() :]
    try:
        moment = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if half:
        moment = moment.replace(hour=moment.hour % 12 + (12 if half[1] in "pP" else 0))
    return _stamp(moment)
