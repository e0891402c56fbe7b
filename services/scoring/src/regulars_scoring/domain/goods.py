"""What receipts hold: each product once, and what of it was kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Goods:
    """Products of a receipt, or of what came back of it; three sequences of one length.

    `net_minor` is what was paid for, or given back for, all lines of the product; a category is None where none was
    told.
    """

    skus: tuple[str, ...] = ()
    net_minor: tuple[int, ...] = ()
    categories: tuple[str | None, ...] = ()

    def without(self, categories: Collection[str]) -> Goods:
        """Those of other categories, and of none."""
        if not any(category in categories for category in self.categories):
            return self
        lines = zip(self.skus, self.net_minor, self.categories, strict=True)
        return goods_of(line for line in lines if line[2] not in categories)


NO_GOODS = Goods()

NOT_GOODS = ("postage", "shipping", "fee", "discount", "sample", "manual")
"""Categories of what stands on receipts beside goods, unless the installation names others."""


def goods_of(lines: Iterable[tuple[str, int, str | None]]) -> Goods:
    """The products of lines (sku, net minor, category), in their order."""
    nets: dict[str, int] = {}
    categories: dict[str, str | None] = {}
    for sku, net_minor, category in lines:
        nets[sku] = nets.get(sku, 0) + net_minor
        if categories.get(sku) is None:
            categories[sku] = category
    return Goods(tuple(nets), tuple(nets.values()), tuple(categories.values()))


def kept(sold: Goods, back: Goods) -> Goods:
    """What was sold without what came back, of which `back` may name a product several times.

    A product is kept while some of its price is; one that cost nothing went with any return of it. By amount, as with
    whole purchases: a return may name no quantity.
    """
    if not back.skus:
        return sold
    returned: dict[str, int] = {}
    for sku, net_minor in zip(back.skus, back.net_minor, strict=True):
        returned[sku] = returned.get(sku, 0) + net_minor
    return goods_of(
        (sku, net_minor - returned.get(sku, 0), category)
        for sku, net_minor, category in zip(sold.skus, sold.net_minor, sold.categories, strict=True)
        if sku not in returned or returned[sku] < net_minor
    )


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt with all that came back of it. `is_open`: not wholly returned. `is_priced`: its currency is ours."""

    day: date
    is_open: bool
    is_priced: bool
    sold: Goods
    back: Goods = NO_GOODS

    @property
    def kept(self) -> Goods:
        return kept(self.sold, self.back) if self.is_open else NO_GOODS


@dataclass(frozen=True, slots=True)
class Bought:
    """A product that a customer buys: on how many receipts, when last, and what was paid in our currency."""

    sku: str
    category: str | None
    baskets: int
    last_day: date
    net_minor: int


def bought_on(receipts: Iterable[Receipt], not_goods: Collection[str]) -> dict[str, Bought]:
    """By sku, the products that were kept on receipts, which come by day; but for the categories `not_goods`.

    A product's category is the last one told.
    """
    bought: dict[str, Bought] = {}
    for receipt in receipts:
        goods = receipt.kept.without(not_goods)
        for sku, net_minor, category in zip(goods.skus, goods.net_minor, goods.categories, strict=True):
            was = bought.get(sku)
            bought[sku] = Bought(
                sku,
                category or (was.category if was else None),
                (was.baskets if was else 0) + 1,
                receipt.day,
                (was.net_minor if was else 0) + (net_minor if receipt.is_priced else 0),
            )
    return bought
