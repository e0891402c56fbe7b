"""The judge of the kill test sees each planted wrong, also where the balance equals its ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from system.books import (
    RECORDED,
    Verdict,
    canonical,
    check_announcements,
    check_balance,
    check_chain,
    check_facts,
)
from system.tills import Book, Told

CUSTOMER, ACCOUNT = uuid4(), uuid4()
Entry = dict[str, Any]


def a_posting(number: int, fact: UUID, points: int, source: str = "issued", target: str = "spendable") -> Entry:
    return {
        "entry_id": f"{ACCOUNT}.{number}",
        "account_seq": number,
        "occurred_at": "2026-03-14T09:26:53.589793+00:00",
        "recorded_at": "2026-03-14T09:26:54+00:00",
        "from": source,
        "to": target,
        "points": points,
        "cause": "purchase",
        "fact_id": str(fact),
        "lot_id": str(fact),
        "late_fact_id": None,
    }


def chained(*entries: Entry) -> list[Entry]:
    previous = bytes(32)
    for entry in entries:
        previous = hashlib.sha256(previous + canonical(entry)).digest()
        entry["hash"] = previous.hex()
    return list(entries)


def a_book(
    purchases: dict[UUID, int], returns: dict[UUID, int] | None = None, redemptions: dict[UUID, int] | None = None
) -> Book:
    def told(facts: dict[UUID, int]) -> dict[UUID, Told]:
        return {fact: Told(CUSTOMER, points) for fact, points in facts.items()}

    return Book(told(purchases), told(returns or {}), told(redemptions or {}))


def an_event(purchase: UUID, account_seq: int) -> Mapping[str, Any]:
    said = {"purchase_id": str(purchase), "balance": {"account_seq": account_seq}}
    return {"id": str(uuid4()), "type": RECORDED, "subject": str(CUSTOMER), "data": said}


def verdict_on(entries: list[Entry], balance: int, book: Book) -> Verdict:
    verdict = Verdict()
    check_chain(entries, verdict)
    check_facts(CUSTOMER, entries, book, verdict)
    check_balance(CUSTOMER, entries, balance, book, verdict)
    return verdict


def test_books_in_order_are_passed() -> None:
    sale, back, spent = uuid4(), uuid4(), uuid4()
    entries = chained(
        a_posting(1, sale, 19),
        a_posting(2, back, 7, "spendable", "clawed_back"),
        a_posting(3, spent, 15, "spendable", "redeemed"),
        a_posting(4, spent, 5, "debt", "redeemed"),
    )
    book = a_book(purchases={sale: 19}, returns={back: 7}, redemptions={spent: 20})
    assert verdict_on(entries, -8, book) == Verdict()


def test_a_purchase_counted_twice_is_seen_though_the_balance_equals_its_ledger() -> None:
    sale = uuid4()
    entries = chained(a_posting(1, sale, 19), a_posting(2, sale, 19))
    assert verdict_on(entries, 38, a_book(purchases={sale: 19})).doubled == {sale}


def test_a_purchase_that_nobody_was_told_of_is_seen() -> None:
    sale = uuid4()
    assert verdict_on(chained(a_posting(1, sale, 19)), 19, a_book(purchases={})).doubled == {sale}


def test_a_lost_purchase_is_seen() -> None:
    sale = uuid4()
    assert verdict_on([], 0, a_book(purchases={sale: 19})).lost == {sale}


def test_a_redemption_taken_twice_is_seen() -> None:
    sale, spent = uuid4(), uuid4()
    twice = [a_posting(number, spent, 5, "spendable", "redeemed") for number in (2, 3)]
    entries = chained(a_posting(1, sale, 19), *twice)
    assert verdict_on(entries, 9, a_book(purchases={sale: 19}, redemptions={spent: 5})).wrong


def test_a_balance_beside_its_ledger_is_seen() -> None:
    sale = uuid4()
    assert verdict_on(chained(a_posting(1, sale, 19)), 20, a_book(purchases={sale: 19})).wrong


def test_a_rewritten_posting_breaks_the_chain_from_there_on() -> None:
    entries = chained(*[a_posting(number, uuid4(), 19) for number in (1, 2, 3)])
    entries[1]["points"] = 20
    verdict = Verdict()
    check_chain(entries, verdict)
    assert verdict.wrong == [f"{ACCOUNT}.{number} does not continue the chain" for number in (2, 3)]


def test_a_gap_in_the_numbers_is_seen() -> None:
    verdict = Verdict()
    check_chain(chained(a_posting(1, uuid4(), 19), a_posting(3, uuid4(), 19)), verdict)
    assert verdict.wrong == [f"{ACCOUNT}.3 should be number 2"]


def test_announcements_published_twice_under_their_ids_are_passed_and_each_wrong_is_seen() -> None:
    one, two = uuid4(), uuid4()
    book, first, second = a_book(purchases={one: 1, two: 1}), an_event(one, 1), an_event(two, 2)

    def wrong(*events: Mapping[str, Any]) -> list[str]:
        verdict = Verdict()
        check_announcements(events, book, verdict)
        return verdict.wrong

    assert wrong(first, second, first, second) == []
    assert wrong(first), "one is missing"
    assert wrong(second, first), "out of order"
    assert wrong(first, second, an_event(two, 2)), "two ids for one purchase"
    assert wrong(first, second, {**second, "data": {**second["data"], "earned": 2}}), "two contents under one id"
