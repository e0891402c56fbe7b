"""Published events in campaign's own words."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from regulars_campaign.domain.heard import Balance, Purchase, Return, Score
from regulars_contracts.events import loyalty
from regulars_contracts.events.loyalty import PurchaseRecorded, PurchaseReturned
from regulars_contracts.events.scoring import CustomerScored
from regulars_kit.values import CustomerId


def balance_of(programme: str, balance: loyalty.Balance) -> Balance:
    return Balance(programme, balance.spendable - balance.debt, balance.account_seq)


def purchase_of(event: PurchaseRecorded) -> Purchase:
    parts: defaultdict[str, int] = defaultdict(int)
    for line in event.lines:
        if line.category is not None:
            parts[line.category] += line.net_minor
    return Purchase(
        id=event.purchase_id,
        customer_id=None if event.customer_id is None else CustomerId(event.customer_id),
        at=event.occurred_at,
        store=event.store,
        channel=event.channel,
        currency=event.currency,
        total_minor=event.total_minor,
        parts=parts,
        categories={line.line_id: line.category for line in event.lines if line.category is not None},
    )


def return_of(event: PurchaseReturned) -> Return:
    lines: defaultdict[str, int] = defaultdict(int)
    for line in event.lines:
        if line.line_id is not None:
            lines[line.line_id] += line.net_minor
    return Return(
        id=event.return_id,
        purchase_id=event.purchase_id,
        customer_id=None if event.customer_id is None else CustomerId(event.customer_id),
        at=event.occurred_at,
        store=event.store,
        currency=event.currency,
        total_minor=sum(line.net_minor for line in event.lines),
        lines=lines,
        is_void=event.voided,
    )


def score_of(event: CustomerScored) -> Score:
    return Score(
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
