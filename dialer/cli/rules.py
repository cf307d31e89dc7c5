"""The calling rules as a table: ``python -m dialer.cli.rules [--months 6] [--on 2027-06-01]``."""

import argparse
import sys
from datetime import UTC, date, datetime

from dialer.adapters.local.system_clock import SystemClock
from dialer.domain.country_rules import rulebook, stale
from dialer.domain.hours import DAYS, hours_text


def main() -> int:
    """1 when a rule was not checked for that many months."""
    parser = argparse.ArgumentParser(prog="python -m dialer.cli.rules", description=__doc__)
    parser.add_argument("--months", type=int, default=6, help="how old a check may be")
    parser.add_argument("--on", type=date.fromisoformat, help="the day to count from; default: today")
    asked = parser.parse_args()
    for rule in rulebook().by_id.values():
        hours = dict.fromkeys(hours_text(spans) for spans in rule.week if spans)
        closed = [DAYS[day] for day, spans in enumerate(rule.week) if not spans]
        without = f", not {' '.join(closed)}" if closed else ""
        print(f"{rule.label:12} {rule.checked_on} {rule.basis:12} {' / '.join(hours)}{without}")
    on = asked.on or datetime.fromtimestamp(SystemClock().now(), UTC).date()
    old = stale(rulebook(), on, asked.months)
    if old:
        print(f"not checked for {asked.months} months: {' '.join(rule.label for rule in old)}", file=sys.stderr)
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
