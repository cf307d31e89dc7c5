"""Is everything there that dialing needs, and how is what is not to be mended: for the command and the page."""

from dialer.doctor.checks import Finding, every_check

__all__ = ["Finding", "every_check"]
