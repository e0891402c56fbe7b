"""Postings are numbered without gaps and chained by hashes that anybody can compute."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from regulars_loyalty.domain.account import Bucket, Cause, Move
from regulars_loyalty.domain.posting import GENESIS, chain_hash, write_down

ACCOUNT = UUID("acc00000-0000-4000-8000-000000000001")
SALE = UUID("5a1e0000-0000-4000-8000-000000000001")
AT = datetime(2026, 2, 10, 11, 0, tzinfo=UTC)
RECORDED = datetime(2026, 2, 10, 11, 0, 1, 250_000, tzinfo=UTC)
EARNED = Move(AT, Bucket.ISSUED, Bucket.SPENDABLE, 19, SALE, SALE, Cause.PURCHASE)
OWED = Move(AT, Bucket.DEBT, Bucket.CLAWED_BACK, 5, None, SALE, Cause.RETURN)

# Written by hand: RFC 8785 sorts the names and leaves no space.
FIRST = (
    '{"account":"acc00000-0000-4000-8000-000000000001","at":"2026-02-10T11:00:00.000000+00:00","cause":"purchase",'
    '"fact":"5a1e0000-0000-4000-8000-000000000001","late_fact":null,"lot":"5a1e0000-0000-4000-8000-000000000001",'
    '"points":19,"recorded_at":"2026-02-10T11:00:01.250000+00:00","seq":1,"source":"issued","target":"spendable"}'
)
SECOND = (
    '{"account":"acc00000-0000-4000-8000-000000000001","at":"2026-02-10T11:00:00.000000+00:00","cause":"return",'
    '"fact":"5a1e0000-0000-4000-8000-000000000001","late_fact":"5a1e0000-0000-4000-8000-000000000001","lot":null,'
    '"points":5,"recorded_at":"2026-02-10T11:00:01.250000+00:00","seq":2,"source":"debt","target":"clawed_back"}'
)
GOLDEN = "c936e89bc15b523af67c2d64fcf0b456a86ebf7cff933d61ad8d86eca7027030"


def test_the_hash_is_that_of_the_previous_one_followed_by_this_postings_json() -> None:
    first = chain_hash(GENESIS, ACCOUNT, 1, EARNED, RECORDED, None)
    assert first == sha256(bytes(32) + FIRST.encode()).digest()
    assert first.hex() == GOLDEN
    assert chain_hash(first, ACCOUNT, 2, OWED, RECORDED, SALE) == sha256(first + SECOND.encode()).digest()


def test_postings_go_on_from_the_number_and_hash_before() -> None:
    first, second = write_down(ACCOUNT, 41, b"\x07" * 32, [EARNED, OWED], RECORDED, SALE)
    assert (first.account_seq, second.account_seq) == (42, 43)
    assert first.hash == chain_hash(b"\x07" * 32, ACCOUNT, 42, EARNED, RECORDED, SALE)
    assert second.hash == chain_hash(first.hash, ACCOUNT, 43, OWED, RECORDED, SALE)
    assert [first.move, second.move] == [EARNED, OWED]


def test_any_change_changes_the_hash() -> None:
    hashes = {
        chain_hash(GENESIS, ACCOUNT, 1, EARNED, RECORDED, None),
        chain_hash(b"\x01" * 32, ACCOUNT, 1, EARNED, RECORDED, None),
        chain_hash(GENESIS, SALE, 1, EARNED, RECORDED, None),
        chain_hash(GENESIS, ACCOUNT, 2, EARNED, RECORDED, None),
        chain_hash(GENESIS, ACCOUNT, 1, OWED, RECORDED, None),
        chain_hash(GENESIS, ACCOUNT, 1, EARNED, AT, None),
        chain_hash(GENESIS, ACCOUNT, 1, EARNED, RECORDED, SALE),
    }
    assert len(hashes) == 7
