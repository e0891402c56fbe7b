"""The rules of `domain.affinity`, by one sparse product: baskets that hold both = baskets by products, squared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import gammainc

from regulars_scoring.adapters.engine.baskets import Baskets
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.domain.affinity import (
    LEAST_CONFIDENCE,
    LEAST_TOGETHER,
    MISLED,
    RULES_PER_PRODUCT,
    Z,
)

PAIRS_AT_ONCE = 8_000_000
"""How many counts of pairs are held at a time, some 20 bytes each."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Columns of equal length: places of both products, baskets with both, lower bound of the confidence."""

    one: Ints
    other: Ints
    together: Ints
    confidence_low: Floats

    def rows(self, skus: Sequence[str]) -> Iterator[tuple[str, str, int, float]]:
        columns = self.one.tolist(), self.other.tolist(), self.together.tolist(), self.confidence_low.tolist()
        for one, other, together, low in zip(*columns, strict=True):
            yield skus[one], skus[other], together, low


def rules_of(baskets: Baskets, pairs_at_once: int = PAIRS_AT_ONCE) -> Rules:
    """Of each product the `RULES_PER_PRODUCT` of the greatest cautious lift, the best first."""
    held_in = baskets.held_in
    # Whoever is in fewer baskets is in fewer together: most products of a long tail are passed over.
    often = np.flatnonzero(held_in >= LEAST_TOGETHER)
    if often.size < 2:
        return _joined([])
    held = _held(baskets, often)
    of_each = held.T.tocsr()
    rule = _Guard(baskets, held_in[often])
    found = []
    for start, stop in _blocks(of_each, held, pairs_at_once):
        both = of_each[start:stop] @ held
        one = np.repeat(np.arange(start, stop), np.diff(both.indptr))
        found.append(rule.listed(one, both.indices.astype(np.int64), both.data))
    rules = _joined(found)
    return Rules(often[rules.one], often[rules.other], rules.together, rules.confidence_low)


def _held(baskets: Baskets, often: Ints) -> csr_array:
    """Baskets by frequent products: 1 where the one holds the other."""
    place = np.full(len(baskets.skus), -1, np.int32)
    place[often] = np.arange(often.size, dtype=np.int32)
    products = place[baskets.products]
    kept = products >= 0
    ends = np.concatenate(([0], np.cumsum(baskets.sizes)))
    bounds = np.concatenate(([0], np.cumsum(kept)))[ends]
    ones = np.ones(int(bounds[-1]), np.int32)
    return csr_array((ones, products[kept], bounds), shape=(baskets.sizes.size, often.size))


def _blocks(of_each: csr_array, held: csr_array, pairs_at_once: int) -> Iterator[tuple[int, int]]:
    """Ranges of products which together have no more pairs than that, by an upper bound; one has whatever it has."""
    pairs = np.minimum(of_each @ np.diff(held.indptr).astype(np.int64), of_each.shape[0])
    start, room = 0, pairs_at_once
    for place, of_this in enumerate(pairs.tolist()):
        if of_this > room and place > start:
            yield start, place
            start, room = place, pairs_at_once
        room -= of_this
    yield start, len(pairs)


class _Guard:
    """Which pairs are listed, and which of them are kept."""

    def __init__(self, baskets: Baskets, held_in: Ints) -> None:
        self._held_in = held_in
        self._baskets = baskets.sizes.size
        sizes = baskets.sizes.astype(np.float64)
        self._meeting = max(1.0 / sizes.size, float((sizes * (sizes - 1)).sum() / sizes.sum() ** 2))
        self._level = MISLED / (held_in.size * (held_in.size - 1) / 2)

    def listed(self, one: Ints, other: Ints, together: Ints) -> Rules:
        """Of pairs in both directions."""
        at = np.flatnonzero((together >= LEAST_TOGETHER) & (one != other))
        rules = self._ruled(one[at], other[at], together[at].astype(np.int64))
        expected = self._meeting * self._held_in[rules.one] * self._held_in[rules.other]
        # P(a Poisson variable of that mean reaches so many).
        by_chance = gammainc(rules.together, expected)
        confidence = rules.together / self._held_in[rules.one]
        return self._best(_at(rules, np.flatnonzero((by_chance <= self._level) & (confidence >= LEAST_CONFIDENCE))))

    def _ruled(self, one: Ints, other: Ints, together: Ints) -> Rules:
        return Rules(one, other, together, least_shares(together, self._held_in[one]))

    def _best(self, rules: Rules) -> Rules:
        order = np.lexsort((rules.other, -rules.confidence_low / self._held_in[rules.other], rules.one))
        sorted_rules = _at(rules, order)
        rank = np.arange(order.size) - np.searchsorted(sorted_rules.one, sorted_rules.one)
        return _at(sorted_rules, np.flatnonzero(rank < RULES_PER_PRODUCT))


def least_shares(hits: Ints, of: Ints) -> Floats:
    """As `domain.affinity.least_share`."""
    share, slack = hits / of, Z * Z / of
    low: Floats = (share + slack / 2 - np.sqrt(slack * (share * (1 - share) + slack / 4))) / (1 + slack)
    return low


def _at(rules: Rules, places: Ints) -> Rules:
    return Rules(rules.one[places], rules.other[places], rules.together[places], rules.confidence_low[places])


def _joined(parts: Sequence[Rules]) -> Rules:
    whole = np.empty(0, np.int64)
    return Rules(
        np.concatenate([whole, *(part.one for part in parts)]),
        np.concatenate([whole, *(part.other for part in parts)]),
        np.concatenate([whole, *(part.together for part in parts)]),
        np.concatenate([np.empty(0), *(part.confidence_low for part in parts)]),
    )
