"""Names of campaigns, and the files that are named after them."""

import pytest

from dialer.domain.campaign_name import LONGEST, LONGEST_STEM, file_stem, plain_name
from dialer.domain.plain_text import inert, inert_json

NAMES = [
    "october", "a" * 300, "a" * 299 + "b", "\u0915" * 100, "renewals/1", "renewals 1", "renewals-1", "..", ".",
    "-", "--", "../../etc/passwd", "x-check", "x", "\u0915\u094d\u200d\u0937", "a.csv", "~", "\U0001f600",
]  # fmt: skip


def test_every_name_has_a_file_of_its_own_that_every_system_takes() -> None:
    stems = [file_stem(name) for name in NAMES]
    assert len(set(stems)) == len(NAMES)
    for stem in stems:
        assert 0 < len(stem.encode()) <= LONGEST_STEM + 9
        assert not set(stem) & set("/\\. \0~")


def test_a_plain_name_is_its_file() -> None:
    assert file_stem("october-2027") == "october-2027"
    assert file_stem("\u0906\u0936\u093e") == "\u0906\u0936\u093e"


@pytest.mark.parametrize(
    "name", ["a\x00", "a\x1b", "a\x9b", "a\u202e", "a\u2028b", "a\ud800", "a\ue000", "a\u200e", "\t.\t\x07"]
)
def test_a_name_that_cannot_be_seen_is_none(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be seen"):
        plain_name(name)


def test_a_name_has_an_end() -> None:
    assert plain_name("a" * LONGEST) == "a" * LONGEST
    with pytest.raises(ValueError, match="longer than"):
        plain_name("a" * (LONGEST + 1))


def test_what_acts_is_replaced_and_what_is_read_is_kept() -> None:
    kept = "plain, \u0906\u0936\u093e, \u0915\u094d\u200d\u0937, \U0001f600, caf\u00e9, \u200c"
    assert inert(kept) == kept
    acting = (
        "\x00\x07\x08\t\n\r\x1b\x7f\x85\x9b\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\ud83d\U000e0041"
    )
    assert inert(acting) == "\ufffd" * len(acting)


def test_a_json_document_keeps_its_meaning() -> None:
    import json

    told = {"a\x9b": "\x7f\u202e\U000e0041 \u0906", "b": ["\ud83d", "\n"]}
    document = json.dumps(told, ensure_ascii=False, indent=1)
    assert json.loads(inert_json(document)) == told
    assert inert(inert_json(document).replace("\n", "")) == inert_json(document).replace("\n", "")
