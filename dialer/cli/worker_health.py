"""worker --check: without the house, which takes a second of CPU to import."""

import sys

from config import SettingsError, load_settings
from dialer.errors import UsageError
from jobs.health import ailment, uptime_s


def check_worker() -> int:
    """Whether the worker on this host said lately that it is well; answers the exit code. Raises UsageError."""
    try:
        home = load_settings().home
    except SettingsError as wrong:
        raise UsageError(str(wrong)) from None
    ailing = ailment(home, uptime_s())
    print(f"worker: {ailing or 'well'}", file=sys.stderr)
    return 1 if ailing else 0
