"""Explain a posting: why it moved as many points, down to line, rule, factor and remainder; and what came of them."""

from __future__ import annotations

from fractions import Fraction
from uuid import UUID

from regulars_loyalty.application.ports import Begin, LoyaltyUnit, StoredPurchase
from regulars_loyalty.application.publish_programme import View
from regulars_loyalty.application.read_ledger import entry
from regulars_loyalty.domain.account import Cause
from regulars_loyalty.domain.facts import PurchaseReturned, RedemptionReversed
from regulars_loyalty.domain.posting import Posting
from regulars_loyalty.domain.pricing import Price, price
from regulars_loyalty.domain.programme import Version
from regulars_loyalty.domain.refusals import UnknownEntry


async def explain_entry(entry_id: str, begin: Begin) -> View:
    """The posting, its cause in full, and every later posting of the same lot. Raises UnknownEntry."""
    account_id, seq = _parse(entry_id)
    async with begin() as unit:
        posting = await unit.posting(account_id, seq)
        if posting is None:
            raise UnknownEntry("there is no such ledger entry")
        return {
            "entry": entry(posting),
            "because": await _because(unit, posting),
            "afterwards": [entry(later) for later in await _afterwards(unit, posting)],
        }


def _parse(entry_id: str) -> tuple[UUID, int]:
    account, _, seq = entry_id.rpartition(".")
    try:
        number = int(seq)
        if not 0 < number < 2**63:
            raise ValueError(seq)
        return UUID(account), number
    except ValueError:
        raise UnknownEntry("an entry is named by its account's id, a dot and its number") from None


async def _afterwards(unit: LoyaltyUnit, posting: Posting) -> list[Posting]:
    if posting.lot_id is None:
        return []
    return [each for each in await unit.postings_of_lot(posting.lot_id) if each.account_seq > posting.account_seq]


async def _because(unit: LoyaltyUnit, posting: Posting) -> View:
    if posting.cause is Cause.EXPIRY:
        return {"kind": "expiry", "lot_id": str(posting.fact_id), "rule": "the lot passed its date (P4)"}
    purchase = await unit.purchase(posting.fact_id)
    if purchase is not None:
        return await _because_of_purchase(unit, posting, purchase)
    row = await unit.fact(posting.fact_id)
    if row is None:
        return {"kind": posting.cause, "fact_id": str(posting.fact_id)}
    told: View = {"kind": posting.cause, "fact_id": str(posting.fact_id), **row.details}
    if isinstance(row.fact, PurchaseReturned):
        told["lines"] = [
            {"purchase_id": str(share.purchase_id), "line": share.line, "share": str(share.share)}
            for share in row.fact.shares
        ]
    elif isinstance(row.fact, RedemptionReversed):
        told["redemption_id"] = str(row.fact.redemption_id)
    return told


async def _because_of_purchase(unit: LoyaltyUnit, posting: Posting, stored: StoredPurchase) -> View:
    row = stored.row
    version = (await unit.programmes()).named(row.programme).numbered(row.version)
    told: View = {
        "kind": posting.cause,
        "purchase_id": str(row.purchase.purchase_id),
        "programme": row.programme,
        "version": row.version,
        "tier": row.tier,
    }
    if posting.cause is Cause.TENDER:
        return told | {"point_value": str(version.point_value[row.purchase.currency]), "points_paid": row.paid}
    priced = price(row.purchase, version, row.tier, row.visit - 1)
    return told | _pricing(stored, version, priced)


def _pricing(stored: StoredPurchase, version: Version, priced: Price) -> View:
    """The arithmetic of P1 and P2, re-done from the version of the purchase's day: it gives the points posted."""
    row = stored.row
    tier = version.tier(row.tier)
    rules = {rule.code: rule for rule in version.rules}
    lines = zip(row.purchase.lines, row.line_points, priced.line_exact, priced.line_rules, strict=True)
    return {
        "rate": _factor(version.earn[row.purchase.currency]),
        "tier_multiplier": _factor(tier.multiplier) if tier else None,
        "exact": _factor(priced.exact),
        "floored": int(priced.exact),
        "remainder": _factor(priced.exact - int(priced.exact)),
        "earned": row.earned,
        "lines": [
            {
                "line_id": line.line_id,
                "net_minor": line.net_minor,
                "exact": _factor(exact),
                "points": points,
                "rules": [
                    {"code": code, "multiplier": _factor(rules[code].multiplier), "bonus": rules[code].bonus}
                    for code in codes
                ],
            }
            for line, points, exact, codes in lines
        ],
    }


def _factor(value: Fraction) -> str:
    """An exact factor as text: "1.5" where decimals can say it, else "1/3"."""
    scaled = value * 10**9
    if scaled.denominator != 1:
        return str(value)
    whole, billionths = divmod(scaled.numerator, 10**9)
    return f"{whole}.{billionths:09}".rstrip("0").rstrip(".")
