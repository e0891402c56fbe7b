"""Values of the domain as rows of the tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from regulars_loyalty.application.ports import FactRow, Passbook, PurchaseRow
from regulars_loyalty.domain.account import Bought, Lot, Standing
from regulars_loyalty.domain.facts import (
    Fact,
    PointsAdjusted,
    PointsRedeemed,
    PurchaseMade,
    PurchaseReturned,
    RedemptionReversed,
    ReturnedShare,
)
from regulars_loyalty.domain.posting import Posting

Values = tuple[object, ...]
"""A row in the order of its part's columns."""

KINDS: dict[type[Fact], str] = {
    PurchaseReturned: "return",
    PointsRedeemed: "redemption",
    RedemptionReversed: "reversal",
    PointsAdjusted: "adjustment",
}


def account_values(passbook: Passbook, recorded_at: datetime) -> Values:
    account, owner = passbook.account, passbook.owner
    return (
        account.account_id,
        owner.customer_id,
        owner.programme,
        owner.wallet,
        passbook.seq,
        passbook.fact_no,
        passbook.head,
        account.spendable,
        account.debt,
        account.visits,
        account.tier,
        _standings_json(account.standings),
        account.newest_at,
        account.calm_since,
        account.next_due_at,
        recorded_at,
        passbook.revision + 1,
    )


def _standings_json(standings: dict[int, Standing]) -> str:
    # Written out, as every purchase pays for it.
    years = [f'"{year}":[{standing.total},{standing.peak}]' for year, standing in standings.items()]
    return "{" + ",".join(years) + "}"


def standings_of(stored: Mapping[str, tuple[int, int]]) -> dict[int, Standing]:
    return {int(year): Standing(total, peak) for year, (total, peak) in stored.items()}


def purchase_values(row: PurchaseRow) -> Values:
    purchase, first = row.purchase, row.first.first
    receipt = purchase.receipt
    return (
        purchase.purchase_id,
        row.account_id,
        row.customer_id,
        row.fact_no,
        row.programme,
        row.version,
        receipt.store,
        receipt.till,
        receipt.business_date,
        receipt.number,
        purchase.occurred_at,
        purchase.currency,
        purchase.channel,
        purchase.paid_in_points_minor,
        row.identifier_hash,
        row.known_at,
        row.recorded_at,
        row.earned,
        row.paid,
        row.credit,
        row.tier,
        row.visit,
        row.expires_at,
        _texts_json(row.coupons),
        _texts_json(row.offers),
        row.captured_at,
        row.sequence_no,
        first.client,
        first.idempotency_key,
        first.content_hash,
        first.answer,
        row.first.sale_hash,
    )


def _texts_json(texts: tuple[str, ...]) -> str:
    return json.dumps(texts) if texts else "[]"


def line_values(row: PurchaseRow) -> Iterator[Values]:
    purchase_id = row.purchase.purchase_id
    for number, (line, points) in enumerate(zip(row.purchase.lines, row.line_points, strict=True)):
        yield (
            purchase_id,
            number,
            line.line_id,
            line.sku,
            line.category,
            line.quantity_milli,
            line.net_minor,
            line.discount_minor,
            line.cost_minor,
            points,
        )


def price_values(bought: Bought) -> Values:
    price = bought.price
    return (
        bought.purchase_id,
        price.earned,
        price.paid,
        price.credit,
        price.tier,
        price.visit,
        price.expires_at,
    )


def fact_values(row: FactRow) -> Values:
    fact, first, receipt = row.fact, row.first, row.receipt
    return (
        fact.fact_id,
        row.account_id,
        row.fact_no,
        KINDS[type(fact)],
        fact.at,
        row.recorded_at,
        row.recorded_at,
        first.client,
        first.idempotency_key,
        first.content_hash,
        first.answer,
        row.purchase_id,
        fact.redemption_id if isinstance(fact, RedemptionReversed) else None,
        receipt and receipt.store,
        receipt and receipt.till,
        receipt and receipt.business_date,
        receipt and receipt.number,
        json.dumps({**_payload(fact), **_given_back(row)}),
        json.dumps(row.details),
    )


def _payload(fact: Fact) -> dict[str, object]:
    """What of the fact stands in no column of its own; `fact_of` reads it."""
    if isinstance(fact, PurchaseReturned):
        return {"shares": [[str(each.purchase_id), each.line, str(each.share)] for each in fact.shares]}
    if isinstance(fact, PointsAdjusted):
        return {"points": fact.points, "expires_at": fact.expires_at and fact.expires_at.isoformat()}
    if isinstance(fact, PurchaseMade):
        raise TypeError("a purchase has a table of its own")
    return {"points": fact.points}


def _given_back(row: FactRow) -> dict[str, object]:
    """The money of a return, purchase by purchase, as it was told; nothing for other facts."""
    if not row.told:
        return {}
    return {
        "given_back": [
            {
                "purchase_id": told.purchase_id and str(told.purchase_id),
                "customer_id": told.customer_id and str(told.customer_id),
                "currency": told.currency,
                "net_minor": sum(line.net_minor for line in told.lines),
                "voided": told.is_void,
            }
            for told in row.told
        ]
    }


def fact_of(kind: str, fact_id: UUID, at: datetime, redemption_id: UUID | None, content: Mapping[str, Any]) -> Fact:
    """The fact of a stored row, `content` its payload."""
    if kind == KINDS[PurchaseReturned]:
        shares = (ReturnedShare(UUID(each), line, Fraction(share)) for each, line, share in content["shares"])
        return PurchaseReturned(fact_id, at, tuple(shares))
    if kind == KINDS[PointsAdjusted]:
        ends = content["expires_at"]
        return PointsAdjusted(fact_id, at, content["points"], ends and datetime.fromisoformat(ends))
    if redemption_id is not None:
        return RedemptionReversed(fact_id, at, redemption_id, content["points"])
    return PointsRedeemed(fact_id, at, content["points"])


def lot_values(account_id: UUID, lot: Lot) -> Values:
    return (lot.lot_id, account_id, lot.origin, lot.issued, lot.remaining, lot.activated_at, lot.expires_at)


def posting_values(posting: Posting) -> Values:
    return (
        posting.account_id,
        posting.account_seq,
        posting.at,
        posting.recorded_at,
        posting.source,
        posting.target,
        posting.points,
        posting.lot_id,
        posting.fact_id,
        posting.cause,
        posting.late_fact_id,
        posting.hash,
    )
