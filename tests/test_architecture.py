"""What the layout promises, read from the source itself."""

import ast
import inspect
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from arq.worker import Worker

from dialer.adapters.queue.arq_queue import PLACE_CALL
from jobs import worker

ROOT = Path(__file__).parents[1]
PACKAGES = ("dialer", "jobs", "config")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in FILES]
SIMULATOR = ROOT / "dialer" / "simulator"
PLACING = ("vaani/adapter", "vaanivoice/adapter", "http/requests")
MIGRATIONS = ROOT / "dialer" / "adapters" / "ledger" / "migrations"
OPTION_LISTS = ROOT / "dialer" / "cli" / "app.py"
WORDS = (ROOT / ".ci" / "words.txt").read_text().split("\n")[:-1]
PROSE = [*FILES, *(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
VAGUE = {"found", "told"}
# Not rewritten yet: take a name out when its words are.
DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
IMPORT_ALL = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


def functions_of(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in nodes_of(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def calls_of(path: Path, method: str) -> list[ast.Call]:
    return [
        node
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
    ]


def test_there_is_something_to_read() -> None:
    assert len(FILES) > 50


def test_no_module_is_named_for_a_drawer() -> None:
    named = {path: set(path.relative_to(ROOT).with_suffix("").parts) for path in FILES}

    assert [str(path) for path, parts in named.items() if parts & DRAWERS] == []


def test_every_module_imports_with_an_empty_environment(tmp_path: Path) -> None:
    modules = [module_of(path) for path in FILES if not path.is_relative_to(MIGRATIONS)]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL, *modules],
        env={"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_job_is_thin() -> None:
    assert len((ROOT / "jobs" / "place_call.py").read_text().splitlines()) <= 15


def test_worker_settings_holds_only_what_arq_knows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIALER_REDIS_URL", "redis://127.0.0.1:1/0")
    options = {name for name in vars(worker.WorkerSettings) if not name.startswith("__")}

    assert options
    assert options <= set(inspect.signature(Worker.__init__).parameters)


def test_what_is_enqueued_is_what_is_registered() -> None:
    assert {function.name for function in worker.FUNCTIONS} == {PLACE_CALL}


def test_arq_never_repeats_a_job_and_keeps_no_result() -> None:
    for job in worker.FUNCTIONS:
        assert job.max_tries == 1
        assert (job.keep_result_s or 0) == 0
    assert (worker.COMMON["max_tries"], worker.COMMON["keep_result"]) == (1, 0)


def test_a_file_stays_readable() -> None:
    lengths = {name: len(path.read_text().splitlines()) for path, name in zip(FILES, NAMES, strict=True)}

    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def test_a_function_stays_readable() -> None:
    def lines(path: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        # A command's options are a list, not a story.
        first = function.body[0].lineno if path == OPTION_LISTS else function.lineno
        return (function.end_lineno or first) - first + 1

    lengths = [(name, one.name, lines(path, one)) for path, name in zip(FILES, NAMES, strict=True)
               for one in functions_of(path)]  # fmt: skip
    assert [one for one in lengths if one[-1] > 50] == []


def test_the_page_of_licences_names_what_is_installed() -> None:
    lock, page = (ROOT / name for name in ("requirements.lock", "docs/licences.md"))
    locked = set(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*])?==", lock.read_text(), re.MULTILINE))
    listed = set(re.findall(r"^\| ([A-Za-z0-9._-]+) \|", page.read_text(), re.MULTILINE))

    assert listed - {"Package"} == locked


def test_nothing_is_said_in_words_that_stop_a_reader() -> None:
    stilted = re.compile(rf"\b(?:{'|'.join(WORDS)})\b", re.IGNORECASE)
    said = {path: stilted.findall(" ".join(path.read_text().split())) for path in PROSE}

    assert {str(path.relative_to(ROOT)): words for path, words in said.items() if words} == {}


def names_given(path: Path) -> set[str]:
    """Every variable and parameter of a file."""
    return {node.arg for node in nodes_of(path) if isinstance(node, ast.arg)} | {
        node.id for node in nodes_of(path) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def test_a_variable_is_named_for_what_it_holds() -> None:
    ours = [path for path in FILES if not path.is_relative_to(SIMULATOR)]

    assert [str(path.relative_to(ROOT)) for path in ours if names_given(path) & VAGUE] == []


def test_no_lock_file_names_an_address() -> None:
    locks = [ROOT / name for name in ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")]

    for lock in [*locks, *ROOT.glob("tests/**/*.lock")]:
        assert "--hash=sha256:" in lock.read_text()
        assert not re.search(r"://|^\s*(-i|-f|--(extra-)?index-url|--find-links)\b", lock.read_text(), re.MULTILINE)


def test_a_call_is_placed_from_one_place() -> None:
    senders = {
        name: len(calls_of(path, "place"))
        for path, name in zip(FILES, NAMES, strict=True)
        if not path.is_relative_to(SIMULATOR)
    }

    assert {name: count for name, count in senders.items() if count} == {
        "dialer/pipeline/place_call.py": 1,  # the room asks the provider
        "dialer/adapters/providers/vaani/adapter.py": 1,  # each dialect asks the sender
        "dialer/adapters/providers/vaanivoice/adapter.py": 1,
    }


def test_nothing_around_the_place_call_path_repeats_by_itself() -> None:
    path = [
        *(ROOT / "jobs").glob("*.py"),
        ROOT / "dialer" / "pipeline" / "place_call.py",
        *(ROOT / "dialer" / "adapters" / "providers" / f"{name}.py" for name in PLACING),
    ]

    for file in path:
        for function in functions_of(file):
            assert "retry" not in "".join(ast.unparse(decorator) for decorator in function.decorator_list), file
    # tenacity stands in the sender alone, where it is handed what may be repeated.
    assert [name for file, name in zip(FILES, NAMES, strict=True) if "import tenacity" in file.read_text()] == [
        "dialer/adapters/providers/http/requests.py"
    ]
