"""The pace and the lines of ``dialer run`` as whole processes, computed from the provider's books.

python benchmarks/run_pace.py [--calls 300] [--rate 25] [--lines 12] [--json]

First ``--calls`` at ``--rate``: the part of the pace that was used, the most calls in any second, and the pace that the
report measured. Then as many over ``--lines``: the most at once, and for how long a line stood idle after a call's end.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.acceptance.dialer_process import QUICK, Books, Home, dialing, provider_process, settings_for, write_list


@dataclass(frozen=True, slots=True)
class Paced:
    """A run with a rate."""

    calls: int
    pace_used: float
    most_in_a_second: int
    measured_by_report: float


@dataclass(frozen=True, slots=True)
class Lined:
    """A run with lines; seconds."""

    calls: int
    most_at_once: int
    idle_median_s: float
    idle_most_s: float


def dialed(calls: int, options: list[str], *provider_options: str) -> tuple[Books, float]:
    """One ``dialer run``: the provider's books, and the calls a second that its report measured."""
    with provider_process([*QUICK, *provider_options]) as provider, tempfile.TemporaryDirectory() as place:
        home = Home(Path(place), settings_for(provider), afresh=True)
        contacts = write_list(home.path / "list.csv", calls)
        report = home.command("run", str(contacts), *options, "--json", within_s=600).json()
        return provider.books(), report["calls_per_second"]["measured"]


def paced(calls: int, rate: float) -> Paced:
    """At a rate."""
    books, measured = dialed(calls, dialing(rate=rate))
    at = books.placing
    return Paced(len(at), (len(at) - 1) / (at[-1] - at[0]) / rate, books.most_in_a_second(), measured)


def lined(calls: int, lines: int) -> Lined:
    """Over so many lines: how long until another call took the line of one that ended, while people waited."""
    books, _ = dialed(calls, dialing(lines=lines), "--log-delay-s=0.5", "--talk-s=0.5,2")
    begun = sorted(call["accepted_at"] for call in books.calls)
    ends = sorted(call["ended_at"] for call in books.calls)
    idle = sorted(start - end for start, end in zip(begun[lines:], ends, strict=False))
    return Lined(len(books.calls), books.most_live(), idle[len(idle) // 2], idle[-1])


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=300)
    options.add_argument("--rate", type=float, default=25)
    options.add_argument("--lines", type=int, default=12)
    options.add_argument("--json", action="store_true", help="print one JSON document")
    given = options.parse_args()
    runs: list[Paced | Lined] = [paced(given.calls, given.rate), lined(given.calls, given.lines)]
    if given.json:
        print(json.dumps([asdict(one) for one in runs]))
        return
    for one in runs:
        print("  ".join(f"{name} {value:.3g}" for name, value in asdict(one).items()))


if __name__ == "__main__":
    main()
