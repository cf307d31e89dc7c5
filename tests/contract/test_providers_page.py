"""docs/providers.md: its links lead to tests, its worked example is an installed package that dials."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.dialer_process import Ended, Home, clock
from tests.contract import test_document_vaani_calls, test_document_vaanivoice_sdk
from tests.raw_server import Line, raw_server

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "providers.md").read_text()
ROWS = re.findall(r"^\| (.+?) \| \[(test_\w+)\]\(\.\./(tests/[\w/]+\.py)\) \|$", PAGE, re.MULTILINE)
FILES = re.findall(r"^<!-- ([\w.]+) -->\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NO_ROW = {"test_every_exception_has_a_class_of_its_own", "test_what_escapes_the_vendors_client_has_a_name_here"}


def test_every_row_links_to_a_test_that_is_there() -> None:
    assert len(ROWS) == 59
    for _, test, file in ROWS:
        assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(), re.MULTILINE), test


def test_every_test_of_a_row_is_linked() -> None:
    linked = {test for _, test, _ in ROWS}
    for module in (test_document_vaani_calls, test_document_vaanivoice_sdk):
        assert {name for name in vars(module) if name.startswith("test_")} - NO_ROW <= linked


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The worked example as it stands on the page, installed; the folder of it is to be put on the path."""
    package, site = tmp_path_factory.mktemp("dialer-acme"), tmp_path_factory.mktemp("site")
    for name, text in FILES:
        (package / name).write_text(text)
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--no-build-isolation", "--target"]
    run([*pip, str(site), str(package)], package)
    (site / "test_dialer_acme.py").write_text(dict(FILES)["test_dialer_acme.py"])
    return site


def run(words: list[str], folder: Path) -> str:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ours["PYTHONPATH"] = f"{folder}:{ROOT}"
    done = subprocess.run(words, cwd=folder, env=ours, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_worked_example_passes_the_contract(installed: Path) -> None:
    pytest_alone = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_dialer_acme.py"]
    assert "12 passed" in run(pytest_alone, installed)


@pytest.fixture
def home(installed: Path, tmp_path: Path) -> Iterator[Home]:
    """A home whose commands find the worked example among the installed packages."""
    (tmp_path / "acme.toml").write_text('name = "acme"\nagent = "a-1"\nprovider = "acme"\n[window]\ndays = "always"\n')
    (tmp_path / "list.csv").write_text("phone\n+14155550123\n")
    settings = {"PYTHONPATH": f"{installed}:{ROOT}", "DIALER_RECONCILE_INTERVAL_S": "0.5"}
    made = Home(tmp_path, settings, afresh=True)
    yield made
    made.end()


class Acme:
    """The invented API: a call is picked up and over as soon as it is placed."""

    def __init__(self) -> None:
        self.placed: list[dict[str, object]] = []
        self.keys: set[str] = set()

    async def serve(self, line: Line) -> None:
        while True:
            request = await line.read_request()
            self.keys.add(request.headers["x-api-key"])
            if request.method == "POST":
                self.placed.append(request.json())
                await line.answer(200, b'{"id": "call-1"}')
            else:
                await line.answer(200, json.dumps({"data": self._log(), "pagination": {"total_pages": 1}}).encode())

    def _log(self) -> list[dict[str, object]]:
        now = datetime.fromtimestamp(clock.now(), UTC).isoformat()
        return [
            {"id": "call-1", "agent": one["agent"], "to": one["to"], "metadata": one["tags"], "outcome": "talked"}
            | dict.fromkeys(("started_at", "picked_up_at", "ended_at"), now)
            for one in self.placed
        ]


async def test_the_worked_example_is_dialed_through(home: Home) -> None:
    acme = Acme()

    async def command(*words: str) -> Ended:
        return await asyncio.to_thread(home.start(*words, **options).ended)

    async with raw_server(acme.serve) as server:
        options = {"DIALER_ACME_BASE_URL": server.url, "DIALER_ACME_API_KEY": "key-of-acme"}
        doctor = await command("doctor")
        dialed = await command("run", "list.csv", "--campaign", "acme.toml", "--json")

    assert "acme key" in doctor.out
    assert dialed.code == 0, dialed.err
    assert dialed.json()["dispositions"]["answered"] == 1
    assert [(one["agent"], one["to"]) for one in acme.placed] == [("a-1", "+14155550123")]
    assert acme.keys == {"key-of-acme"}
    assert "key-of-acme" not in doctor.out + dialed.out + dialed.err


def test_a_campaign_file_may_name_the_worked_example(home: Home) -> None:
    home.command("check", "list.csv", "--campaign", "acme.toml")
    (home.path / "acme.toml").write_text('name = "n"\nagent = "a"\nprovider = "akme"\n')
    refused = home.command("check", "list.csv", "--campaign", "acme.toml", code=2)
    assert 'provider "akme" must be one of acme, simulator, vaani, vaanivoice: did you mean "acme"?' in refused.err


def test_a_package_that_cannot_be_imported_is_one_line(home: Home) -> None:
    (home.path / "dialer_acme.py").write_text("import gone\n")  # found before the installed one
    key = {"DIALER_ACME_BASE_URL": "http://127.0.0.1:1", "DIALER_ACME_API_KEY": "key-of-acme"}
    refused = home.start("run", "list.csv", "--campaign", "acme.toml", **key).ended()
    doctor = home.start("doctor", **key).ended()

    line = "the provider acme of the package dialer-acme cannot be used (ModuleNotFoundError: No module named 'gone')"
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert refused.err.startswith(f"dialer: {line}")
    assert doctor.code == 1
    assert f"acme package: {line}" in re.sub(r"\s+", " ", doctor.out)
