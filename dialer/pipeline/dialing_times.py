"""How long the steps of one call may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DialingTimes:
    """How long the steps of one call may take, in seconds."""

    patience_s: float = 30.0
    """Waiting for a slot and a line before the attempt is handed back."""
    send_within_s: float = 0.7
    """From the committed intent to the first byte; also the bound of every pause."""
    answer_within_s: float = 60.0
    """From the intent to the recorded answer; then the sweeper calls it unknown."""
    lease_s: float = 2.2
    """A queued attempt whose worker is gone is taken back after this."""
    retry_s: float = 5.0
    """First delay of an attempt that was not placed; doubles with each hand-over, at most a minute."""
    redial_scale: float = 1.0
    """Multiplies every redial delay."""
    record_for_s: float = 30.0
    """How long to try to record an answer while the ledger cannot be written."""
