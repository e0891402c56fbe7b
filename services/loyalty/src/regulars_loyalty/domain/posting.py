"""Postings: moves written down for good, each with its number on the account and the hash of its place in the chain."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from regulars_kit.values import value
from regulars_loyalty.domain.account import Bucket, Cause, Move

GENESIS = bytes(32)
"""The hash before an account's first posting."""


@value
class Posting:
    """One row of the ledger. `late_fact_id` names the late fact that made the difference necessary, else None.

    `at` is business time, `recorded_at` the server's. `account_seq` counts from 1 without gaps.
    """

    account_id: UUID
    account_seq: int
    at: datetime
    recorded_at: datetime
    source: Bucket
    target: Bucket
    points: int
    lot_id: UUID | None
    fact_id: UUID
    cause: Cause
    late_fact_id: UUID | None
    hash: bytes

    @property
    def move(self) -> Move:
        return Move(self.at, self.source, self.target, self.points, self.lot_id, self.fact_id, self.cause)


def write_down(
    account_id: UUID,
    seq: int,
    head: bytes,
    moves: Iterable[Move],
    recorded_at: datetime,
    late_fact_id: UUID | None = None,
) -> list[Posting]:
    """Number the moves after `seq` and chain them to `head`: the hash of the posting before, then this one's JSON."""
    postings = []
    for move in moves:
        seq += 1
        head = chain_hash(head, account_id, seq, move, recorded_at, late_fact_id)
        postings.append(
            Posting(
                account_id,
                seq,
                move.at,
                recorded_at,
                move.source,
                move.target,
                move.points,
                move.lot_id,
                move.fact_id,
                move.cause,
                late_fact_id,
                head,
            )
        )
    return postings


def chain_hash(
    previous: bytes, account_id: UUID, seq: int, move: Move, recorded_at: datetime, late_fact_id: UUID | None
) -> bytes:
    """SHA-256(hash of the account's previous posting followed by the canonical JSON (RFC 8785) of this one)."""
    # Written out: an encoder would take three times as long, and nothing here needs escaping.
    fact = str(move.fact_id)
    lot = f'"{fact}"' if move.lot_id is move.fact_id else _text_or_null(move.lot_id)
    content = (
        f'{{"account":"{account_id}","at":"{_instant(move.at)}","cause":"{move.cause}","fact":"{fact}",'
        f'"late_fact":{_text_or_null(late_fact_id)},"lot":{lot},"points":{move.points},'
        f'"recorded_at":"{_instant(recorded_at)}","seq":{seq},"source":"{move.source}","target":"{move.target}"}}'
    )
    return sha256(previous + content.encode()).digest()


def _text_or_null(identifier: UUID | None) -> str:
    return f'"{identifier}"' if identifier else "null"


@lru_cache(maxsize=1024)
def _instant(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds: one spelling for one instant."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
