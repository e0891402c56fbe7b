"""Shares and their differences, each with the interval that holds the truth nineteen times of twenty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt

Z = 1.959963984540054
"""The normal distribution's 97.5 % point: intervals of 95 %."""


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`, with Wilson's score interval (Wilson 1927); None where there is nobody to be counted."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A share of now beside that of before; `difference` is now less before, None where one of them is."""

    now: Share
    before: Share
    difference: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Standardised:
    """Shares of now and before had both the same mixture of strata: that of both together.

    Customers of strata that are empty at one of the times cannot be compared; `left_out` counts them, of both times.
    """

    now: float | None
    before: float | None
    difference: float | None
    low: float | None
    high: float | None
    left_out: int


def share_of(count: int, of: int) -> Share:
    if of == 0:
        return Share(count, of, None, None, None)
    share, spread = count / of, Z * Z / of
    middle = (share + spread / 2) / (1 + spread)
    reach = Z / (1 + spread) * sqrt(share * (1 - share) / of + spread / (4 * of))
    # At 0 and at 1 a bound is the share itself, which rounding would miss.
    low = 0.0 if count == 0 else middle - reach
    high = 1.0 if count == of else middle + reach
    return Share(count, of, share, low, high)


def compared(now: Share, before: Share) -> Comparison:
    """With Newcombe's interval for two independent shares (1998, his method 10).

    Most customers are in both times, which makes the truth vary less than two samples would: the interval errs on the
    wide side.
    """
    both = standardised([(now, before)])
    return Comparison(now, before, both.difference, both.low, both.high)


def standardised(strata: Sequence[tuple[Share, Share]]) -> Standardised:
    """Directly standardised shares of (now, before) by strata, weighted by the customers of both times together.

    The difference's interval adds the strata's squared distances to Wilson's bounds, each by its weight: Newcombe's
    method for one stratum, its generalisation by Zou, Huang and Zhang (2009, MOVER) for several.
    """
    usable = [(now, before) for now, before in strata if now.of and before.of]
    compared_customers = sum(now.of + before.of for now, before in usable)
    left_out = sum(now.of + before.of for now, before in strata) - compared_customers
    if not usable:
        return Standardised(None, None, None, None, None, left_out)
    weights = [(now.of + before.of) / compared_customers for now, before in usable]
    of_now, of_before = [_solid(now) for now, _ in usable], [_solid(before) for _, before in usable]
    now = sum(w * share for w, (share, _, _) in zip(weights, of_now, strict=True))
    before = sum(w * share for w, (share, _, _) in zip(weights, of_before, strict=True))
    below = hypot(*_distances(weights, of_now, 1), *_distances(weights, of_before, 2))
    above = hypot(*_distances(weights, of_now, 2), *_distances(weights, of_before, 1))
    difference = now - before
    return Standardised(now, before, difference, difference - below, difference + above, left_out)


def _solid(share: Share) -> tuple[float, float, float]:
    assert share.share is not None and share.low is not None and share.high is not None
    return share.share, share.low, share.high


def _distances(weights: Sequence[float], shares: Sequence[tuple[float, float, float]], bound: int) -> list[float]:
    """Weighted distances from the shares to their lower (1) or upper (2) bounds."""
    return [w * (each[bound] - each[0]) for w, each in zip(weights, shares, strict=True)]
