"""An account's ledger as anybody reads it, checked entry by entry as it grows: numbers, chain, books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.books import check_books
from regulars_loyalty.domain.account import Bucket, Cause, Move
from regulars_loyalty.domain.posting import GENESIS, chain_hash

Entry = Mapping[str, Any]


class Ledger:
    """What has been read so far."""

    def __init__(self) -> None:
        self.seq = 0
        self._head = GENESIS
        self._entries: list[Entry] = []
        self._books: Counter[Bucket] = Counter()

    def read_on(self, entries: Sequence[Entry]) -> None:
        """`account_seq` is dense, and each hash chains its entry to the one before."""
        for entry in entries:
            self.seq += 1
            assert entry["account_seq"] == self.seq
            move = _move(entry)
            late = entry["late_fact_id"] and UUID(entry["late_fact_id"])
            account_id = UUID(entry["entry_id"].rpartition(".")[0])
            recorded_at = datetime.fromisoformat(entry["recorded_at"])
            self._head = chain_hash(self._head, account_id, self.seq, move, recorded_at, late)
            assert entry["hash"] == self._head.hex()
            self._books[move.source] -= move.points
            self._books[move.target] += move.points
            self._entries.append(entry)

    def check(self, totals: Mapping[str, Any]) -> None:
        """I1, I4 and I6: the stored balance is what the entries add up to. I3: nothing comes back that had not gone."""
        check_books(self._books, totals["spendable"], totals["debt"])
        for bucket in (Bucket.REDEEMED, Bucket.EXPIRED, Bucket.CLAWED_BACK, Bucket.ADJUSTED):
            assert self._books[bucket] == totals[bucket] >= 0
        assert totals["issued"] == -self._books[Bucket.ISSUED] >= 0

    def check_nothing_changed(self, entries: Sequence[Entry]) -> None:
        """I5: the entries of today are those that were read when they were new."""
        assert list(entries) == self._entries


def _move(entry: Entry) -> Move:
    return Move(
        datetime.fromisoformat(entry["occurred_at"]),
        Bucket(entry["from"]),
        Bucket(entry["to"]),
        entry["points"],
        entry["lot_id"] and UUID(entry["lot_id"]),
        UUID(entry["fact_id"]),
        Cause(entry["cause"]),
    )
