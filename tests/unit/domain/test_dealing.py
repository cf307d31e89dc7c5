"""Turns of campaigns on one account: all are dealt, by weight, to any number of them."""

from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from dialer.domain.dealing import REMEMBERED, Dealer, Hand

weights = st.lists(st.integers(1, 20), min_size=1, max_size=25)
rooms = st.lists(st.tuples(st.integers(1, 20), st.integers(0, 9)), max_size=40)


def hands_of(weighted: list[tuple[int, int]]) -> list[Hand]:
    return [Hand(campaign_id, weight, room) for campaign_id, (weight, room) in enumerate(weighted, 1)]


@given(rooms, st.integers(0, 200))
def test_every_turn_is_dealt_while_somebody_has_room(weighted: list[tuple[int, int]], turns: int) -> None:
    hands = hands_of(weighted)
    dealt = Dealer().deal(hands, turns)
    assert dealt.total() == min(turns, sum(hand.room for hand in hands))
    assert all(dealt[hand.campaign_id] <= hand.room for hand in hands)


@given(weights, st.integers(1, 7))
def test_turns_follow_the_weights_however_few_are_dealt_at_once(weighted: list[int], at_once: int) -> None:
    dealer, total = Dealer(), Counter[int]()
    hands = hands_of([(weight, 1000) for weight in weighted])
    rounds = 20 * sum(weighted) // at_once + 1
    for _ in range(rounds):
        total += dealer.deal(hands, at_once)
    turns = total.total()
    for hand in hands:
        share = turns * hand.weight / sum(weighted)
        assert abs(total[hand.campaign_id] - share) <= 2 + share / 20


@given(weights)
def test_nobody_waits_longer_than_a_round_of_all_weights(weighted: list[int]) -> None:
    dealer = Dealer()
    hands = hands_of([(weight, 1) for weight in weighted])
    waited = Counter[int]()
    for _ in range(5 * len(hands)):
        (campaign_id,) = dealer.deal(hands, 1)
        for hand in hands:
            waited[hand.campaign_id] = 0 if hand.campaign_id == campaign_id else waited[hand.campaign_id] + 1
            assert waited[hand.campaign_id] <= sum(weighted) // hand.weight + len(hands)


def test_a_campaign_that_could_take_no_turn_saves_none_up() -> None:
    dealer, idle, busy = Dealer(), Hand(1, 1, 0), Hand(2, 1, 1000)
    dealer.deal([idle, busy], 500)
    both = dealer.deal([Hand(1, 1, 1000), busy], 100)
    assert abs(both[1] - both[2]) <= 2


def test_what_one_cannot_use_the_others_get_by_weight() -> None:
    dealer = Dealer()
    total = Counter[int]()
    for _ in range(100):
        total += dealer.deal([Hand(1, 10, 1), Hand(2, 3, 100), Hand(3, 1, 100)], 9)
    assert total[1] == 100
    assert abs(total[2] - 600) <= 2
    assert abs(total[3] - 200) <= 2


def fair(turns: float, weighted: list[tuple[int, int]]) -> list[float]:
    """Each one's share of so many turns by weight, where none can use more than its room."""
    shares, left = [0.0] * len(weighted), set(range(len(weighted)))
    while left and turns > 1e-9:
        for_one = turns / sum(weighted[n][0] for n in left)
        full = {n for n in left if weighted[n][1] - shares[n] <= for_one * weighted[n][0]}
        for n in full or left:
            given = weighted[n][1] - shares[n] if full else for_one * weighted[n][0]
            shares[n], turns = shares[n] + given, turns - given
        left = left - full if full else set()
    return shares


@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(0, 9)), min_size=1, max_size=60),
    st.integers(1, 120),
)
def test_what_own_rates_and_lines_leave_is_shared_by_weight(weighted: list[tuple[int, int]], turns: int) -> None:
    """Room is what a campaign's own rate and lines take in one round."""
    dealer, total, rounds = Dealer(), Counter[int](), 60 + 2 * sum(weight for weight, _ in weighted)
    for _ in range(rounds):
        total += dealer.deal(hands_of(weighted), turns)
    for campaign_id, share in enumerate(fair(turns, weighted), 1):
        assert abs(total[campaign_id] - rounds * share) <= 3 + rounds * share / 20


@given(st.integers(1, 200), st.integers(1, 50))
@example(3000, 50)
def test_any_number_of_campaigns_all_get_their_turn(campaigns: int, at_once: int) -> None:
    dealer, total = Dealer(), Counter[int]()
    hands = [Hand(campaign_id, 1, 2) for campaign_id in range(1, campaigns + 1)]
    for _ in range(-(-campaigns // at_once)):
        total += dealer.deal(hands, at_once)
    assert min(total[hand.campaign_id] for hand in hands) >= 1


def test_what_is_remembered_does_not_grow_with_campaigns_that_are_gone() -> None:
    dealer = Dealer()
    for campaign_id in range(20_000):
        dealer.deal([Hand(campaign_id, 1, 1)], 1)
    assert len(dealer.ended) <= REMEMBERED + 1
