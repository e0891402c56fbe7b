"""The rules equal a double loop over baskets, and of what is bought at random none is made."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date
from itertools import combinations
from math import exp, isclose, lgamma, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_scoring.adapters.engine.affinity import least_shares, rules_of
from regulars_scoring.adapters.engine.baskets import BasketCount, Baskets
from regulars_scoring.adapters.engine.chance import Chance
from regulars_scoring.domain.affinity import (
    LARGEST_BASKET,
    LEAST_CONFIDENCE,
    LEAST_TOGETHER,
    MISLED,
    RULES_PER_PRODUCT,
)
from regulars_scoring.domain.audit import AGE_STRATA_DAYS
from regulars_scoring.domain.goods import NO_GOODS, Bought, Goods, Receipt, bought_on, goods_of, kept
from regulars_scoring.domain.proportions import share_of

DAY = date(2026, 2, 10)

Told = Sequence[Collection[str]]
Pairs = dict[tuple[str, str], int]


def a_receipt(skus: Collection[str], on: date = DAY) -> Receipt:
    return Receipt(on, True, True, goods_of((sku, 100, None) for sku in skus))


def counted(told: Told) -> Baskets:
    count = BasketCount()
    count.add(a_receipt(skus) for skus in told)
    return count.baskets()


def rules(told: Told, **limits: int) -> Pairs:
    baskets = counted(told)
    return {(one, other): together for one, other, together, _ in rules_of(baskets, **limits).rows(baskets.skus)}


def by_double_loop(told: Told) -> Pairs:
    """As `domain.affinity` says it, basket by basket."""
    held, both = Counter[str](), Counter[tuple[str, str]]()
    for basket in told:
        held.update(basket)
        both.update(combinations(sorted(basket), 2))
    often = [sku for sku in held if held[sku] >= LEAST_TOGETHER]
    sizes = [len(basket) for basket in told if basket]
    rates = {sku: a_rate(sizes, held[sku]) for sku in often}
    found = {}
    for (one, other), together in both.items():
        if together >= LEAST_TOGETHER:
            expected = sum((1 - exp(-rates[one] * size)) * (1 - exp(-rates[other] * size)) for size in sizes)
            if reached_by_chance(together, expected) * len(often) * (len(often) - 1) / 2 <= MISLED:
                found.update(dict.fromkeys(((one, other), (other, one)), together))
    return {pair: together for pair, together in found.items() if together / held[pair[0]] >= LEAST_CONFIDENCE}


def a_rate(sizes: Sequence[int], held_in: int) -> float:
    """By halving; a product in all baskets has none, and no basket is without it."""
    low, high = 0.0, 100.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(1 - exp(-middle * size) for size in sizes) < held_in else (low, middle)
    return low


def reached_by_chance(least: int, mean: float) -> float:
    """P(a Poisson variable of that mean is as great or greater)."""
    return sum(exp(count * log(mean) - mean - lgamma(count + 1)) for count in range(least, least + 400))


shelves = st.sets(st.sampled_from("ABCDEFGH"), min_size=0, max_size=8)
shops = st.lists(st.tuples(shelves, st.integers(1, 60)), min_size=1, max_size=8)


@given(shops, st.sampled_from([1, 3, 10**6]))
@settings(max_examples=300, deadline=None)
def test_the_rules_are_those_of_a_double_loop_however_many_are_reckoned_at_once(
    shop: list[tuple[set[str], int]], pairs_at_once: int
) -> None:
    told = [basket for basket, times in shop for _ in range(times)]
    assert rules(told, pairs_at_once=pairs_at_once) == by_double_loop(told)


def test_the_double_loop_itself_finds_pairs_and_passes_over_others() -> None:
    told = [*[{"A", "B"}] * 40, *[{"A"}] * 10, *[{"C"}] * 150, *[{"B", "C"}] * 5]
    assert by_double_loop(told) == {("A", "B"): 40, ("B", "A"): 40}


@pytest.mark.parametrize("seed", range(5))
def test_of_what_falls_into_small_and_large_baskets_at_random_no_pair_is_made(seed: int) -> None:
    chance = random.Random(seed)
    skus = [f"SKU-{number}" for number in range(60)]
    popular = [1 / (1 + number) for number in range(60)]
    sizes = [1] * 600 + [3] * 300 + [30] * 100
    told = [set(chance.choices(skus, popular, k=size)) for size in sizes]
    assert rules(told) == {}
    # Whoever compares with one basket in a thousand would have found many.
    held = Counter(sku for basket in told for sku in basket)
    both = Counter(pair for basket in told for pair in combinations(sorted(basket), 2))
    assert sum(together * 1000 > 1.5 * held[one] * held[other] for (one, other), together in both.items()) > 500


@pytest.mark.parametrize("seed", range(3))
def test_a_pair_among_what_is_bought_at_random_is_found(seed: int) -> None:
    chance = random.Random(seed)
    skus = [f"SKU-{number}" for number in range(40)]
    told = [set(chance.sample(skus, chance.randint(1, 12))) for _ in range(1000)]
    told = [basket | {"CUP", "TEA"} if place % 20 == 0 else basket for place, basket in enumerate(told)]
    assert rules(told) == {("CUP", "TEA"): 50, ("TEA", "CUP"): 50}


def test_of_each_product_the_most_telling_rules_are_kept() -> None:
    others = [f"SKU-{number:03}" for number in range(RULES_PER_PRODUCT + 10)]
    # The later ones are bought without it as well, so that their lift is less.
    told = [{"TEA", other} for other in others for _ in range(60)]
    told += [{other} for place, other in enumerate(others) for _ in range(place)] + [{"BREAD"}] * 60_000
    found = rules(told)
    # 60 of 3,600 is below the least confidence; the other way round, all of its baskets have tea.
    assert {one for one, _ in found} == set(others)
    told = [{"TEA", *others[:30]}] * 40 + [{"TEA", *others[30:]}] * 40 + told[3600:]
    of_tea = {other for one, other in rules(told) if one == "TEA"}
    assert of_tea == set(others[:RULES_PER_PRODUCT])


@given(st.lists(st.integers(1, 100), min_size=1, max_size=50), st.data())
@settings(deadline=None)
def test_chance_expects_each_product_as_often_as_it_is_held_and_pairs_no_less_than_of_alike_baskets(
    sizes: list[int], data: st.DataObject
) -> None:
    held_in = data.draw(st.lists(st.integers(1, len(sizes)), min_size=2, max_size=5))
    everywhere = np.array([*held_in, len(sizes)])
    expected = Chance(np.array(sizes, np.int32), everywhere).expected
    one, other = np.array(list(np.ndindex(everywhere.size, everywhere.size))).T
    meetings = expected(one, other)
    # With a product that is in all baskets, each is as often as it is at all.
    assert np.allclose(meetings[other == everywhere.size - 1], everywhere, rtol=1e-6)
    assert np.all(meetings >= everywhere[one] * everywhere[other] / len(sizes) * (1 - 1e-6))


def test_the_limits_are_those_that_the_documents_name() -> None:
    assert (LEAST_TOGETHER, LEAST_CONFIDENCE, RULES_PER_PRODUCT, LARGEST_BASKET) == (5, 0.05, 50, 100)
    assert AGE_STRATA_DAYS == (90, 180, 365, 730)


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_the_least_share_is_below_the_share_and_the_same_in_the_run_and_in_the_answer(of: int, missing: int) -> None:
    hits = max(0, of - missing)
    least = share_of(hits, of).low
    assert least is not None
    assert -1e-12 <= least <= hits / of
    assert isclose(least_shares(np.array([hits]), np.array([of]))[0], least, rel_tol=1e-9, abs_tol=1e-12)


lines = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 3)), max_size=6)


@given(lines, lines, st.randoms())
def test_what_is_kept_is_what_some_of_the_price_of_is_kept_in_whatever_parts_it_came_back(
    sold: list[tuple[str, int]], back: list[tuple[str, int]], chance: random.Random
) -> None:
    def goods(parts: list[tuple[str, int]]) -> Goods:
        return Goods(tuple(sku for sku, _ in parts), tuple(net for _, net in parts), (None,) * len(parts))

    paid = {sku: sum(net for each, net in sold if each == sku) for sku, _ in sold}
    given_back = {sku: sum(net for each, net in back if each == sku) for sku, _ in back}
    left = {sku: net - given_back.get(sku, 0) for sku, net in paid.items() if given_back.get(sku, -1) < net}
    shuffled = back.copy()
    chance.shuffle(shuffled)
    for parts in (back, shuffled):
        remains = kept(goods_of((sku, net, None) for sku, net in sold), goods(parts))
        assert dict(zip(remains.skus, remains.net_minor, strict=True)) == left


def test_of_a_product_that_is_always_wholly_returned_nothing_is_bought() -> None:
    sold = goods_of([("TEA", 300, "drinks"), ("CUP", 500, None), ("CUP", 500, "china")])
    assert sold == Goods(("TEA", "CUP"), (300, 1000), ("drinks", "china"))
    whole = Receipt(DAY, False, True, sold)
    part = Receipt(date(2026, 1, 5), True, True, sold, Goods(("CUP",), (1000,), (None,)))
    assert whole.kept == NO_GOODS
    assert bought_on([part, whole], ()) == {"TEA": Bought("TEA", "drinks", 1, date(2026, 1, 5), 300)}
    assert bought_on([part], ("drinks",)) == {}
