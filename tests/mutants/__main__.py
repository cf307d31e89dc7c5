"""``make mutants``: apply each mutant to a copy of the tree and see which suite catches it.

Exit codes: 0 all were caught and the control was not, 1 otherwise.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dialer.adapters.system_clock import SystemClock
from tests.mutants.mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".dialer", "*cache*", "__pycache__", ".hypothesis", "*.egg-info")
WITHIN_S = 400
CAUGHT = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)


def main() -> int:
    """Run them all, or those asked for by number."""
    asked = argparse.ArgumentParser(prog="python -m tests.mutants")
    asked.add_argument("numbers", type=int, nargs="*", help="which; all by default")
    numbers = set(asked.parse_args().numbers)
    clock, wrong = SystemClock(), 0
    with tempfile.TemporaryDirectory(prefix="dm-") as temporary:
        tree = Path(temporary) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        print("| | Mutant | Caught by | s |\n|--:|---|---|--:|", flush=True)
        for mutant in MUTANTS:
            if numbers and mutant.number not in numbers:
                continue
            began = clock.monotonic()
            caught = _caught_by(mutant, tree)
            wrong += bool(caught) is mutant.control
            told = caught or ("nothing, as it should be" if mutant.control else "**nothing**")
            print(f"| {mutant.number} | {mutant.name} | {told} | {clock.monotonic() - began:.0f} |", flush=True)
    return 1 if wrong else 0


def _caught_by(mutant: Mutant, tree: Path) -> str:
    """The first test that fails with the mutant in place, or nothing. Raises AssertionError if it fits no more."""
    before = {edit.file: (tree / edit.file).read_text() for edit in mutant.edits}
    try:
        for edit in mutant.edits:
            text = (tree / edit.file).read_text()
            assert text.count(edit.before) == 1, f"mutant {mutant.number} does not fit {edit.file} any more"
            (tree / edit.file).write_text(text.replace(edit.before, edit.after))
        return _first_failure(mutant.suites, tree)
    finally:
        for file, text in before.items():
            (tree / file).write_text(text)


def _first_failure(suites: Sequence[str], tree: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    for suite in suites:
        command = [sys.executable, "-m", "pytest", "-x", "-n", "0", "-p", "no:cacheprovider", "--tb=no", suite]
        try:
            ran = subprocess.run(
                command, cwd=tree, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False
            )
        except subprocess.TimeoutExpired:
            return f"`{suite}` (never ends)"
        if ran.returncode:
            found = CAUGHT.search(ran.stdout)
            return f"`{found[1]}`" if found else f"`{suite}` (exit {ran.returncode})"
    return ""


if __name__ == "__main__":
    sys.exit(main())
