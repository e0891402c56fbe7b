"""A large batch is priced before its accounts are locked, and waits for nobody: the answers do not show it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest

from builders import ANNA, BEN, a_line, a_purchase, an_id
from loyalty.db_rig import Rig, a_command
from regulars_kit.values import Refused
from regulars_loyalty.adapters.http.batching import Batcher
from regulars_loyalty.application.ports import Owner
from regulars_loyalty.application.pricing_ahead import LARGE, Ahead, price_ahead
from regulars_loyalty.application.purchase_rows import Answer, RecordPurchase, Shopper
from regulars_loyalty.application.record_batch import record_batch
from regulars_loyalty.application.record_purchases import record_priced
from regulars_loyalty.domain.refusals import InsufficientPoints
from waiting import until_somebody_waits_for_a_lock

GOLD_FROM_1000 = [
    {"code": "base", "from": 0, "multiplier": "1"},
    {"code": "gold", "from": 1000, "multiplier": "2"},
]


@pytest.fixture
async def rig(url: str) -> AsyncIterator[Rig]:
    rig = Rig(url)
    await rig.publish(tiers=GOLD_FROM_1000)
    await rig.look_at_programmes()
    yield rig
    await rig.close()


def a_large_batch() -> list[RecordPurchase]:
    """Anna's and Ben's purchases of 20 euros in turn, and as many customers' as make it worth pricing ahead."""
    shoppers = [ANNA, BEN] * 5 + [an_id() for _ in range(LARGE)]
    return [a_command(a_purchase(2_000), shopper) for shopper in shoppers]


async def priced(rig: Rig, commands: list[RecordPurchase]) -> Ahead:
    ahead = await price_ahead(commands, rig.at_once, rig.clock)
    assert ahead is not None
    return ahead


async def record_while(
    rig: Rig, commands: list[RecordPurchase], meanwhile: Callable[[], Awaitable[object]]
) -> list[Answer | Refused]:
    """Record the batch; `meanwhile` happens when it is priced and not yet locked. What was left comes again at once."""
    ahead = await priced(rig, commands)
    await meanwhile()
    answers = await record_priced(commands, rig.begin, rig.clock, ahead)
    left = [command for command, answer in zip(commands, answers, strict=True) if answer is None]
    again = iter(await rig.record(*left) if left else [])
    return [answer or next(again) for answer in answers]


async def balances(rig: Rig) -> dict[object, tuple[int, int, int]]:
    rows = await rig.rows("SELECT customer_id, spendable, seq, fact_no FROM accounts")
    return {row.customer_id: (row.spendable, row.seq, row.fact_no) for row in rows}


async def nothing() -> None:
    """Nobody else is about."""


async def test_what_nobody_touched_is_stored_as_it_was_priced(rig: Rig) -> None:
    answers = await record_while(rig, a_large_batch(), nothing)
    assert all(isinstance(answer, Answer) for answer in answers)
    held = await balances(rig)
    assert (held[ANNA], held[BEN]) == ((100, 5, 5), (100, 5, 5))  # 5 x 20 points
    assert len(held) == LARGE + 2


async def test_an_account_that_another_process_changed_meanwhile_is_priced_again(rig: Rig, other: Rig) -> None:
    # The other till's 1,000 euros make her gold, so her five purchases earn twice as much.
    answers = await record_while(rig, a_large_batch(), lambda: other.record(a_command(a_purchase(100_000))))
    held = await balances(rig)
    assert held[ANNA] == (1_000 + 5 * 40, 6, 6)
    assert held[BEN] == (5 * 20, 5, 5)
    assert isinstance(answers[8], Answer)
    assert '"balance":1200' in answers[8].body  # her fifth


async def test_an_account_that_another_process_opened_meanwhile_is_that_ones(rig: Rig, other: Rig) -> None:
    await record_while(rig, a_large_batch(), lambda: other.record(a_command(a_purchase(2_000), BEN)))
    assert (await balances(rig))[BEN] == (120, 6, 6)
    assert await rig.value("SELECT count(*) FROM accounts WHERE customer_id = :ben", {"ben": BEN}) == 1


async def test_a_retry_in_the_batch_has_its_first_answer_and_its_neighbours_are_priced_without_it(
    rig: Rig, other: Rig
) -> None:
    commands = a_large_batch()
    (first,) = await rig.record(commands[2])  # Anna's
    answers = await record_while(rig, commands, nothing)
    assert isinstance(first, Answer)
    assert answers[2] == Answer(first.body, is_replayed=True)
    assert (await balances(rig))[ANNA] == (100, 5, 5)


async def test_a_refused_purchase_in_the_batch_fails_alone(rig: Rig) -> None:
    commands = a_large_batch()
    too_dear = a_purchase(5_000, paid_in_points_minor=5_000)
    answers = await record_while(rig, [*commands, a_command(too_dear, BEN)], nothing)
    assert isinstance(answers[-1], InsufficientPoints)
    assert [type(answer) for answer in answers[:-1]] == [Answer] * len(commands)
    assert (await balances(rig))[BEN] == (100, 5, 5)


async def test_an_account_that_somebody_holds_is_left_for_the_next_batch_and_not_waited_for(
    rig: Rig, other: Rig
) -> None:
    commands = a_large_batch()
    await rig.record(a_command(a_purchase(2_000), ANNA))
    ahead = await priced(rig, commands)
    async with other.begin() as unit:
        await unit.lock([Owner(ANNA, "club", "points")], open_missing=False)
        answers = await record_priced(commands, rig.begin, rig.clock, ahead)
    assert [answer is None for answer in answers] == [command.shopper == Shopper(ANNA) for command in commands]
    assert (await balances(rig))[ANNA] == (20, 1, 1)


async def test_what_was_left_is_waited_for_with_all_else_of_its_account(rig: Rig, other: Rig) -> None:
    left, commands = a_command(a_purchase(100_000), ANNA), a_large_batch()
    await rig.record(a_command(a_purchase(2_000), ANNA))
    ahead = await priced(rig, commands)
    async with other.begin() as unit:
        await unit.lock([Owner(ANNA, "club", "points")], open_missing=False)
        recording = asyncio.create_task(record_priced([left, *commands], rig.begin, rig.clock, ahead))
        await until_somebody_waits_for_a_lock(rig.database)
    answers = await recording
    assert all(isinstance(answer, Answer) for answer in answers)
    # The left one made her gold, and came first.
    assert (await balances(rig))[ANNA] == (20 + 1_000 + 5 * 40, 7, 7)


async def test_a_programme_published_meanwhile_prices_the_batch(rig: Rig, other: Rig) -> None:
    await record_while(
        rig, a_large_batch(), lambda: other.publish(effective_from="2026-02-01", earn={"EUR": "3"}, tiers=[])
    )
    assert (await balances(rig))[BEN] == (5 * 60, 5, 5)


async def test_a_batch_waits_for_what_was_left_and_leaves_it_no_second_time(rig: Rig, other: Rig) -> None:
    await rig.record(a_command(a_purchase(2_000), ANNA))
    record = partial(record_batch, begin=rig.begin, at_once=rig.at_once, clock=rig.clock)
    batcher = Batcher(record)
    async with other.begin() as unit:
        await unit.lock([Owner(ANNA, "club", "points")], open_missing=False)
        first, second = batcher.submit(a_large_batch()), batcher.submit(a_large_batch())
        await until_somebody_waits_for_a_lock(rig.database)
        assert BEN in await balances(rig)
        assert not first.done()
    for answers in await asyncio.gather(first, second):
        assert all(isinstance(answer, Answer) for answer in answers)
    assert (await balances(rig))[ANNA] == (20 + 10 * 20, 11, 11)


async def test_a_card_among_what_was_left_spoils_nothing_of_what_was_priced(rig: Rig, other: Rig) -> None:
    async with rig.begin() as unit:
        await unit.link_identifiers(["k1:card"], an_id())
    left = replace(a_command(a_purchase(2_000)), shopper=Shopper(identifier_hash="k1:card"))
    commands = a_large_batch()
    await rig.record(a_command(a_purchase(2_000), ANNA))
    ahead = await priced(rig, commands)
    async with other.begin() as unit:
        await unit.lock([Owner(ANNA, "club", "points")], open_missing=False)
        answers = await record_priced([left, *commands], rig.begin, rig.clock, ahead)
    assert isinstance(answers[0], Answer)
    assert answers.count(None) == 5


async def test_texts_are_stored_as_they_were_sent(rig: Rig) -> None:
    odd = ['a"b', "back\\slash", "{curly, brackets}", "NULL", "null", " ", "ünï 🎁", "'", "\\", '"']
    lines = [a_line(100, line_id=str(place), sku=sku) for place, sku in enumerate(odd)]
    purchase = a_purchase(lines=lines, channel="NULL")
    await rig.record(a_command(purchase, coupons=('"', "\\")))
    async with rig.begin() as unit:
        stored = await unit.purchase(purchase.purchase_id)
    assert stored is not None
    assert stored.row.purchase == purchase
