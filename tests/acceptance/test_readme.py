"""The README does what it says: its commands run, and what it names exists."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from config.settings import OF_A_PROVIDER, option_names
from dialer.cli.app import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = (ROOT / "docs" / "commands.md").read_text()
OPERATING = (ROOT / "docs" / "operating.md").read_text()
BIN = Path(sys.executable).parent
FEW = "name,phone,plan\nAnn,+919000000001,gold\nBob,+14155550123,basic\n"
NOT_OFFLINE = re.compile(
    r"^(make |python3 -m venv|\.venv/bin/(pip|pytest)|(\.venv/bin/)?dialer (run|worker)|docker |export )"
)
"""What installs, needs a provider or a server, or stays in the foreground."""

pytestmark = pytest.mark.acceptance


def blocks(language: str) -> Iterator[str]:
    pages = README + COMMANDS + OPERATING
    return iter(re.findall(rf"^```{language}\n(.*?)^```", pages, re.MULTILINE | re.DOTALL))


def commands() -> list[str]:
    return [line for block in blocks("sh") for line in block.splitlines()]


OFFLINE = [command for command in commands() if not NOT_OFFLINE.match(command)]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}
    environment |= {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(folder)}
    return subprocess.run(
        command.replace(".venv/bin/", ""),
        shell=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh directory in which a campaign named ``contacts`` was dialed, as after ``make run``."""
    fresh = tmp_path_factory.mktemp("readme")
    (fresh / "examples").symlink_to(ROOT / "examples")
    (fresh / "october.toml").write_text(next(blocks("toml")))
    (fresh / "few.csv").write_text(FEW)
    done = run("dialer run few.csv --name contacts", fresh)
    assert done.returncode == 0, done.stderr
    assert "dialing the built-in simulator, not people" in done.stderr
    return fresh


def test_every_offline_command_runs(folder: Path) -> None:
    assert len(OFFLINE) >= 10
    for command in OFFLINE:
        done = run(command, folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_the_first_screen_holds_the_two_commands() -> None:
    screen = README.splitlines()[:25]

    assert "make run" in screen
    assert "make test" in screen


def test_the_makefile_has_every_target_that_is_named() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z]+)(?:$|`)", README, re.MULTILINE))

    assert {"run", "test"} <= named
    assert [target for target in named if not re.search(rf"^{target}:.*## ", makefile, re.MULTILINE)] == []


def test_continuous_integration_runs_the_test_command() -> None:
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text()


def test_the_table_lists_the_commands_in_the_order_of_the_help() -> None:
    group = typer.main.get_command(app)
    listed = group.list_commands(typer.Context(group))  # type: ignore[attr-defined]

    assert re.findall(r"^\| `dialer ([a-z]+)` \|", COMMANDS, re.MULTILINE) == listed


def test_every_setting_that_is_named_exists() -> None:
    pages = [README, *(page.read_text() for page in (ROOT / "docs").rglob("*.md"))]
    named = {name for page in pages for name in re.findall(r"DIALER_[A-Z0-9_]+", page)}
    injected = {"DIALER_SERVICE_HOST", "DIALER_PORT_8080_TCP"}  # by clusters, and not read

    of_the_example = {f"DIALER_ACME_{option.upper()}" for option in OF_A_PROVIDER}

    assert named
    assert named - injected - of_the_example <= set(option_names())


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/benchmarks.md",
        "docs/campaign_file.md",
        "docs/commands.md",
        "docs/operating.md",
        "docs/internals.md",
        "docs/providers.md",
        "docs/security.md",
    ],
)
def test_every_link_leads_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_every_file_that_the_documentation_names_exists() -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        for name in re.findall(r"`((?:dialer|jobs|config|tests|benchmarks)/[\w/]*\.?\w+)`", page.read_text()):
            assert (ROOT / name).exists(), f"{page.name}: {name}"
