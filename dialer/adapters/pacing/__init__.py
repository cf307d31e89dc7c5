"""The Pacer port over Redis: exact slots and lines, shared by every worker process."""

from dialer.adapters.pacing.pacer import RedisPacer

__all__ = ["RedisPacer"]
