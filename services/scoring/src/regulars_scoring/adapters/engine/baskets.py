"""Receipts as columns of whole numbers: a year of them is counted without its texts being held."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, repeat
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from regulars_scoring.adapters.engine.population import Ints
from regulars_scoring.domain.affinity import LARGEST_BASKET
from regulars_scoring.domain.goods import NOT_GOODS, Goods, Receipt

Places: TypeAlias = NDArray[np.int32]


_NO_PRICE = -(2**63)


@dataclass(frozen=True, slots=True)
class Baskets:
    """Baskets one after another: of each its size, and the places of its products in `skus`, which are sorted.

    `usual_minor` is what is usually paid for each product in a basket, None where no price is known; `oversized`
    baskets are left out of all.
    """

    skus: Sequence[str]
    categories: Sequence[str | None]
    usual_minor: Sequence[int | None]
    sizes: Places
    products: Places
    oversized: int

    @property
    def held_in(self) -> Ints:
        """In how many baskets each product is."""
        return np.bincount(self.products, minlength=len(self.skus))

    def rows(self) -> Iterator[tuple[str, str | None, int, int | None]]:
        """One per product: sku, category, baskets, usual price."""
        return zip(self.skus, self.categories, self.held_in.tolist(), self.usual_minor, strict=True)


@dataclass(slots=True)
class BasketCount:
    """Takes receipts some at a time. Places are given in the order of first sight until `baskets` sorts them.

    Of the categories `not_goods` nothing is in a basket.
    """

    not_goods: Collection[str] = NOT_GOODS
    _places: defaultdict[str, int] = field(default_factory=lambda: defaultdict(count().__next__))
    _products: array[int] = field(default_factory=lambda: array("i"))
    _nets: array[int] = field(default_factory=lambda: array("q"))
    _sizes: array[int] = field(default_factory=lambda: array("i"))
    _categories: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    _oversized: int = 0

    def add(self, receipts: Iterable[Receipt]) -> None:
        for receipt in receipts:
            goods = receipt.kept.without(self.not_goods)
            if len(goods.skus) > LARGEST_BASKET:
                self._oversized += 1
            elif goods.skus:
                self._keep(goods, receipt.is_priced)

    def _keep(self, goods: Goods, is_priced: bool) -> None:
        size = len(goods.skus)
        self._products.extend(map(self._places.__getitem__, goods.skus))
        self._nets.extend(goods.net_minor if is_priced else repeat(_NO_PRICE, size))
        self._sizes.append(size)
        if any(goods.categories):
            self._categories.update(zip(goods.skus, goods.categories, strict=True))

    def baskets(self) -> Baskets:
        """All that was taken."""
        skus = sorted(self._places)
        seen = np.fromiter(map(self._places.__getitem__, skus), np.int64, len(skus))
        sorted_place = np.empty(len(skus), np.int32)
        sorted_place[seen] = np.arange(len(skus), dtype=np.int32)
        products = sorted_place[np.frombuffer(self._products, np.int32)]
        return Baskets(
            skus=skus,
            categories=self._category_of_each(skus),
            usual_minor=_usual(products, np.frombuffer(self._nets, np.int64), len(skus)),
            sizes=np.array(self._sizes, np.int32),
            products=products,
            oversized=self._oversized,
        )

    def _category_of_each(self, skus: Sequence[str]) -> list[str | None]:
        """The one that most baskets told; of equals the first of the alphabet."""
        told = sorted((-times, name, sku) for (sku, name), times in self._categories.items() if name is not None)
        first: dict[str, str] = {}
        for _, name, sku in told:
            first.setdefault(sku, name)
        return [first.get(sku) for sku in skus]


def _usual(products: Places, nets: Ints, size: int) -> list[int | None]:
    """The lower median of what was paid for each product."""
    priced = nets != _NO_PRICE
    products, nets = products[priced], nets[priced]
    nets = nets[np.lexsort((nets, products))]
    times = np.bincount(products, minlength=size)
    middle = np.cumsum(times) - times + (times - 1) // 2
    return [int(nets[place]) if known else None for place, known in zip(middle.tolist(), times.tolist(), strict=True)]
