"""docs/providers.md: its links lead to tests, its worked example passes the contract of a provider."""

import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dialer.adapters.providers.http.requests import Endpoint
from tests import provider_dialects
from tests.contract import test_document_vaani_calls, test_document_vaanivoice_sdk, test_provider, test_provider_logs
from tests.provider_dialects import Dialect
from tests.raw_server import StoppedClock

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "providers.md").read_text()
ROWS = re.findall(r"^\| (.+?) \| \[(test_\w+)\]\(\.\./(tests/[\w/]+\.py)\) \|$", PAGE, re.MULTILINE)
NO_ROW = {"test_every_exception_has_a_class_of_its_own", "test_what_escapes_the_vendors_client_has_a_name_here"}


def code_under(mark: str) -> str:
    """The block of code behind an HTML comment."""
    found = re.search(rf"<!-- {re.escape(mark)} -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_every_row_links_to_a_test_that_is_there() -> None:
    assert len(ROWS) == 59
    for _, test, file in ROWS:
        assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(), re.MULTILINE), test


def test_every_test_of_a_row_is_linked() -> None:
    linked = {test for _, test, _ in ROWS}
    for module in (test_document_vaani_calls, test_document_vaanivoice_sdk):
        assert {name for name in vars(module) if name.startswith("test_")} - NO_ROW <= linked


@pytest.fixture(scope="module")
def acme() -> Dialect:
    """The worked example, executed as it stands on the page."""
    names: dict[str, Any] = {**vars(provider_dialects)}
    exec(compile(code_under("dialer/adapters/acme.py"), "acme.py", "exec"), names)
    exec(compile(code_under("tests/provider_dialects.py"), "dialect.py", "exec"), names)
    made: Dialect = names["ACME"]
    return made


async def test_the_worked_example_is_a_provider(acme: Dialect) -> None:
    provider = acme.make(Endpoint(base_url="http://127.0.0.1:1"), StoppedClock(), Random(1))
    assert (provider.account, provider.silent_when_unanswered, provider.ids_are_final) == ("acme", False, True)
    await provider.aclose()


@pytest.mark.parametrize(
    "contract",
    [
        test_provider.test_placing_sends_one_request_with_the_token_and_the_key,
        test_provider_logs.test_an_answered_call_is_read_with_times_and_token,
        test_provider_logs.test_an_unanswered_call_is_read_from_its_structure,
        test_provider_logs.test_an_unknown_word_without_structure_is_never_final_by_guess,
        test_provider_logs.test_every_envelope_is_read_to_its_end,
        test_provider_logs.test_a_log_that_says_it_is_empty_is_empty,
        test_provider_logs.test_reading_is_repeated_on_what_passes_and_honours_retry_after,
    ],
)
async def test_the_worked_example_passes_the_contract(acme: Dialect, contract: Any) -> None:
    await contract(acme)


@pytest.mark.parametrize("body", [{"data": None}, {}, "text", None, 5])
async def test_the_worked_example_takes_no_unreadable_log_for_an_empty_one(acme: Dialect, body: Any) -> None:
    await test_provider_logs.test_an_unreadable_log_is_not_an_empty_one(acme, body)
