"""Moments as the documents write them."""

from datetime import UTC, datetime


def iso(at: float | None) -> str | None:
    """Unix seconds as ISO 8601 in UTC, or None."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
