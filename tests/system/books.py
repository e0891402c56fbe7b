"""The books held against what the tills were told: purchase by purchase, then account by account.

A balance that equals its ledger says nothing about a purchase that is in both twice; so earnings are counted per
purchase first.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import httpx

from system.cluster import Cluster
from system.running import until
from system.shop import Shop
from system.tills import PAUSE_S, TRY_AGAIN, Book, Told

AnyShop = Shop | Cluster
Entry = Mapping[str, Any]
Heard = Callable[[], Awaitable[Sequence[Mapping[str, Any]]]]
SERVICES = ("customer", "loyalty", "scoring", "campaign", "gateway")
RECORDED = "loyalty.purchase_recorded.v1"
_AT_ONCE = 8


@dataclass(slots=True)
class Verdict:
    """What was found wrong. `lost` and `doubled` are purchases; the others are sentences."""

    lost: set[UUID] = field(default_factory=set)
    doubled: set[UUID] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


async def judge(shop: AnyShop, book: Book, heard: Heard | None = None) -> Verdict:
    """Read every ledger, every purchase and the bus, and say what does not fit what the tills were told.

    `heard` reads the events elsewhere than on the embedded run's bus.
    """
    verdict = Verdict()
    async with shop.client() as client:
        for customer in {told.customer for told in book.purchases.values()}:
            if (await asked(client, f"/v1/accounts/{customer}")).status_code == 404:
                verdict.lost |= of_customer(book.purchases, customer).keys()
                continue
            entries = await ledger_of(client, customer)
            check_chain(entries, verdict)
            check_facts(customer, entries, book, verdict)
            check_balance(customer, entries, await balance_of(client, customer), book, verdict)
        await check_purchases(client, book, verdict)
    await until_drained(shop)
    check_announcements(await (heard or partial(announced, shop))(), book, verdict)
    return verdict


async def ledger_of(client: httpx.AsyncClient, customer: UUID) -> list[Entry]:
    """All postings of the customer's one account, in their order."""
    entries: list[Entry] = []
    params: dict[str, str] = {"limit": "200"}
    while True:
        page = await read(client, f"/v1/accounts/{customer}/ledger", params)
        entries.extend(page["items"])
        if page["next_cursor"] is None:
            return entries
        params["cursor"] = page["next_cursor"]


async def balance_of(client: httpx.AsyncClient, customer: UUID, **params: str) -> int:
    return int((await read(client, f"/v1/accounts/{customer}", params))["wallets"][0]["balance"])


async def asked(client: httpx.AsyncClient, path: str, params: Mapping[str, str] | None = None) -> httpx.Response:
    """Ask until there is an answer: what was killed last may still be starting."""
    while True:
        answer = await client.get(path, params=params)
        if answer.status_code not in TRY_AGAIN:
            return answer
        await asyncio.sleep(PAUSE_S)


async def read(client: httpx.AsyncClient, path: str, params: Mapping[str, str] | None = None) -> Any:
    answer = await asked(client, path, params)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


def check_chain(entries: Sequence[Entry], verdict: Verdict) -> None:
    """The numbers run from 1 without gaps, and each hash is that of the one before and the entry's own content."""
    previous = bytes(32)
    for number, entry in enumerate(entries, start=1):
        previous = hashlib.sha256(previous + canonical(entry)).digest()
        if entry["account_seq"] != number:
            verdict.wrong.append(f"{entry['entry_id']} should be number {number}")
        if entry["hash"] != previous.hex():
            verdict.wrong.append(f"{entry['entry_id']} does not continue the chain")


def canonical(entry: Entry) -> bytes:
    """The content that is hashed, in canonical JSON (RFC 8785): keys in order, no blanks, instants in UTC."""
    content = {
        "account": entry["entry_id"].rpartition(".")[0],
        "at": _instant(entry["occurred_at"]),
        "cause": entry["cause"],
        "fact": entry["fact_id"],
        "late_fact": entry["late_fact_id"],
        "lot": entry["lot_id"],
        "points": entry["points"],
        "recorded_at": _instant(entry["recorded_at"]),
        "seq": entry["account_seq"],
        "source": entry["from"],
        "target": entry["to"],
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _instant(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="microseconds")


def check_facts(customer: UUID, entries: Sequence[Entry], book: Book, verdict: Verdict) -> None:
    """Each purchase earned once what its till was told; each return and redemption took once what was told."""
    earned = moved(entries, "issued", sign=-1)
    told = of_customer(book.purchases, customer)
    verdict.lost |= {fact for fact, points in told.items() if points > earned[fact]}
    verdict.doubled |= {fact for fact, points in earned.items() if points > told.get(fact, 0)}
    for bucket, asked in (("clawed_back", book.returns), ("redeemed", book.redemptions)):
        expected = {fact: points for fact, points in of_customer(asked, customer).items() if points}
        if (found := {fact: points for fact, points in moved(entries, bucket).items() if points}) != expected:
            verdict.wrong.append(f"{customer}: {bucket} differs in {set(found.items()) ^ set(expected.items())}")


def moved(entries: Sequence[Entry], bucket: str, *, sign: int = 1) -> Counter[UUID]:
    """How many points each fact moved into a bucket, less what it moved out; with `sign` -1 the other way round."""
    sums: Counter[UUID] = Counter()
    for entry in entries:
        sums[UUID(entry["fact_id"])] += sign * entry["points"] * ((entry["to"] == bucket) - (entry["from"] == bucket))
    return sums


def of_customer(told: Mapping[UUID, Told], customer: UUID) -> dict[UUID, int]:
    return {fact: each.points for fact, each in told.items() if each.customer == customer}


def check_balance(customer: UUID, entries: Sequence[Entry], balance: int, book: Book, verdict: Verdict) -> None:
    """The balance is its ledger's replay, and what the tills' answers add up to."""
    replayed = sum(moved(entries, "spendable").values()) + sum(moved(entries, "debt").values())
    if not replayed == balance == book.balance_of(customer):
        verdict.wrong.append(f"{customer}: ledger {replayed}, balance {balance}, told {book.balance_of(customer)}")


async def check_purchases(client: httpx.AsyncClient, book: Book, verdict: Verdict) -> None:
    """Each acknowledged purchase can be read, with what its till was told."""
    queue = list(book.purchases.items())

    async def check_some() -> None:
        while queue:
            purchase_id, told = queue.pop()
            answer = await asked(client, f"/v1/purchases/{purchase_id}")
            if answer.status_code != 200 or answer.json()["earned"] != told.points:
                verdict.lost.add(purchase_id)

    await asyncio.gather(*[check_some() for _ in range(_AT_ONCE)])


async def until_drained(shop: AnyShop) -> None:
    """Return once the outboxes hold nothing that was not published."""

    async def is_drained() -> bool:
        unsent = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"
        return not any([(await shop.query(database, unsent))[0][0] for database in SERVICES])

    await until(is_drained, "the outbox does not drain")


async def announced(shop: AnyShop) -> list[Mapping[str, Any]]:
    """Loyalty's events on the bus in their order, as they were published; an event twice when it was sent twice."""
    rows = await shop.query("bus", "SELECT body FROM topic_regulars_loyalty ORDER BY seq")
    return [json.loads(row["body"]) for row in rows]


def check_announcements(events: Sequence[Mapping[str, Any]], book: Book, verdict: Verdict) -> None:
    """Each purchase has one event, whose every copy says the same, and a customer's events are in order.

    A relay that was killed between publishing and marking publishes again, with the same id: readers know it by that.
    """
    first: dict[str, Mapping[str, Any]] = {}
    for event in events:
        if first.setdefault(event["id"], event) != event:
            verdict.wrong.append(f"event {event['id']} was published with two contents")
    ids: Counter[UUID] = Counter(UUID(e["data"]["purchase_id"]) for e in first.values() if e["type"] == RECORDED)
    if ids.keys() != book.purchases.keys():
        verdict.wrong.append(f"announced and acknowledged differ in {ids.keys() ^ book.purchases.keys()}")
    if ids and max(ids.values()) > 1:
        verdict.wrong.append(f"announced under two ids: {[fact for fact, count in ids.items() if count > 1]}")
    seqs: dict[str, list[int]] = defaultdict(list)
    for event in first.values():
        if balance := event["data"].get("balance"):
            seqs[event["subject"]].append(balance["account_seq"])
    verdict.wrong.extend(f"{customer}: events out of order" for customer, s in seqs.items() if s != sorted(s))
