"""What is bought together, and what a customer may be offered next."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from regulars_kit.http import Router
from regulars_kit.limits import LIMITS
from regulars_kit.models import PageLimit, Text
from regulars_kit.values import CustomerId
from regulars_scoring.adapters.http.context import Here, Reader
from regulars_scoring.adapters.http.shape import Answer
from regulars_scoring.application.read_affinity import read_affinity
from regulars_scoring.application.read_next_best import read_next_best

router = Router(tags=["scoring"])

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


class ProductOut(Answer):
    sku: str
    category: str | None
    baskets: int
    """Counted ones that hold it."""
    usual_minor: int | None
    """The median of what is paid for it in a basket; null where it was sold in other currencies only."""


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


class PairOut(RuleOut):
    product: Annotated[ProductOut, Field(validation_alias="other")]
    """The other."""


class AffinityOut(Answer):
    counted: CountedOut
    product: ProductOut
    items: list[PairOut]
    """At most 50 are known; none where chance explains what the product was bought with, or it is in less than 5 % of
    the product's baskets."""


class ReasonOut(RuleOut):
    product: Annotated[ProductOut, Field(validation_alias="one")]
    """What the customer buys."""


class OfferOut(Answer):
    product: ProductOut
    expected_minor: int | None
    """`because.confidence_low` x `product.usual_minor`, rounded down: what it is good for, with caution, in a basket
    with what the customer buys."""
    because: ReasonOut
    """The surest of the rules that lead to it."""


class BoughtOut(Answer):
    sku: str
    category: str | None
    baskets: int
    """The customer's receipts on which it was kept."""
    last_day: date
    net_minor: int
    """Paid for it on all of them."""


class CategoryOut(Answer):
    name: str
    products: int
    sold: int
    """How often its products were in a counted basket."""


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
    next_best: list[OfferOut]
    """Products never bought, nor sent back, the greatest `expected_minor` first."""
    never_buys: NeverBuysOut


@router.get("/v1/scoring/affinity")
async def get_affinity(
    sku: Annotated[Text, Query()], principal: Reader, here: Here, limit: Limit = LIMITS.page_default
) -> AffinityOut:
    """What is bought together with a product, more often than chance explains; the greatest `lift_low` first."""
    counted, product, rules = await read_affinity(sku, limit, here.read)
    found = {"counted": counted, "product": product, "items": rules}
    return AffinityOut.model_validate(found, from_attributes=True)


@router.get("/v1/scoring/next-best/{customer_id}")
async def get_next_best(
    customer_id: UUID, principal: Reader, here: Here, limit: Limit = LIMITS.page_default
) -> NextBestOut:
    """What the customer buys, what may be offered to them next and why, and what they never buy."""
    return NextBestOut.model_validate(
        await read_next_best(CustomerId(customer_id), limit, here.read, here.house), from_attributes=True
    )
