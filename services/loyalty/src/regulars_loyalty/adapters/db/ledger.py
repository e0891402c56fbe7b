"""Lots and postings read back, and what they sum up to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from math import floor
from uuid import UUID

from regulars_loyalty.adapters.db.purchases import purchase
from regulars_loyalty.adapters.db.session import Row, Session
from regulars_loyalty.application.ports import Passbook, Totals
from regulars_loyalty.domain.account import Bucket, Cause, Lot, Move, Spend
from regulars_loyalty.domain.posting import Posting

_OPEN_LOTS = "SELECT * FROM lots WHERE account_id = $1 AND remaining > 0 ORDER BY lot_id"
_LOTS = "SELECT * FROM lots WHERE lot_id = ANY ($1::uuid[])"
_LOTS_OF = """
    SELECT * FROM lots WHERE account_id = $1 AND ($3::uuid IS NULL OR lot_id > $3) ORDER BY lot_id LIMIT $2
"""
_POSTINGS = "SELECT * FROM postings WHERE account_id = $1 AND account_seq > $2 ORDER BY account_seq LIMIT $3"
_POSTING = "SELECT * FROM postings WHERE account_id = $1 AND account_seq = $2"
_POSTINGS_OF_LOT = "SELECT * FROM postings WHERE lot_id = $1 ORDER BY account_id, account_seq"

# What a fact took, net of later differences, in the order in which it took it: lots are spent soonest expiry first
# (P3), whenever the ledger heard of them; what was borrowed comes last.
_SLICES = """
    SELECT posting.fact_id, posting.lot_id,
        sum(CASE WHEN posting.source IN ('spendable', 'debt') THEN posting.points ELSE -posting.points END)::bigint
            AS points
    FROM postings AS posting LEFT JOIN lots AS lot USING (lot_id)
    WHERE posting.fact_id = ANY ($1::uuid[]) AND posting.cause IN ('redemption', 'tender', 'adjustment')
        AND 'issued' NOT IN (posting.source, posting.target)
    GROUP BY posting.fact_id, posting.lot_id, lot.expires_at, lot.activated_at
    HAVING sum(CASE WHEN posting.source IN ('spendable', 'debt') THEN posting.points ELSE -posting.points END) <> 0
    ORDER BY posting.lot_id IS NULL, lot.expires_at NULLS LAST, lot.activated_at, posting.lot_id
"""
_REVERSED = """
    SELECT redemption_id, sum((payload ->> 'points')::bigint)::bigint AS points FROM facts
    WHERE redemption_id = ANY ($1::uuid[]) GROUP BY redemption_id
"""
_WHOLE_TABLES = "SET LOCAL enable_seqscan = on"
# Points into the bucket, less those out of it.
_FLOWS = """
    SELECT side.bucket, sum(side.points)::bigint AS points
    FROM postings AS posting JOIN accounts USING (account_id)
    CROSS JOIN LATERAL (VALUES (posting.target, posting.points), (posting.source, -posting.points))
        AS side (bucket, points)
    WHERE programme = $1 GROUP BY side.bucket
"""
_BALANCES = """
    SELECT tier, count(*) AS accounts, sum(spendable)::bigint AS spendable, sum(debt)::bigint AS debt
    FROM accounts WHERE programme = $1 GROUP BY tier
"""


async def load_lots(session: Session, passbook: Passbook) -> None:
    _put(passbook, await session.fetch(_OPEN_LOTS, passbook.account.account_id))
    passbook.has_lots = True


async def load_spends(session: Session, passbook: Passbook, fact_ids: Sequence[UUID]) -> None:
    spends = passbook.account.spends
    found = await spends_of(session, [fact_id for fact_id in fact_ids if fact_id not in spends])
    spends.update(found)
    taken_from = {lot_id for spend in found.values() for lot_id, _ in spend.slices if lot_id is not None}
    await _load_missing_lots(session, passbook, taken_from)


async def spends_of(session: Session, fact_ids: Sequence[UUID]) -> dict[UUID, Spend]:
    """What these facts spent; those that spent nothing are missing."""
    slices = defaultdict(list)
    for row in await session.fetch(_SLICES, fact_ids):
        slices[row["fact_id"]].append((row["lot_id"], row["points"]))
    reversed_points = {row["redemption_id"]: row["points"] for row in await session.fetch(_REVERSED, list(slices))}
    return {
        fact_id: Spend(taken, reversed_points.get(fact_id) or await _restored_by_returns(session, fact_id))
        for fact_id, taken in slices.items()
    }


async def _restored_by_returns(session: Session, fact_id: UUID) -> int:
    """Points paid for a purchase that came back with its lines; 0 where the fact is no purchase."""
    stored = await purchase(session, fact_id, for_update=False)
    if stored is None:
        return 0
    parts = zip(stored.bought.price.line_paid, stored.bought.returned, strict=True)
    return sum(floor(paid * returned) for paid, returned in parts)


async def _load_missing_lots(session: Session, passbook: Passbook, lot_ids: Collection[UUID]) -> None:
    missing = [lot_id for lot_id in lot_ids if lot_id not in passbook.account.lots]
    if missing:
        _put(passbook, await session.fetch(_LOTS, missing))


def _put(passbook: Passbook, rows: Sequence[Row]) -> None:
    """Lots that are there already may have changed since they were stored: they stay as they are."""
    for lot in map(_lot, rows):
        if lot.lot_id not in passbook.account.lots:
            passbook.account.lots[lot.lot_id] = lot
            passbook.stored_lots[lot.lot_id] = (lot.issued, lot.remaining)


async def lots_of(session: Session, account_id: UUID, *, limit: int, after: UUID | None) -> list[Lot]:
    return [_lot(row) for row in await session.fetch(_LOTS_OF, account_id, limit, after)]


async def postings_of(session: Session, account_id: UUID, *, limit: int | None, after_seq: int) -> list[Posting]:
    return [_posting(row) for row in await session.fetch(_POSTINGS, account_id, after_seq, limit)]


async def posting(session: Session, account_id: UUID, seq: int) -> Posting | None:
    row = await session.first(_POSTING, account_id, seq)
    return _posting(row) if row else None


async def postings_of_lot(session: Session, lot_id: UUID) -> list[Posting]:
    return [_posting(row) for row in await session.fetch(_POSTINGS_OF_LOT, lot_id)]


async def moves_of(session: Session, account_id: UUID) -> list[Move]:
    """Every move that was ever posted on the account, in order."""
    return [each.move for each in await postings_of(session, account_id, limit=None, after_seq=0)]


async def totals(session: Session, programme: str) -> Totals:
    await session.execute(_WHOLE_TABLES)
    flows = {Bucket(row["bucket"]): int(row["points"]) for row in await session.fetch(_FLOWS, programme)}
    balances = await session.fetch(_BALANCES, programme)
    return Totals(
        issued=-flows.get(Bucket.ISSUED, 0),
        redeemed=flows.get(Bucket.REDEEMED, 0),
        expired=flows.get(Bucket.EXPIRED, 0),
        clawed_back=flows.get(Bucket.CLAWED_BACK, 0),
        adjusted=flows.get(Bucket.ADJUSTED, 0),
        written_off=-flows.get(Bucket.WRITTEN_OFF, 0),
        spendable=sum(row["spendable"] for row in balances),
        debt=sum(row["debt"] for row in balances),
        accounts=sum(row["accounts"] for row in balances),
        tiers={row["tier"]: row["accounts"] for row in balances if row["tier"] is not None},
    )


def _lot(row: Row) -> Lot:
    return Lot(row["lot_id"], row["origin"], row["issued"], row["remaining"], row["activated_at"], row["expires_at"])


def _posting(row: Row) -> Posting:
    return Posting(
        row["account_id"],
        row["account_seq"],
        row["at"],
        row["recorded_at"],
        Bucket(row["source"]),
        Bucket(row["target"]),
        row["points"],
        row["lot_id"],
        row["fact_id"],
        Cause(row["cause"]),
        row["late_fact_id"],
        row["hash"],
    )
