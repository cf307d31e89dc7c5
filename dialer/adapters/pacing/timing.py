"""The pacer's own constants, in one place."""

from dataclasses import dataclass

from dialer.domain.pacing import GUARD_US


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, all of them."""

    lead_s: float = 0.015
    """How long before its slot a grant is handed out: what the ledger's gate needs."""
    guard_s: float = GUARD_US / 1e6
    """How late a call may be without a rolling second ever holding one too many."""
    line_life_s: float = 3900.0
    """After this a line nobody freed runs out."""
    horizon_s: float = 0.5
    """How far ahead slots are given, and so the longest a lost message can matter."""
    hold_s: float = 0.06
    """How far ahead one process holds slots: enough to ride out a stall, little to lose when it dies."""
    linger_s: float = 0.005
    """Above 100 calls a second, requests are gathered for so long."""
    poll_s: float = 0.25
    """An active account that heard nothing from Redis for so long asks."""
    poll_paced_s: float = 0.75
    """The same while a rate is in force; with the time to answer it must stay below ``deaf_s``."""
    deaf_s: float = 1.0
    """A grant is worth nothing when Redis was last heard longer ago."""
    young_s: float = 5.0
    """A line this young stays though the ledger does not show its intent yet."""
    timeout_s: float = 1.0
    """How long Redis may take to answer."""

    @property
    def guard_us(self) -> int:
        """The guard in microseconds."""
        return round(self.guard_s * 1e6)
