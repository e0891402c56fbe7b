"""Announcements in the published language: what the other services hear of purchases and points.

Written by `encode`, which checks nothing, since every purchase pays for it; the tests hold each event against its
model. Fields stand in the models' order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from regulars_contracts.envelope import encode, source_of
from regulars_contracts.events import Event, loyalty
from regulars_kit.bus import Message
from regulars_kit.values import new_id
from regulars_loyalty.domain import announcements as said
from regulars_loyalty.domain.programme import Version

SERVICE = "loyalty"
TOPIC = "regulars.loyalty"

_SOURCE = source_of(SERVICE)

Data = dict[str, object]


def message_of(announcement: said.Announcement, recorded_at: datetime) -> Message:
    """The announcement as an event on its way; each call makes another event id.

    The key is the customer's id. What is nobody's goes by its purchase, so that a return follows it, or by its own
    id; a programme by its code.
    """
    event, key_of, data_of = _PUBLISHED[type(announcement)]
    event_id, key = new_id(), str(key_of(announcement))
    body = encode(
        type=event.type, source=_SOURCE, subject=key, id=event_id, time=recorded_at, data=data_of(announcement)
    )
    return Message(event_id, event.type, key, body)


def _purchase_recorded(fact: said.PurchaseRecorded) -> Data:
    purchase, receipt = fact.purchase, fact.purchase.receipt
    return {
        "purchase_id": purchase.purchase_id,
        "customer_id": fact.customer_id,
        "programme": fact.programme,
        "wallet": fact.wallet,
        "store": receipt.store,
        "till": receipt.till,
        "channel": purchase.channel,
        "business_date": receipt.business_date,
        "occurred_at": purchase.occurred_at,
        "currency": purchase.currency,
        "total_minor": purchase.total_minor,
        "lines": [
            {
                "line_id": line.line_id,
                "sku": line.sku,
                "category": line.category,
                "quantity": quantity_text(line.quantity_milli),
                "net_minor": line.net_minor,
                "discount_minor": line.discount_minor or 0,
                "cost_minor": line.cost_minor,
                "points": points,
            }
            for line, points in zip(purchase.lines, fact.line_points, strict=True)
        ],
        "earned": fact.earned,
        "points_paid": fact.paid,
        "coupons": list(fact.coupons),
        "offers": list(fact.offers),
        "tier": fact.tier,
        "balance": _balance(fact.balance),
        "late": fact.is_late,
    }


def _purchase_returned(fact: said.PurchaseReturned) -> Data:
    return {
        "return_id": fact.return_id,
        "purchase_id": fact.purchase_id,
        "purchase_day": fact.purchase_day,
        "customer_id": fact.customer_id,
        "programme": fact.programme,
        "wallet": fact.wallet,
        "store": None,
        "till": None,
        "business_date": fact.business_date,
        "occurred_at": fact.occurred_at,
        "currency": fact.currency,
        "lines": [_returned_line(line) for line in fact.lines],
        "taken_back": fact.taken_back,
        "restored": fact.restored,
        "voided": fact.is_void,
        "flags": list(fact.flags),
        "balance": _balance(fact.balance),
        "late": fact.is_late,
    }


def _returned_line(line: said.ReturnedLine) -> Data:
    return {
        "line_id": line.line_id,
        "sku": line.sku,
        "quantity": None if line.quantity_milli is None else quantity_text(line.quantity_milli),
        "net_minor": line.net_minor,
        "cost_minor": line.cost_minor,
        "points": line.points,
    }


def _purchase_claimed(fact: said.PurchaseClaimed) -> Data:
    return {
        "purchase_id": fact.purchase.purchase_id,
        "purchase_day": fact.purchase.receipt.business_date,
        "customer_id": fact.customer_id,
        "programme": fact.programme,
        "wallet": fact.wallet,
        "occurred_at": fact.purchase.occurred_at,
        "earned": fact.earned,
        "taken_back": fact.taken_back,
        "tier": fact.tier,
        "balance": _balance(fact.balance),
    }


_OfAccount = said.PointsSpent | said.PointsRestored | said.PointsExpired | said.PointsAdjusted | said.BalanceChanged


def _of_account(fact: _OfAccount) -> Data:
    return {
        "customer_id": fact.customer_id,
        "programme": fact.programme,
        "wallet": fact.wallet,
        "occurred_at": fact.occurred_at,
        "balance": _balance(fact.balance),
    }


def _points_spent(fact: said.PointsSpent) -> Data:
    return {**_of_account(fact), "redemption_id": fact.redemption_id, "points": fact.points, "reward": None}


def _points_restored(fact: said.PointsRestored) -> Data:
    told = {"redemption_id": fact.redemption_id, "points": fact.points, "expired": fact.expired}
    return {**_of_account(fact), **told}


def _points_expired(fact: said.PointsExpired) -> Data:
    return {**_of_account(fact), "points": fact.points}


def _points_adjusted(fact: said.PointsAdjusted) -> Data:
    told = {"adjustment_id": fact.adjustment_id, "points": fact.points, "expires_at": fact.expires_at}
    return {**_of_account(fact), **told}


def _tier_changed(fact: said.TierChanged) -> Data:
    return {
        "customer_id": fact.customer_id,
        "programme": fact.programme,
        "from_tier": fact.from_tier,
        "to_tier": fact.to_tier,
        "at": fact.at,
        "reason": fact.reason,
        "kept_until": None,
    }


def _programme_published(fact: said.ProgrammePublished) -> Data:
    version = fact.version
    return {
        "code": version.programme,
        "version": version.number,
        "effective_from": version.effective_from,
        "time_zone": version.zone.key,
        "wallet": version.wallet,
        "stores": sorted(version.stores),
        "point_value": {currency: factor_text(value) for currency, value in version.point_value.items()},
        "margin_rate": fact.margin_rate,
        "expected_redemption": None,
        "return_period": fact.return_period,
        "tiers": _tiers(version),
    }


def _tiers(version: Version) -> list[Data]:
    return [
        {"code": tier.code, "threshold": tier.threshold, "multiplier": factor_text(tier.multiplier)}
        for tier in version.tiers
    ]


def _flag_raised(fact: said.FlagRaised) -> Data:
    return {
        "flag_id": fact.flag_id,
        "kind": fact.kind,
        "occurred_at": fact.occurred_at,
        "programme": fact.programme,
        "customer_id": fact.customer_id,
        "store": fact.store,
        "till": fact.till,
        "purchase_id": None,
        "return_id": fact.return_id,
    }


def _balance(balance: said.BalanceAfter | None) -> Data | None:
    """Nothing is pending or held before there are pending periods and holds."""
    if balance is None:
        return None
    return {
        "spendable": balance.spendable,
        "pending": 0,
        "held": 0,
        "debt": balance.debt,
        "account_seq": balance.account_seq,
    }


def quantity_text(milli: int) -> str:
    """Thousandths as a decimal text: 3000 is "3", 275 is "0.275"."""
    whole, rest = divmod(milli, 1000)
    return f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole)


def factor_text(factor: Fraction) -> str:
    """An exact factor as a decimal where it is one ("1.5"), else as a fraction ("1/3")."""
    decimal = Decimal(factor.numerator) / Decimal(factor.denominator)
    text = format(decimal, "f")
    return text if Fraction(text) == factor else str(factor)


def _customer(fact: Any) -> object:
    return fact.customer_id


def _customer_or_purchase(fact: said.PurchaseRecorded) -> UUID:
    return fact.customer_id or fact.purchase.purchase_id


def _customer_or_return(fact: said.PurchaseReturned) -> UUID:
    return fact.customer_id or fact.purchase_id or fact.return_id


def _customer_or_flag(fact: said.FlagRaised) -> UUID:
    return fact.customer_id or fact.return_id or fact.flag_id


def _code(fact: said.ProgrammePublished) -> str:
    return fact.version.programme


_Row = tuple[type[Event], Callable[[Any], object], Callable[[Any], Data]]

_PUBLISHED: dict[type[said.Announcement], _Row] = {
    said.PurchaseRecorded: (loyalty.PurchaseRecorded, _customer_or_purchase, _purchase_recorded),
    said.PurchaseReturned: (loyalty.PurchaseReturned, _customer_or_return, _purchase_returned),
    said.PurchaseClaimed: (loyalty.PurchaseClaimed, _customer, _purchase_claimed),
    said.PointsSpent: (loyalty.PointsSpent, _customer, _points_spent),
    said.PointsRestored: (loyalty.PointsRestored, _customer, _points_restored),
    said.PointsExpired: (loyalty.PointsExpired, _customer, _points_expired),
    said.PointsAdjusted: (loyalty.PointsAdjusted, _customer, _points_adjusted),
    said.BalanceChanged: (loyalty.BalanceChanged, _customer, _of_account),
    said.TierChanged: (loyalty.TierChanged, _customer, _tier_changed),
    said.ProgrammePublished: (loyalty.ProgrammePublished, _code, _programme_published),
    said.FlagRaised: (loyalty.FlagRaised, _customer_or_flag, _flag_raised),
}
