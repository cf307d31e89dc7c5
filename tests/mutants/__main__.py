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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dialer.adapters.local.system_clock import SystemClock
from tests.mutants.mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".dialer", "*cache*", "__pycache__", ".hypothesis", "*.egg-info")
WITHIN_S = 400
LOOK_AT = 4
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
    """A test that fails with the mutant in place and passes without it, or nothing."""
    for suite in mutant.suites:
        with _applied(mutant, tree):
            failed = _failures(tree, suite, within=mutant.within)
        if not failed:
            continue
        # A test that fails anyway, on a machine that is too busy for it, has caught nothing.
        anyway = _failures(tree, *failed)
        found = [test for test in failed if test not in anyway]
        with _applied(mutant, tree):
            if found and (again := _failures(tree, *found)):
                return f"`{again[0]}`"
    return ""


@contextmanager
def _applied(mutant: Mutant, tree: Path) -> Iterator[None]:
    """Raises AssertionError for a mutant that fits the code no more."""
    before = {edit.file: (tree / edit.file).read_text() for edit in mutant.edits}
    try:
        for edit in mutant.edits:
            text = (tree / edit.file).read_text()
            assert text.count(edit.before) == 1, f"mutant {mutant.number} does not fit {edit.file} any more"
            (tree / edit.file).write_text(text.replace(edit.before, edit.after))
        yield
    finally:
        for file, text in before.items():
            (tree / file).write_text(text)


def _failures(tree: Path, *tests: str, within: str = "") -> list[str]:
    """The first tests that fail, or the suite itself if it does not even begin."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", f"--maxfail={LOOK_AT}", "-n", "0", "-p", "no:cacheprovider", "--tb=no"]
    command += ["-k", within] if within else []
    ran = subprocess.run(
        [*command, *tests], cwd=tree, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    found = CAUGHT.findall(ran.stdout)
    return found or (list(tests) if ran.returncode else [])


if __name__ == "__main__":
    sys.exit(main())
