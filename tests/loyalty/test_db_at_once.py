"""A few purchases are stored without a lock on what was read; where that has changed, nothing of them is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from builders import ANNA, BEN, a_purchase
from loyalty.db_rig import Rig, a_command
from regulars_loyalty.adapters.db.session import Session
from regulars_loyalty.application.ports import LoyaltyUnit, Owner, Passbook
from regulars_loyalty.application.pricing_ahead import LARGE
from regulars_loyalty.application.purchase_rows import Answer, RecordPurchase, Shopper
from regulars_loyalty.application.record_purchases import record_purchases
from regulars_loyalty.application.recording_at_once import record_at_once

ROWS = ["purchases", "purchase_lines", "lots", "postings", "accounts", "outbox", "identifiers"]


@pytest.fixture
async def rig(url: str) -> AsyncIterator[Rig]:
    rig = Rig(url)
    await rig.publish()
    await rig.look_at_programmes()
    yield rig
    await rig.close()


async def at_once(rig: Rig, *commands: RecordPurchase) -> list[Answer] | None:
    return await record_at_once(commands, rig.at_once, rig.clock)


async def rows(rig: Rig) -> dict[str, int]:
    return {table: await rig.value(f"SELECT count(*) FROM {table}") for table in ROWS}


class Meanwhile:
    """Units of a rig between whose look at the accounts and whose writing something happens."""

    def __init__(self, rig: Rig, happening: RecordPurchase, other: Rig) -> None:
        self._rig, self._happening, self._other = rig, happening, other

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[LoyaltyUnit]:
        async with self._rig.at_once() as unit:
            looked = unit.peek

            async def peek(owners: Sequence[Owner]) -> dict[Owner, Passbook]:
                found = await looked(owners)
                await self._other.record(self._happening)
                return found

            unit.peek = peek  # type: ignore[method-assign]
            yield unit


async def test_purchases_of_several_customers_are_stored_and_answered_in_order(rig: Rig) -> None:
    answers = await at_once(rig, a_command(a_purchase(2_000)), a_command(a_purchase(1_000), BEN))
    assert answers is not None
    assert ['"earned":20' in answers[0].body, '"earned":10' in answers[1].body] == [True, True]
    # The third message is of the programme.
    assert await rows(rig) == dict(zip(ROWS, (2, 2, 2, 2, 2, 3, 0), strict=True))


async def test_it_takes_two_exchanges_with_the_database(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    fetch = Session.fetch

    async def counted(session: Session, statement: str, *values: object) -> object:
        sent.append(statement)
        return await fetch(session, statement, *values)

    monkeypatch.setattr(Session, "fetch", counted)
    assert await at_once(rig, a_command(a_purchase(2_000)), a_command(a_purchase(1_000), BEN)) is not None
    assert len(sent) == 2


async def test_two_of_one_customer_are_told_apart_in_their_order(rig: Rig) -> None:
    answers = await at_once(rig, a_command(a_purchase(2_000)), a_command(a_purchase(1_000)))
    assert answers is not None
    assert ['"balance":20' in answers[0].body, '"balance":30' in answers[1].body] == [True, True]


async def test_a_purchase_of_nobody_is_stored_too(rig: Rig) -> None:
    assert await at_once(rig, a_command(a_purchase(2_000), None)) is not None
    assert (await rows(rig))["purchases"] == 1


@pytest.mark.parametrize("shopper", [ANNA, BEN], ids=["an account of long standing", "an account just opened"])
async def test_an_account_that_another_process_wrote_to_meanwhile_stays_that_ones(
    rig: Rig, other: Rig, shopper: UUID
) -> None:
    await rig.sell(500)
    theirs = a_command(a_purchase(10_000), shopper)
    mine = a_command(a_purchase(2_000), shopper), a_command(a_purchase(700), None)
    assert await record_at_once(mine, Meanwhile(rig, theirs, other), rig.clock) is None
    assert (await rows(rig))["purchases"] == 2
    balance = await rig.value("SELECT spendable FROM accounts WHERE customer_id = :id", {"id": shopper})
    assert balance == 100 + 5 * (shopper == ANNA)


async def test_what_happens_at_another_account_meanwhile_does_not_matter(rig: Rig, other: Rig) -> None:
    await rig.sell(500)
    theirs, mine = a_command(a_purchase(10_000), BEN), [a_command(a_purchase(2_000))]
    assert await record_at_once(mine, Meanwhile(rig, theirs, other), rig.clock) is not None
    assert (await rows(rig))["purchases"] == 3


async def test_a_retry_is_left_to_be_looked_up_and_harms_nothing(rig: Rig) -> None:
    command = a_command(a_purchase(2_000))
    first = await at_once(rig, command)
    before = await rows(rig)
    assert await at_once(rig, command, a_command(a_purchase(1_000), BEN)) is None
    assert await rows(rig) == before
    assert first is not None
    assert await rig.record(command) == [Answer(first[0].body, is_replayed=True)]


async def test_twins_in_one_call_are_left_to_each_others_answers(rig: Rig) -> None:
    command = a_command(a_purchase(2_000))
    assert await at_once(rig, command, command) is None


@pytest.mark.parametrize(
    "command",
    [
        a_command(a_purchase(2_000, currency="USD")),
        a_command(a_purchase(2_000, paid_in_points_minor=100)),
        a_command(a_purchase(2_000), None, shopper=Shopper(None, "hash-of-a-card")),
        a_command(a_purchase(2_000, when="2026-01-02 10:00")),
    ],
    ids=["in another currency", "paid in points", "shown a card of nobody", "late, after a return"],
)
async def test_what_takes_more_than_the_account_is_left_to_be_locked(rig: Rig, command: RecordPurchase) -> None:
    bought = await rig.sell(500, when="2026-01-03 10:00")
    await rig.give_back(bought, "2026-01-04 10:00")
    before = await rows(rig)
    assert await at_once(rig, command) is None
    assert await rows(rig) == before


async def test_a_card_that_a_customer_holds_is_no_obstacle(rig: Rig) -> None:
    async with rig.begin() as unit:
        await unit.link_identifiers(["hash-of-a-card"], ANNA)
    shown = a_command(a_purchase(2_000), None, shopper=Shopper(None, "hash-of-a-card"))
    assert await at_once(rig, shown) is not None
    assert await rig.value("SELECT customer_id FROM accounts") == ANNA


async def test_a_large_batch_is_left_to_be_priced_ahead(rig: Rig) -> None:
    assert await at_once(rig, *(a_command(a_purchase(100), None) for _ in range(LARGE))) is None


async def test_a_programme_published_by_another_process_counts_from_the_next_purchase_on(rig: Rig, other: Rig) -> None:
    await other.publish(effective_from="2026-02-01", earn={"EUR": "3"})
    assert await at_once(rig, a_command(a_purchase(2_000))) is None
    answers = await at_once(rig, a_command(a_purchase(2_000)))
    assert answers is not None
    assert '"earned":60' in answers[0].body


async def test_two_processes_at_one_account_earn_what_both_sold(rig: Rig, other: Rig) -> None:
    async def sell(seller: Rig) -> None:
        for _ in range(25):
            command = a_command(a_purchase(1_000))
            if await at_once(seller, command) is None:
                await record_purchases([command], seller.begin, seller.clock)

    await other.look_at_programmes()
    await asyncio.gather(sell(rig), sell(other))
    account = await rig.rows("SELECT spendable, seq, fact_no, revision FROM accounts")
    assert [tuple(row.values()) for row in account] == [(500, 50, 50, 50)]
