"""States and provinces as people write them."""

import pytest

from dialer.domain.north_america import state_called, states_of_postal
from dialer.domain.phone_number import Phone
from dialer.domain.public_holidays import parts_called
from dialer.domain.whereabouts import Declared, Unplaced, whereabouts

MANHATTAN = Phone("+12125550123", "US", ("America/New_York",))
MUNICH = Phone("+498999998012", "DE", ("Europe/Berlin",))


@pytest.mark.parametrize(
    ("country", "text", "code"),
    [
        ("CA", "Québec", "CA-QC"), ("CA", "QUEBEC", "CA-QC"), ("CA", "P.Q.", "CA-QC"), ("CA", "Ont.", "CA-ON"),
        ("CA", "province of Ontario", "CA-ON"), ("CA", "Newfoundland", "CA-NL"), ("CA", "P.E.I.", "CA-PE"),
        ("CA", "Nouvelle-Écosse", "CA-NS"), ("CA", "British Columbia (BC)", "CA-BC"), ("CA", "CA-BC", "CA-BC"),
        ("US", "Washington, D.C.", "US-DC"), ("US", "Washington", "US-WA"), ("US", "Fla.", "US-FL"),
        ("US", "W. Va.", "US-WV"), ("US", "Virginia", "US-VA"), ("US", "state of Texas", "US-TX"),
        ("US", "PR", "US-PR"), ("US", "Puerto Rico", "US-PR"), ("US", "Guam", "US-GU"), ("US", " n.y. ", "US-NY"),
        ("US", "Bayern", None), ("US", "N/A", None), ("US", "TX (NY)", None), ("US", "()", None), ("US", "-", None),
    ],
)  # fmt: skip
def test_in_north_america(country: str, text: str, code: str | None) -> None:
    assert state_called(country, text) == code


@pytest.mark.parametrize(
    ("country", "text", "part"),
    [
        ("DE", "BY", "BY"), ("DE", "Bayern", "BY"), ("DE", "Bavaria", "BY"), ("DE", "Freistaat Bayern", "BY"),
        ("DE", "Baden-Wuerttemberg", "BW"), ("DE", "baden württemberg", "BW"), ("DE", "NRW", "NW"),
        ("DE", "DE-SN", "SN"), ("AT", "Niederösterreich", "3"), ("AT", "Vienna", "9"), ("CH", "Kanton Zürich", "ZH"),
        ("CH", "Geneva", "GE"), ("AU", "Victoria", "VIC"), ("AU", "N.S.W.", "NSW"), ("ES", "Cataluña", "CT"),
        ("ES", "Catalonia", "CT"), ("ES", "Comunidad de Madrid", "MD"), ("FR", "Alsace", "6AE"), ("PT", "Lisbon", "11"),
        ("IN", "Maharashtra", "MH"), ("MY", "Penang", "07"), ("FI", "Åland", "01"),
    ],
)  # fmt: skip
def test_elsewhere(country: str, text: str, part: str) -> None:
    assert parts_called(country, text) == (f"{country}-{part}",)


def test_a_state_nobody_knows_is_never_left_out_silently() -> None:
    assert parts_called("DE", "Bayren") is None
    assert isinstance(whereabouts(MUNICH, Declared(state="Bayren")), Unplaced)
    # Only the parts of France with holidays of their own are listed: any may be meant.
    assert set(parts_called("FR", "Bretagne") or ()) >= {"FR-57", "FR-6AE", "FR-974"}
    assert parts_called("KE", "Nairobi") == ()


def test_military_post_is_nowhere() -> None:
    refused = whereabouts(MANHATTAN, Declared(state="AE"))
    assert isinstance(refused, Unplaced)
    assert refused.reason == "military post may be anywhere"


def test_the_territories() -> None:
    assert states_of_postal("US", "00901") == ("US-PR",)
    where = whereabouts(MANHATTAN, Declared(state="PR"))
    assert not isinstance(where, Unplaced)
    assert set(where.zones) == {"America/New_York", "America/Puerto_Rico"}
