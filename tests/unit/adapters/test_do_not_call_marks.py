import pytest

from dialer.adapters.lists.columns import normalised
from dialer.adapters.lists.do_not_call_marks import Sense, is_barred, sense_of


@pytest.mark.parametrize(
    "header",
    [
        "DoNotCall", "Do Not Call", "do_not_call", "DO NOT CALL?", "Do-Not-Contact", "Don't call", "DNC", "DND", "NDNC",
        "DNC List", "DND status", "Opt-out", "OptOut", "Opted Out", "HasOptedOut", "Has Opted Out Of Calls",
        "Phone opt out", "Call Opt-Out", "Unsubscribed", "unsubscribed_at", "Unsubscribe", "Blacklisted",
        "opted_out_on", "Marketing opt out", "Nicht anrufen", "Do not disturb", "Never call", "Suppressed", "is_dnc",
        "On DNC",
    ],
)  # fmt: skip
def test_columns_that_bar(header: str) -> None:
    assert sense_of(normalised(header)) is Sense.BARRED


@pytest.mark.parametrize(
    ("header", "sense"),
    [
        ("HasOptedOutOfEmail", None),
        ("Email opt-out", None),
        ("SMS opt out", None),
        ("HasOptedOutOfFax", None),
        ("# calls", None),
        ("No. of calls", None),
        ("Not called", None),
        ("city", None),
        ("state", None),
        ("Consent", Sense.ALLOWED),
        ("Consent to call", Sense.ALLOWED),
        ("Call permission", Sense.ALLOWED),
        ("OK to call", Sense.ALLOWED),
        ("Can call", Sense.ALLOWED),
        ("Opt-in", Sense.ALLOWED),
        ("Lead Status", Sense.WORDS),
        ("Status", Sense.WORDS),
        ("Tags", Sense.WORDS),
        ("Remarks", Sense.WORDS),
    ],
)
def test_other_columns(header: str, sense: Sense | None) -> None:
    assert sense_of(normalised(header)) is sense


@pytest.mark.parametrize(
    ("cell", "sense", "barred"),
    [
        *((cell, Sense.BARRED, True) for cell in ("true", "TRUE", "1", "1.0", "X", "x", "Yes", "Y", "✓", "ja", "Sí")),
        *((cell, Sense.BARRED, True) for cell in ("DNC", "Do not call", "opted out", "2026-11-03", "3/11/2026", "हाँ")),
        *((cell, Sense.BARRED, False) for cell in ("", "false", "0", "0.0", "No", "n", "nein", "-", "NULL", "nan")),
        *((cell, Sense.BARRED, False) for cell in ("OK", "can call", "subscribed", "0000-00-00")),
        *((cell, Sense.BARRED, None) for cell in ("?", "maybe", "2", "7", "ask Bina")),
        *((cell, Sense.ALLOWED, True) for cell in ("no", "false", "0", "opted out", "DNC")),
        *((cell, Sense.ALLOWED, False) for cell in ("", "yes", "true", "1", "given", "2026-11-03")),
        *((cell, Sense.ALLOWED, None) for cell in ("?", "perhaps")),
        *((cell, Sense.WORDS, True) for cell in ("DNC", "Do Not Call", "vip; do not contact", "Hot - DNC")),
        *((cell, Sense.WORDS, False) for cell in ("", "new", "called", "not called yet", "yes", "stop by at 9")),
    ],
)
def test_what_a_cell_says(cell: str, sense: Sense, barred: bool | None) -> None:
    assert is_barred(cell, sense) is barred
