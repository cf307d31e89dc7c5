"""docs/api.md: its examples run as they stand, twice; its table of problems and docs/openapi.json are whole."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from dialer.web.problems import CODES, HTTP_CODES
from tests import openapi_document
from tests.web.served import Served, serving

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "api.md").read_text()
BASH, PYTHON = ["bash", "-euo", "pipefail", "-c"], [sys.executable, "-c"]


def example(language: str) -> str:
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1
    return blocks[0]


@pytest_asyncio.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path / "home") as one:
        yield one


async def output_of(served: Served, command: list[str]) -> str:
    client = await served.program("operator")
    token = client.headers["Authorization"].removeprefix("Bearer ")
    environment = os.environ | {"CONSOLE": served.addresses[0], "TOKEN": token}
    running = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
    out, _ = await running.communicate()
    assert running.returncode == 0, out.decode()
    return out.decode()


async def test_the_example_in_curl_calls_one_person_however_often_it_is_sent(served: Served) -> None:
    command = [*BASH, example("sh")]
    for _ in range(2):
        out = await output_of(served, command)
        documents = [json.JSONDecoder().raw_decode(text)[0] for text in re.split(r"(?<=})(?={)", out)]
        assert documents[1]["contacts"][0]["result"] == "queued"
        assert documents[2]["status"] == "running"
        assert [one["status"] for one in documents[3]["data"]] == ["pending"]


async def test_the_example_in_python_does_the_same(served: Served) -> None:
    for _ in range(2):
        assert await output_of(served, [*PYTHON, example("python")]) == "queued\nrunning\npending 0\n"


def test_the_table_of_problems_is_whole() -> None:
    rows = {(code, int(status)) for code, status in re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", PAGE, re.MULTILINE)}
    named = {(code, status) for status, code in CODES.values()} | {
        (code, status) for status, code in HTTP_CODES.items()
    }
    assert rows == named


def test_the_description_is_that_of_the_routes() -> None:
    assert (DOCS / "openapi.json").read_text() == openapi_document.text(), "make openapi"
