from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regulars_kit.values import CustomerId
from regulars_scoring.application.identify import identified
from regulars_scoring.application.ports import House, Reads
from regulars_scoring.application.read_affinity import counted_by
from regulars_scoring.domain.affinity import Counted, NeverBuys, Offer
from regulars_scoring.domain.goods import Bought, bought_on


@dataclass(frozen=True, slots=True)
class NextBest:
    """What a customer buys, might buy next and has never bought; each list holds its first, `products` counts all."""

    customer_id: CustomerId
    """The surviving one of all their ids."""
    counted: Counted
    products: int
    buys: Sequence[Bought]
    next_best: Sequence[Offer]
    never_buys: NeverBuys


async def read_next_best(customer_id: CustomerId, limit: int, begin: Reads, house: House) -> NextBest:
    """By the last count of baskets and all receipts of the customer, today's included.

    What they sent back is neither among the products that they buy, nor suggested to them. Raises `UnknownCustomer`
    and `NoBasketsYet`.
    """
    async with begin() as unit:
        ids = await identified(customer_id, unit)
        counted = await counted_by(unit)
        receipts = await unit.affinity.receipts(ids)
        bought = bought_on(receipts, house.not_goods)
        known = {sku for receipt in receipts for sku in receipt.sold.skus}
        # Of a product that is sold no longer, the receipts alone tell the category.
        told = {category for receipt in receipts for category in receipt.sold.categories if category is not None}
        return NextBest(
            customer_id=ids[0],
            counted=counted,
            products=len(bought),
            buys=sorted(bought.values(), key=lambda each: (-each.baskets, -each.net_minor, each.sku))[:limit],
            next_best=await unit.affinity.next_best(bought, known, limit),
            never_buys=NeverBuys(
                await unit.affinity.best_sellers(known, limit), await unit.affinity.categories(known, told, limit)
            ),
        )
