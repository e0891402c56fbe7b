"""What the tenths of the customers buy: who is worth most, and what they come for.

Counted are the receipts of a year whose goods are known, without what came back of them, by the tenth that the run has
placed their customer in. Anonymous ones have none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from regulars_scoring.domain.goods import Bought
from regulars_scoring.domain.model import DECILES

MOST_LISTED = 100
"""Products, and categories, that are listed: those of the greatest revenue."""


@dataclass(frozen=True, slots=True)
class Tenths:
    """A product, or a category, and for each tenth from the best: how many of its customers bought it, what they paid.

    `sku` None: a category; `category` None: no category was told.
    """

    sku: str | None
    category: str | None
    customers: tuple[int, ...]
    revenue_minor: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DecileGoods:
    """From the day `since` to `as_of`. `customers` are all of each tenth, whatever they bought; `revenue_minor` and
    the counts are of all products, also of those that are not listed.
    """

    since: date
    as_of: date
    customers: tuple[int, ...]
    revenue_minor: int
    product_count: int
    category_count: int
    products: Sequence[Tenths]
    categories: Sequence[Tenths]


@dataclass(slots=True)
class _Tally:
    customers: list[int] = field(default_factory=lambda: [0] * DECILES)
    revenue_minor: list[int] = field(default_factory=lambda: [0] * DECILES)

    def add(self, decile: int, net_minor: int) -> None:
        self.customers[decile - 1] += 1
        self.revenue_minor[decile - 1] += net_minor


@dataclass(slots=True)
class GoodsCount:
    """Takes the customers one by one, each with all that they bought."""

    _products: defaultdict[str, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    _categories: defaultdict[str | None, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    _told: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, decile: int, bought: Iterable[Bought]) -> None:
        paid: defaultdict[str | None, int] = defaultdict(int)
        for each in bought:
            self._products[each.sku].add(decile, each.net_minor)
            paid[each.category] += each.net_minor
            if each.category is not None:
                self._told[each.sku, each.category] += 1
        for category, net_minor in paid.items():
            self._categories[category].add(decile, net_minor)

    def counted(self, since: date, as_of: date, customers: Sequence[int]) -> DecileGoods:
        """All that was taken; `customers` has how many there are of each tenth."""
        category_of = self._category_of_each()
        return DecileGoods(
            since=since,
            as_of=as_of,
            customers=tuple(customers),
            revenue_minor=sum(sum(tally.revenue_minor) for tally in self._products.values()),
            product_count=len(self._products),
            category_count=len(self._categories),
            products=_listed((sku, category_of.get(sku), tally) for sku, tally in self._products.items()),
            categories=_listed((None, category, tally) for category, tally in self._categories.items()),
        )

    def _category_of_each(self) -> Mapping[str, str]:
        """The one that most buyers' receipts told; of equals the first of the alphabet."""
        told = sorted((-times, category, sku) for (sku, category), times in self._told.items())
        return {sku: category for _, category, sku in reversed(told)}


def _listed(tallies: Iterable[tuple[str | None, str | None, _Tally]]) -> Sequence[Tenths]:
    found = [
        Tenths(sku, category, tuple(tally.customers), tuple(tally.revenue_minor)) for sku, category, tally in tallies
    ]
    found.sort(key=lambda each: (-sum(each.revenue_minor), -sum(each.customers), each.sku or each.category or ""))
    return found[:MOST_LISTED]
