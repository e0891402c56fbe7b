"""Receipts of a shop that sells tea, and all that goes with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from regulars_contracts.events import Event
from regulars_contracts.events.loyalty import PurchaseLine, PurchaseRecorded, PurchaseReturned, ReturnedLine
from scoring.opening import hear_together
from scoring.shop import Shop, a_return, a_sale

PRICES = {"TEA": 300, "CUP": 500, "POT": 2500, "BREAD": 250, "CAKE": 400}
CATEGORIES = {"TEA": "drinks", "CUP": "china", "POT": "china", "POST": "postage"}

Prices = Mapping[str, int]


def a_receipt(
    goods: str | Prices,
    on: str | date = "2026-02-10",
    customer_id: UUID | None = None,
    purchase_id: UUID | None = None,
    currency: str = "EUR",
) -> PurchaseRecorded:
    """Products with what was paid for each, or "TEA CUP" at the usual prices; of nobody unless said."""
    paid = priced(goods)
    lines = tuple(
        PurchaseLine(line_id=str(place), sku=sku, category=CATEGORIES.get(sku), quantity="1", net_minor=net, points=0)
        for place, (sku, net) in enumerate(paid.items(), 1)
    )
    sale = a_sale(sum(paid.values()), on, customer_id, purchase_id, currency)
    return sale.model_copy(update={"lines": lines})


def goods_back(sale: PurchaseRecorded, goods: str | Prices, *, voided: bool = False) -> PurchaseReturned:
    """Some of it comes back, for its price or for that which is said."""
    given = priced(goods)
    lines = tuple(ReturnedLine(sku=sku, net_minor=net, points=0) for sku, net in given.items())
    return a_return(sum(given.values()), sale, voided=voided).model_copy(update={"lines": lines})


def priced(goods: str | Prices) -> Prices:
    return {sku: PRICES.get(sku, 100) for sku in goods.split()} if isinstance(goods, str) else goods


def times(count: int, goods: str | Prices, on: str | date = "2026-02-10") -> list[Event]:
    """So many receipts of the same."""
    return [a_receipt(goods, on) for _ in range(count)]


def a_usual_year() -> list[Event]:
    """A hundred baskets: 20 of tea and cup, 10 of tea, 5 of cup, 65 of bread."""
    return [*times(20, "TEA CUP"), *times(10, "TEA"), *times(5, "CUP"), *times(65, "BREAD")]


async def hear_all(shop: Shop, events: Iterable[Event]) -> None:
    await hear_together(shop, *map(shop.as_told, events))


async def pairs_of(shop: Shop, sku: str) -> dict[str, int]:
    """What goes with a product, and in how many baskets."""
    answer = await shop.get(f"/v1/scoring/affinity?sku={sku}")
    return {pair["product"]["sku"]: pair["together"] for pair in answer["items"]}
