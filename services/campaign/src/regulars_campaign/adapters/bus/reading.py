"""Published events in campaign's own words: what each tells, which may be several things."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from regulars_campaign.domain import heard
from regulars_campaign.domain.calendar import Moment
from regulars_campaign.domain.heard import Heard
from regulars_campaign.domain.rules import HasConsent
from regulars_contracts.events import customer, loyalty, scoring
from regulars_kit.values import CustomerId


def registered(event: customer.Registered) -> Sequence[Heard]:
    return [heard.Traits(CustomerId(event.customer_id), event.traits, event.registered_at)]


def traits_changed(event: customer.TraitsChanged) -> Sequence[Heard]:
    return [heard.Traits(CustomerId(event.customer_id), event.traits, event.occurred_at)]


def consent_changed(event: customer.ConsentChanged) -> Sequence[Heard]:
    way = HasConsent(event.purpose, event.channel)
    return [heard.Consent(CustomerId(event.customer_id), way, event.granted, event.occurred_at)]


def stage_changed(event: customer.StageChanged) -> Sequence[Heard]:
    return [heard.Stage(CustomerId(event.customer_id), event.to_stage, event.changed_at)]


def purchase_recorded(event: loyalty.PurchaseRecorded, zone: ZoneInfo) -> Sequence[Heard]:
    parts: defaultdict[str, int] = defaultdict(int)
    for line in event.lines:
        if line.category is not None:
            parts[line.category] += line.net_minor
    purchase = heard.Purchase(
        id=event.purchase_id,
        customer_id=_customer(event.customer_id),
        at=event.occurred_at,
        day=Moment.of(event.occurred_at, zone).today,
        store=event.store,
        channel=event.channel,
        currency=event.currency,
        total_minor=event.total_minor,
        parts=parts,
        categories={line.line_id: line.category for line in event.lines if line.category is not None},
    )
    return [purchase, *_balance_beside(event)]


def purchase_returned(event: loyalty.PurchaseReturned, zone: ZoneInfo) -> Sequence[Heard]:
    if event.voided:
        return [*_cancelled(event), *_balance_beside(event)]
    lines: defaultdict[str, int] = defaultdict(int)
    for line in event.lines:
        if line.line_id is not None:
            lines[line.line_id] += line.net_minor
    said = heard.Return(
        id=event.return_id,
        purchase_id=event.purchase_id,
        customer_id=_customer(event.customer_id),
        at=event.occurred_at,
        day=Moment.of(event.occurred_at, zone).today,
        store=event.store,
        currency=event.currency,
        total_minor=sum(line.net_minor for line in event.lines),
        lines=lines,
    )
    return [said, *_balance_beside(event)]


def purchase_claimed(event: loyalty.PurchaseClaimed) -> Sequence[Heard]:
    customer_id = CustomerId(event.customer_id)
    return [heard.Claim(event.purchase_id, customer_id), _balance(customer_id, event.programme, event.balance)]


def points_moved(event: loyalty.AccountEvent) -> Sequence[Heard]:
    return [_balance(CustomerId(event.customer_id), event.programme, event.balance)]


def tier_changed(event: loyalty.TierChanged) -> Sequence[Heard]:
    return [heard.Tier(CustomerId(event.customer_id), event.programme, event.to_tier, event.at)]


def customer_scored(event: scoring.CustomerScored) -> Sequence[Heard]:
    score = heard.Score(
        customer_id=CustomerId(event.customer_id),
        scored_at=event.scored_at,
        recency=event.rfm.recency,
        frequency=event.rfm.frequency,
        monetary=event.rfm.monetary,
        rfm_segment=event.rfm_segment,
        decile=event.decile,
        churn_band=event.churn_band,
        churn_90=Decimal(event.churn_90),
        p_alive=Decimal(event.p_alive),
        clv=event.clv_major,
        currency=event.currency,
    )
    return [score]


def churn_risk_raised(event: scoring.ChurnRiskRaised) -> Sequence[Heard]:
    return [heard.Alarm(CustomerId(event.customer_id))]


def _cancelled(event: loyalty.PurchaseReturned) -> Sequence[Heard]:
    if event.purchase_id is None:
        return []
    return [heard.Cancelled(event.purchase_id, _customer(event.customer_id))]


def _balance_beside(event: loyalty.PurchaseRecorded | loyalty.PurchaseReturned) -> Sequence[Heard]:
    """What nobody's purchase left of points is nobody's."""
    if event.customer_id is None or event.balance is None:
        return []
    return [_balance(CustomerId(event.customer_id), event.programme, event.balance)]


def _balance(customer_id: CustomerId, programme: str, balance: loyalty.Balance) -> heard.Balance:
    return heard.Balance(customer_id, programme, balance.spendable - balance.debt, balance.account_seq)


def _customer(customer_id: UUID | None) -> CustomerId | None:
    return None if customer_id is None else CustomerId(customer_id)
