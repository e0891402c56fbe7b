"""What is bought together, and what a customer may be offered next."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from fastapi import Depends, Query

from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.limits import LIMITS
from regulars_kit.models import PageLimit, Text
from regulars_kit.values import CustomerId
from regulars_scoring.adapters.http.answers import Answer
from regulars_scoring.adapters.http.context import Here
from regulars_scoring.application.read_affinity import read_affinity
from regulars_scoring.application.read_next_best import NextBest, read_next_best
from regulars_scoring.domain.affinity import Category, Counted, Product, Rule
from regulars_scoring.domain.goods import Bought

router = Router(tags=["scoring"])

Reader = Annotated[Principal, Depends(requires("scores:read"))]
Limit = Annotated[PageLimit, Query()]


class CountedOut(Answer):
    """Counted are anybody's receipts of those days, without what came back of them."""

    run_id: UUID
    since: date
    as_of: date
    currency: str | None
    """Of prices; null before the first purchase."""
    baskets: int
    oversized: int
    """Receipts of more than 100 products, which are left out."""

    @classmethod
    def of(cls, counted: Counted) -> Self:
        return cls(
            run_id=counted.run_id,
            since=counted.since,
            as_of=counted.as_of,
            currency=counted.currency,
            baskets=counted.baskets,
            oversized=counted.oversized,
        )


class ProductOut(Answer):
    sku: str
    category: str | None
    baskets: int
    """Counted ones that hold it."""
    usual_minor: int | None
    """The median of what is paid for it in a basket; null where it was sold in other currencies only."""

    @classmethod
    def of(cls, product: Product) -> Self:
        return cls(sku=product.sku, category=product.category, baskets=product.baskets, usual_minor=product.usual_minor)


class RuleOut(Answer):
    """Of baskets with the one product, what is known of the other."""

    together: int
    """Baskets that hold both."""
    support: float
    """together / all baskets."""
    confidence: float
    """together / baskets of the one."""
    confidence_low: float
    """Lower end of Wilson's 95 % interval of the confidence."""
    lift: float
    """confidence / the share of all baskets that hold the other."""
    lift_low: float
    """The same of `confidence_low`."""

    @classmethod
    def figures_of(cls, rule: Rule) -> dict[str, float | int]:
        return {
            "together": rule.together,
            "support": rule.support,
            "confidence": rule.confidence,
            "confidence_low": rule.confidence_low,
            "lift": rule.lift,
            "lift_low": rule.lift_low,
        }


class PairOut(RuleOut):
    product: ProductOut
    """The other."""


class AffinityOut(Answer):
    counted: CountedOut
    product: ProductOut
    items: list[PairOut]
    """At most 50 are known; none where chance explains what the product was bought with."""


class BoughtOut(Answer):
    sku: str
    category: str | None
    baskets: int
    """The customer's receipts on which it was kept."""
    last_day: date
    net_minor: int
    """Paid for it on all of them."""

    @classmethod
    def of(cls, bought: Bought) -> Self:
        return cls(
            sku=bought.sku,
            category=bought.category,
            baskets=bought.baskets,
            last_day=bought.last_day,
            net_minor=bought.net_minor,
        )


class ReasonOut(RuleOut):
    sku: str
    """What the customer buys."""
    baskets: int
    """Counted ones that hold it."""


class SuggestionOut(Answer):
    product: ProductOut
    expected_minor: int | None
    """`because.confidence_low` x `product.usual_minor`, rounded down: what it is good for, with caution, in a basket
    with what the customer buys."""
    because: ReasonOut
    """The surest of the rules that lead to it."""

    @classmethod
    def of(cls, rule: Rule) -> Self:
        reason = ReasonOut(sku=rule.one.sku, baskets=rule.one.baskets, **RuleOut.figures_of(rule))
        return cls(product=ProductOut.of(rule.other), expected_minor=rule.expected_minor, because=reason)


class CategoryOut(Answer):
    name: str
    products: int
    sold: int
    """How often its products were in a counted basket."""

    @classmethod
    def of(cls, category: Category) -> Self:
        return cls(name=category.name, products=category.products, sold=category.sold)


class NeverBuysOut(Answer):
    best_sellers: list[ProductOut]
    categories: list[CategoryOut]


class NextBestOut(Answer):
    """Each list holds its first `limit`."""

    customer_id: UUID
    counted: CountedOut
    products: int
    """How many the customer buys."""
    buys: list[BoughtOut]
    """The one on most receipts first."""
    next_best: list[SuggestionOut]
    """Products never bought, nor sent back, the greatest `expected_minor` first."""
    never_buys: NeverBuysOut

    @classmethod
    def of(cls, found: NextBest) -> Self:
        return cls(
            customer_id=found.customer_id,
            counted=CountedOut.of(found.counted),
            products=found.products,
            buys=[BoughtOut.of(each) for each in found.buys],
            next_best=[SuggestionOut.of(each) for each in found.next_best],
            never_buys=NeverBuysOut(
                best_sellers=[ProductOut.of(each) for each in found.best_sellers],
                categories=[CategoryOut.of(each) for each in found.categories],
            ),
        )


@router.get("/v1/scoring/affinity")
async def get_affinity(
    sku: Annotated[Text, Query()], principal: Reader, here: Here, limit: Limit = LIMITS.page_default
) -> AffinityOut:
    """What is bought together with a product, more often than chance explains; the greatest `lift_low` first."""
    counted, product, rules = await read_affinity(sku, limit, here.read)
    pairs = [PairOut(product=ProductOut.of(rule.other), **RuleOut.figures_of(rule)) for rule in rules]
    return AffinityOut(counted=CountedOut.of(counted), product=ProductOut.of(product), items=pairs)


@router.get("/v1/scoring/next-best/{customer_id}")
async def get_next_best(
    customer_id: UUID, principal: Reader, here: Here, limit: Limit = LIMITS.page_default
) -> NextBestOut:
    """What the customer buys, what may be offered to them next and why, and what they never buy."""
    return NextBestOut.of(await read_next_best(CustomerId(customer_id), limit, here.read, here.house))
