"""Products that are bought together: rules of pairs, reckoned from counts of baskets.

A basket is a receipt of the `YEAR_DAYS` up to the day of the run, anybody's, without what came back of it, and without
what is no goods: postage goes with everything that is sent, and nobody can be offered it. Left out are receipts that
were voided or came back whole, and those of more than `LARGEST_BASKET` products: a wholesaler's of a thousand would
make half a million pairs, and tells of a warehouse, not of what goes together.

A pair is listed only when chance does not explain it. Chance fills every place of every basket with a product at the
same rate: of baskets with s products 1 - exp(-rate s) hold it, n_A of all in the sum. Both A and B would so be in
E = sum over baskets of (1 - exp(-rate_A s)) (1 - exp(-rate_B s)), which is n_A n_B / N where all N baskets are alike,
and more where sizes differ, for the large ones hold a little of everything. Listed is a pair that so many baskets hold,
or more, as a Poisson variable of mean E reaches with a probability of at most `MISLED` over the number of pairs looked
at (Bonferroni): in nineteen of twenty runs, or more, not a single pair of the whole list is there by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import floor
from uuid import UUID

from regulars_scoring.domain.proportions import share_of

YEAR_DAYS = 365
LARGEST_BASKET = 100
LEAST_TOGETHER = 5
"""Baskets that hold both, below which nothing is said of a pair; nor of a product in fewer baskets."""
LEAST_CONFIDENCE = 0.05
RULES_PER_PRODUCT = 50
MISLED = 0.05


@dataclass(frozen=True, slots=True)
class Counted:
    """The baskets that a run has counted, from the day `since` to `as_of`; `oversized` ones were left out.

    `currency` is that of prices; None before the first purchase.
    """

    run_id: UUID
    since: date
    as_of: date
    currency: str | None
    baskets: int
    oversized: int


@dataclass(frozen=True, slots=True)
class Product:
    """A product in the counted baskets.

    `usual_minor` is what is paid for it in a basket that holds it: the median, of two the lower, since the mean is made
    by a few bulk orders; None where it was sold only in other currencies. The category is the one most baskets told.
    """

    sku: str
    category: str | None
    baskets: int
    usual_minor: int | None


@dataclass(frozen=True, slots=True)
class Rule:
    """Who has `one` in the basket has `other` too, in `together` of all `baskets`."""

    one: Product
    other: Product
    together: int
    baskets: int

    @property
    def support(self) -> float:
        """Of all baskets, the share with both."""
        return self.together / self.baskets

    @property
    def confidence(self) -> float:
        """Of the baskets with the one, the share with the other as well."""
        return self.together / self.one.baskets

    @property
    def confidence_low(self) -> float:
        """The lower end of Wilson's 95 % interval of the confidence, which small numbers make cautious."""
        low = share_of(self.together, self.one.baskets).low
        assert low is not None, "a product is in a basket"
        return low

    @property
    def lift(self) -> float:
        """How many times as often the other is in a basket with the one as in any basket."""
        return self.confidence * self.baskets / self.other.baskets

    @property
    def lift_low(self) -> float:
        return self.confidence_low * self.baskets / self.other.baskets


@dataclass(frozen=True, slots=True)
class Offer:
    """A product that a customer may be offered, by the surest of the rules that lead to it."""

    because: Rule

    @property
    def product(self) -> Product:
        return self.because.other

    @property
    def expected_minor(self) -> int | None:
        """What it is good for in a basket with the one, with caution: `confidence_low` x its usual price.

        Rounded down, for a promise is to be kept; None where it has no price.
        """
        usual = self.product.usual_minor
        return None if usual is None else floor(self.because.confidence_low * usual)


@dataclass(frozen=True, slots=True)
class Category:
    """`sold` counts how often its products were in a counted basket."""

    name: str
    products: int
    sold: int


@dataclass(frozen=True, slots=True)
class NeverBuys:
    """The best-selling products and categories of which a customer has bought nothing."""

    best_sellers: Sequence[Product]
    categories: Sequence[Category]
