"""Purchases, returns, points and tiers, in the words of our own domain."""

from __future__ import annotations

from uuid import UUID

from regulars_contracts.envelope import CloudEvent
from regulars_contracts.events import loyalty
from regulars_customer.adapters.bus.told import entry, part
from regulars_customer.domain.heard import Heard, Part, PartKind, Sale
from regulars_customer.domain.timeline import Figures, Kind
from regulars_kit.values import CustomerId


def purchase_recorded(event: loyalty.PurchaseRecorded, envelope: CloudEvent) -> Heard:
    figures = {
        "purchase_id": str(event.purchase_id),
        "programme": event.programme,
        "store": event.store,
        "channel": event.channel,
        "currency": event.currency,
        "total_minor": event.total_minor,
        "lines": len(event.lines),
        "earned": event.earned,
        "points_paid": event.points_paid,
    }
    owner = None if event.customer_id is None else CustomerId(event.customer_id)
    return Heard(
        envelope.time,
        entry(
            Kind.PURCHASE_RECORDED,
            envelope,
            event.customer_id,
            event.occurred_at,
            figures,
            purchase_id=event.purchase_id,
        ),
        _balance(event.customer_id, event.programme, event.wallet, event.balance, envelope),
        Sale(event.purchase_id, owner, event.occurred_at, event.currency, event.total_minor),
    )


def purchase_returned(event: loyalty.PurchaseReturned, envelope: CloudEvent) -> Heard | None:
    """None for what matched no purchase and is nobody's."""
    if event.customer_id is None and event.purchase_id is None:
        return None
    given_back = sum(line.net_minor for line in event.lines)
    figures = {
        "return_id": str(event.return_id),
        "purchase_id": None if event.purchase_id is None else str(event.purchase_id),
        "programme": event.programme,
        "store": event.store,
        "currency": event.currency,
        "returned_minor": given_back,
        "taken_back": event.taken_back,
        "restored": event.restored,
        "voided": event.voided,
    }
    sale_id = event.purchase_id or event.return_id
    owner = None if event.customer_id is None else CustomerId(event.customer_id)
    return Heard(
        envelope.time,
        entry(Kind.PURCHASE_RETURNED, envelope, event.customer_id, event.occurred_at, figures, purchase_id=sale_id),
        _balance(event.customer_id, event.programme, event.wallet, event.balance, envelope),
        Sale(sale_id, owner, currency=event.currency, returned_minor=given_back, is_voided=event.voided),
    )


def purchase_claimed(event: loyalty.PurchaseClaimed, envelope: CloudEvent) -> Heard:
    figures = {
        "purchase_id": str(event.purchase_id),
        "programme": event.programme,
        "purchase_day": event.purchase_day.isoformat(),
        "earned": event.earned,
    }
    owner = event.customer_id
    return Heard(
        envelope.time,
        entry(Kind.PURCHASE_CLAIMED, envelope, owner, event.occurred_at, figures, purchase_id=event.purchase_id),
        _balance(owner, event.programme, event.wallet, event.balance, envelope),
        Sale(event.purchase_id, CustomerId(owner)),
    )


def points_earned(event: loyalty.PointsEarned, envelope: CloudEvent) -> Heard:
    return _points(Kind.POINTS_EARNED, event, envelope, {"points": event.points, "origin": event.origin})


def points_spent(event: loyalty.PointsSpent, envelope: CloudEvent) -> Heard:
    return _points(Kind.POINTS_SPENT, event, envelope, {"points": event.points, "reward": event.reward})


def points_restored(event: loyalty.PointsRestored, envelope: CloudEvent) -> Heard:
    return _points(Kind.POINTS_RESTORED, event, envelope, {"points": event.points, "expired": event.expired})


def points_expired(event: loyalty.PointsExpired, envelope: CloudEvent) -> Heard:
    return _points(Kind.POINTS_EXPIRED, event, envelope, {"points": event.points})


def points_adjusted(event: loyalty.PointsAdjusted, envelope: CloudEvent) -> Heard:
    return _points(Kind.POINTS_ADJUSTED, event, envelope, {"points": event.points})


def balance_changed(event: loyalty.BalanceChanged, envelope: CloudEvent) -> Heard:
    """No line of the timeline: the event is said where no other tells why."""
    return Heard(
        envelope.time, part=_balance(event.customer_id, event.programme, event.wallet, event.balance, envelope)
    )


def tier_changed(event: loyalty.TierChanged, envelope: CloudEvent) -> Heard:
    figures = {
        "programme": event.programme,
        "tier": event.to_tier,
        "from_tier": event.from_tier,
        "since": event.at.isoformat(),
        "reason": event.reason,
        "kept_until": None if event.kept_until is None else event.kept_until.isoformat(),
    }
    return Heard(
        envelope.time,
        entry(Kind.TIER_CHANGED, envelope, event.customer_id, event.at, figures),
        part(PartKind.TIER, envelope, event.customer_id, event.programme, figures),
    )


def flag_raised(event: loyalty.FlagRaised, envelope: CloudEvent) -> Heard | None:
    """None for a flag that points at no customer."""
    if event.customer_id is None:
        return None
    figures = {"flag_id": str(event.flag_id), "kind": event.kind}
    return Heard(envelope.time, entry(Kind.FLAG_RAISED, envelope, event.customer_id, event.occurred_at, figures))


def _points(kind: Kind, event: loyalty.AccountEvent, envelope: CloudEvent, figures: Figures) -> Heard:
    told = {"programme": event.programme, "wallet": event.wallet, **figures}
    return Heard(
        envelope.time,
        entry(kind, envelope, event.customer_id, event.occurred_at, told),
        _balance(event.customer_id, event.programme, event.wallet, event.balance, envelope),
    )


def _balance(
    customer_id: UUID | None, programme: str, wallet: str, balance: loyalty.Balance | None, envelope: CloudEvent
) -> Part | None:
    if customer_id is None or balance is None:
        return None
    figures = {
        "programme": programme,
        "wallet": wallet,
        "spendable": balance.spendable,
        "pending": balance.pending,
        "held": balance.held,
        "debt": balance.debt,
    }
    return part(PartKind.BALANCE, envelope, customer_id, wallet, figures, rank=balance.account_seq)
