"""Accounts: found, locked, and due; and who holds an identifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from regulars_kit.values import new_id
from regulars_loyalty.adapters.db.arrays import array, cast
from regulars_loyalty.adapters.db.rows import standings_of
from regulars_loyalty.adapters.db.session import COUNT_VERSIONS, Row, Session
from regulars_loyalty.application.ports import Owner, Passbook
from regulars_loyalty.domain.account import Account

# One look-up and lock after the other, in the order given: no plan can lock them in another one. An owner without an
# account has a row without one.
_WANTED = f"""
    SELECT account.*, {{beside}} AS versions
    FROM unnest($1{cast("uuid")}, $2{cast("text")}, $3{cast("text")}) AS wanted (customer_id, programme, wallet)
    LEFT JOIN LATERAL (
        SELECT * FROM accounts
        WHERE accounts.customer_id = wanted.customer_id AND accounts.programme = wanted.programme
            AND accounts.wallet = wanted.wallet
        {{lock}}
    ) AS account ON true
"""
_LOCK = _WANTED.format(lock="FOR UPDATE", beside="NULL")
_PEEK = _WANTED.format(lock="", beside=f"({COUNT_VERSIONS})")
_LOCK_STANDING = f"""
    SELECT account.account_id
    FROM unnest($1{cast("uuid")}, $2{cast("bigint")}) AS read (account_id, revision)
    CROSS JOIN LATERAL (
        SELECT account_id FROM accounts
        WHERE accounts.account_id = read.account_id AND accounts.revision = read.revision
        FOR UPDATE SKIP LOCKED
    ) AS account
"""
_LOCK_ONE = "SELECT * FROM accounts WHERE account_id = $1 FOR UPDATE"
_OF_CUSTOMER = "SELECT * FROM accounts WHERE customer_id = $1 ORDER BY programme, wallet"
_HELD = """
    SELECT identifier_hash, customer_id FROM identifiers
    WHERE identifier_hash = ANY ($1::text[]) AND customer_id IS NOT NULL
"""
_DUE = """
    SELECT account_id FROM accounts WHERE next_due_at <= $1 AND recorded_at < $2 ORDER BY next_due_at LIMIT $3
"""

# What nobody holds gets a row too, locked until the commit. So a purchase shown an identifier and the event that links
# it take turns: either the purchase finds its customer, or the link finds the waiting purchase.
_HOLDERS = """
    WITH held AS (
        SELECT identifier_hash, customer_id FROM identifiers
        WHERE identifier_hash = ANY ($1::text[]) AND customer_id IS NOT NULL
    ), met AS (
        INSERT INTO identifiers AS identifier (identifier_hash)
        SELECT identifier_hash FROM unnest($1::text[]) WITH ORDINALITY AS shown (identifier_hash, place)
        WHERE identifier_hash NOT IN (SELECT identifier_hash FROM held) ORDER BY place
        ON CONFLICT (identifier_hash) DO UPDATE SET customer_id = identifier.customer_id
        RETURNING identifier_hash, customer_id
    )
    SELECT * FROM held UNION ALL SELECT * FROM met WHERE customer_id IS NOT NULL
"""
_LINK = """
    INSERT INTO identifiers (identifier_hash, customer_id) SELECT linked, $2 FROM unnest($1::text[]) AS linked
    ON CONFLICT (identifier_hash) DO UPDATE SET customer_id = excluded.customer_id
"""
_UNLINK = "UPDATE identifiers SET customer_id = NULL WHERE identifier_hash = $1 AND customer_id = $2"


async def lock(session: Session, owners: Sequence[Owner], *, open_missing: bool) -> dict[Owner, Passbook]:
    passbooks = await _read(session, _LOCK, owners)
    return _with_missing(passbooks, owners) if open_missing else passbooks


async def peek(session: Session, owners: Sequence[Owner]) -> dict[Owner, Passbook]:
    return _with_missing(await _read(session, _PEEK, owners), owners)


async def lock_standing(session: Session, passbooks: Sequence[Passbook]) -> list[Passbook]:
    there = [passbook for passbook in passbooks if not passbook.is_new]
    ids, revisions = [each.account.account_id for each in there], [each.revision for each in there]
    rows = await session.fetch(_LOCK_STANDING, array("uuid", ids), array("bigint", revisions)) if there else []
    standing = {row["account_id"] for row in rows}
    return [each for each in passbooks if each.is_new or each.account.account_id in standing]


async def _read(session: Session, statement: str, owners: Sequence[Owner]) -> dict[Owner, Passbook]:
    if not owners:
        return {}
    columns = zip(*sorted(set(owners)), strict=True)
    arrays = [array(kind, values) for kind, values in zip(("uuid", "text", "text"), columns, strict=True)]
    passbooks: dict[Owner, Passbook] = {}
    rows = await session.fetch(statement, *arrays)
    if rows[0]["versions"] is not None:
        session.note_versions(rows[0]["versions"])
    for row in rows:
        if row["account_id"] is not None:
            passbook = passbook_of(row)
            passbooks[passbook.owner] = passbook
    return passbooks


def _with_missing(passbooks: dict[Owner, Passbook], owners: Sequence[Owner]) -> dict[Owner, Passbook]:
    for owner in owners:
        if owner not in passbooks:
            passbooks[owner] = Passbook(owner, Account(new_id()), is_new=True)
    return passbooks


async def lock_account(session: Session, account_id: UUID) -> Passbook:
    rows = await session.fetch(_LOCK_ONE, account_id)
    return passbook_of(rows[0])


async def accounts_of(session: Session, customer_id: UUID) -> list[Passbook]:
    return [passbook_of(row) for row in await session.fetch(_OF_CUSTOMER, customer_id)]


async def due_accounts(session: Session, at: datetime, quiet_since: datetime, limit: int) -> list[UUID]:
    return [row["account_id"] for row in await session.fetch(_DUE, at, quiet_since, limit)]


async def customer_of(session: Session, identifier_hashes: Sequence[str]) -> Mapping[str, UUID]:
    rows = await session.fetch(_HOLDERS, sorted(set(identifier_hashes)))
    return {row["identifier_hash"]: row["customer_id"] for row in rows}


async def holders_of(session: Session, identifier_hashes: Sequence[str]) -> Mapping[str, UUID]:
    rows = await session.fetch(_HELD, identifier_hashes)
    return {row["identifier_hash"]: row["customer_id"] for row in rows}


async def link_identifiers(session: Session, identifier_hashes: Sequence[str], customer_id: UUID) -> None:
    await session.execute(_LINK, sorted(set(identifier_hashes)), customer_id)


async def unlink_identifier(session: Session, identifier_hash: str, customer_id: UUID) -> None:
    await session.execute(_UNLINK, identifier_hash, customer_id)


def passbook_of(row: Row) -> Passbook:
    account = Account(
        row["account_id"],
        tier=row["tier"],
        spendable=row["spendable"],
        debt=row["debt"],
        visits=row["visits"],
        newest_at=row["newest_at"],
        calm_since=row["calm_since"],
        next_due_at=row["next_due_at"],
        standings=standings_of(row["standings"]),
    )
    return Passbook(
        _owner_of(row), account, seq=row["seq"], fact_no=row["fact_no"], head=row["head"], revision=row["revision"]
    )


def _owner_of(row: Row) -> Owner:
    return Owner(row["customer_id"], row["programme"], row["wallet"])
