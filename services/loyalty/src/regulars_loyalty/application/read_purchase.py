"""Read a purchase back, with what it earned and what came back of it."""

from __future__ import annotations

from fractions import Fraction
from uuid import UUID

from regulars_loyalty.application.ports import Begin, StoredPurchase
from regulars_loyalty.application.publish_programme import View
from regulars_loyalty.domain.purchase import Line
from regulars_loyalty.domain.refusals import UnknownPurchase


async def read_purchase(purchase_id: UUID, begin: Begin) -> View:
    """The purchase with its lines. Raises UnknownPurchase."""
    async with begin() as unit:
        stored = await unit.purchase(purchase_id)
        if stored is None:
            raise UnknownPurchase("there is no such purchase")
        return _view(stored)


def _view(stored: StoredPurchase) -> View:
    row, purchase = stored.row, stored.row.purchase
    parts = zip(purchase.lines, row.line_points, stored.bought.returned, strict=True)
    return {
        "purchase_id": str(purchase.purchase_id),
        "customer_id": row.customer_id and str(row.customer_id),
        "programme": row.programme,
        "store": purchase.receipt.store,
        "till": purchase.receipt.till,
        "receipt_no": purchase.receipt.number,
        "business_date": purchase.receipt.business_date.isoformat(),
        "occurred_at": purchase.occurred_at.isoformat(),
        "recorded_at": row.recorded_at.isoformat(),
        "channel": purchase.channel,
        "currency": purchase.currency,
        "total_minor": purchase.total_minor,
        "tier": row.tier,
        "earned": row.earned,
        "points_paid": row.paid,
        "coupons": list(row.coupons),
        "offers": list(row.offers),
        "lines": [_line(line, points, returned) for line, points, returned in parts],
    }


def _line(line: Line, points: int, returned: Fraction) -> View:
    return {
        "line_id": line.line_id,
        "sku": line.sku,
        "category": line.category,
        "quantity": quantity_text(line.quantity_milli),
        "net_minor": line.net_minor,
        "discount_minor": line.discount_minor,
        "cost_minor": line.cost_minor,
        "points": points,
        "returned_quantity": quantity_text(int(line.quantity_milli * returned)),
    }


def quantity_text(milli: int) -> str:
    """A quantity in thousandths as a decimal string without trailing zeros: 1500 is "1.5"."""
    whole, thousandths = divmod(milli, 1000)
    return f"{whole}.{thousandths:03}".rstrip("0").rstrip(".")
