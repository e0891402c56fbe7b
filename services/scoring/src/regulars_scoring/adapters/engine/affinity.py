"""The rules of `domain.affinity`, by one sparse product: baskets that hold both = baskets by products, squared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import gammainc

from regulars_scoring.adapters.engine.baskets import Baskets, Places
from regulars_scoring.adapters.engine.chance import Chance
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.domain.affinity import (
    LEAST_CONFIDENCE,
    LEAST_TOGETHER,
    MISLED,
    RULES_PER_PRODUCT,
)
from regulars_scoring.domain.proportions import Z

PAIRS_AT_ONCE = 8_000_000
"""How many counts of pairs are held at a time, some 10 bytes each."""


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
    guard = _Guard(baskets.sizes, held_in[often])
    found = []
    for start, stop in _blocks(of_each, held, pairs_at_once):
        both = of_each[start:stop] @ held
        at = np.flatnonzero(both.data >= LEAST_TOGETHER)
        one = start - 1 + np.searchsorted(both.indptr, at, side="right")
        found.append(guard.listed(one, both.indices[at].astype(np.int64), both.data[at].astype(np.int64)))
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

    def __init__(self, sizes: Places, held_in: Ints) -> None:
        self._held_in = held_in
        self._baskets = sizes.size
        self._chance = Chance(sizes, held_in)
        self._level = MISLED / (held_in.size * (held_in.size - 1) / 2)

    def listed(self, one: Ints, other: Ints, together: Ints) -> Rules:
        """Of pairs in both directions; those of a product with itself are none."""
        told = (one != other) & (together / self._held_in[one] >= LEAST_CONFIDENCE)
        pairs = np.stack([one, other, together])[:, told]
        # What chance explains where all baskets are alike, which is quicker to say, it explains all the more.
        for expected in (self._among_alike, self._chance.expected):
            one, other, together = pairs
            pairs = pairs[:, self._is_no_chance(together, expected(one, other))]
        return self._best(*pairs)

    def _among_alike(self, one: Ints, other: Ints) -> Floats:
        return self._held_in[one] * (self._held_in[other] / self._baskets)

    def _is_no_chance(self, together: Ints, expected: Floats) -> NDArray[np.bool_]:
        """P(a Poisson variable of that mean reaches so many) is small enough."""
        is_rare: NDArray[np.bool_] = gammainc(together, expected) <= self._level
        return is_rare

    def _best(self, one: Ints, other: Ints, together: Ints) -> Rules:
        low = least_shares(together, self._held_in[one])
        order = np.lexsort((other, -low / self._held_in[other], one))
        of_each = one[order]
        kept = order[np.arange(order.size) - np.searchsorted(of_each, of_each) < RULES_PER_PRODUCT]
        return Rules(one[kept], other[kept], together[kept], low[kept])


def least_shares(hits: Ints, of: Ints) -> Floats:
    """As `domain.proportions.share_of`, the lower ends."""
    share, slack = hits / of, Z * Z / of
    low: Floats = (share + slack / 2 - np.sqrt(slack * (share * (1 - share) + slack / 4))) / (1 + slack)
    return low


def _joined(parts: Sequence[Rules]) -> Rules:
    whole = np.empty(0, np.int64)
    return Rules(
        np.concatenate([whole, *(part.one for part in parts)]),
        np.concatenate([whole, *(part.other for part in parts)]),
        np.concatenate([whole, *(part.together for part in parts)]),
        np.concatenate([np.empty(0), *(part.confidence_low for part in parts)]),
    )
