"""A number stands in the suppression list as E.164, or as its hash."""

from dataclasses import replace

import pytest

from dialer.domain.call import CallLog
from dialer.domain.disposition import Disposition
from dialer.domain.suppression import OptOut, hash_of, names_of, opted_out, read_hash

ROW = CallLog("c", "", "agent", None, None, None, Disposition.ANSWERED, "User disconnected")
PHONE = "+919000000001"
HASH = "sha256:de2d4f3b5e1f8e9a6ea9d8ff7b1d0ff0f7a3d8f0c9b6a5d4e3f2a1b0c9d8e7f6"


def test_the_hash_is_that_of_the_number_as_e164() -> None:
    # printf +919000000001 | sha256sum
    assert hash_of(PHONE) == "sha256:4b6b245fada6673c7625fae4deec5df737ad2eee0be28550f86fbc976a147357"
    assert names_of(PHONE) == (PHONE, hash_of(PHONE))


def test_a_hash_is_read_in_any_spelling_and_nothing_else_is_one() -> None:
    assert read_hash(f" {HASH.upper()} ") == HASH
    for other in (PHONE, HASH[:-1], HASH + "0", HASH.replace("de", "xy"), "sha1:" + HASH[7:], ""):
        assert read_hash(other) == ""


@pytest.mark.parametrize(
    ("entities", "why"),
    [
        ({"opt_out": "true"}, "opt_out"), ({"Opt-Out": "Yes"}, "opt_out"), ({"opt_out": "no"}, ""),
        ({"wants": "stop calling"}, "wants=Stop calling"), ({"wants": "a call"}, ""), ({}, ""),
        ({"call_disposition": "DNC"}, "dnc"), ({"tag": "do-not-call"}, "do not call"), ({"name": "DNC"}, ""),
    ],
)  # fmt: skip
def test_an_entity_or_a_word_of_the_provider_opts_out(entities: dict[str, str], why: str) -> None:
    rules = OptOut(("opt_out", "wants=Stop calling"), ("do not call", "dnc"))
    assert opted_out(rules, replace(ROW, entities=entities)) == why


def test_our_own_dispositions_and_raw_words_may_opt_out() -> None:
    assert opted_out(OptOut((), ("rejected",)), replace(ROW, disposition=Disposition.REJECTED)) == "rejected"
    assert opted_out(OptOut((), ("user disconnected",)), ROW) == "user disconnected"
    assert opted_out(OptOut((), ()), replace(ROW, entities={"opt_out": "true"})) == ""
