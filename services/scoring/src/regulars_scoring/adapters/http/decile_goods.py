"""What the tenths of the customers buy, as the last run has counted it."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from pydantic import TypeAdapter

from regulars_scoring.adapters.http.shape import Answer, share
from regulars_scoring.application.ports import Insight
from regulars_scoring.domain.decile_goods import DecileGoods, Tenths

TOP_DECILES = 2

_KEPT = TypeAdapter(DecileGoods)


class BuyersOut(Answer):
    customers: int
    """Who bought it, and kept some of it."""
    reach: float | None
    """The share of the customers there are who did, 0 to 1; null where there are none."""
    revenue_minor: int
    """What they paid for it."""
    revenue_share: float | None
    """Of the revenue of all products and tenths."""


class BuyersTenthOut(BuyersOut):
    decile: int


class GoodOut(BuyersOut):
    category: str | None
    top_20_percent_share: float | None
    """Of its own revenue, what the two best tenths paid."""
    deciles: list[BuyersTenthOut]

    @classmethod
    def of(cls, good: Tenths, whole: DecileGoods, **more: Any) -> Self:
        return cls(
            category=good.category,
            top_20_percent_share=share(sum(good.revenue_minor[:TOP_DECILES]), sum(good.revenue_minor)),
            deciles=[
                BuyersTenthOut(decile=decile, **_buyers(*figures, whole.revenue_minor))
                for decile, figures in enumerate(
                    zip(good.customers, whole.customers, good.revenue_minor, strict=True), 1
                )
                if whole.customers[decile - 1]
            ],
            **_buyers(sum(good.customers), sum(whole.customers), sum(good.revenue_minor), whole.revenue_minor),
            **more,
        )


class ProductOut(GoodOut):
    sku: str
    """The category is the one that most buyers' receipts told; null: none was."""


class DecileGoodsOut(Answer):
    """Of receipts from the day `since` to `as_of`, both included, whose lines are known; of customers by the tenths of
    that run. Listed are the products, and the categories, of the greatest revenue.
    """

    since: date
    as_of: date
    revenue_minor: int
    """Of all products, also of those that are not listed."""
    product_count: int
    category_count: int
    products: list[ProductOut]
    categories: list[GoodOut]

    @classmethod
    def of(cls, insight: Insight) -> Self:
        """Of the insight `DECILE_GOODS`."""
        found = _KEPT.validate_python(insight)
        return cls(
            since=found.since,
            as_of=found.as_of,
            revenue_minor=found.revenue_minor,
            product_count=found.product_count,
            category_count=found.category_count,
            products=[ProductOut.of(each, found, sku=each.sku) for each in found.products],
            categories=[GoodOut.of(each, found) for each in found.categories],
        )


def _buyers(customers: int, of: int, revenue_minor: int, whole_minor: int) -> dict[str, Any]:
    return {
        "customers": customers,
        "reach": share(customers, of),
        "revenue_minor": revenue_minor,
        "revenue_share": share(revenue_minor, whole_minor),
    }
