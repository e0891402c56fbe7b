"""Purchases that come while a commit is under way share the next one, and each caller gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from builders import a_purchase, an_id, lines_of
from regulars_kit.values import Refused, Unavailable
from regulars_loyalty.adapters.http.batching import Batcher
from regulars_loyalty.application.purchase_rows import Answer, RecordPurchase
from regulars_loyalty.domain.refusals import UnknownStore


class CutOff(Exception):
    """Nobody expected this."""


def a_command(purchase_id: UUID | None = None, lines: int = 1) -> RecordPurchase:
    purchase = a_purchase(purchase_id=purchase_id, lines=lines_of(*[100] * lines))
    return RecordPurchase(purchase, None, None, "till-1", None, b"content", b"sale", is_named=True)


def name_of(command: RecordPurchase) -> str:
    return str(command.purchase.purchase_id)


@dataclass(slots=True)
class Ledger:
    """Records batches when told to: a commit waits for `go`. Purchases in `refused`, `poisoned` have their fate; those
    in `held` are left for the next batch, once."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    batches: list[list[str]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    poisoned: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    is_away: bool = False
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def record(self, commands: Sequence[RecordPurchase], again: int) -> Sequence[Answer | Refused | None]:
        names = [name_of(command) for command in commands]
        self.batches.append(names)
        self.began.set()
        await self.go.wait()
        if self.is_away:
            raise Unavailable("the database is away", retry_after_s=3)
        if self.poisoned & set(names):
            raise CutOff
        left = self.held - set(names[:again])
        return [None if name in left else self._answer(name) for name in names]

    def _answer(self, name: str) -> Answer | Refused:
        return UnknownStore("no") if name in self.refused else Answer(name, is_replayed=False)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


async def test_what_comes_while_a_commit_is_under_way_shares_the_next(ledger: Ledger) -> None:
    batcher = Batcher(ledger.record)
    commands = [a_command() for _ in range(6)]
    first = asyncio.create_task(batcher.record(commands[0]))
    await ledger.began.wait()
    others = [asyncio.create_task(batcher.record(command)) for command in commands[1:]]
    await asyncio.sleep(0)
    ledger.go.set()
    answers = await asyncio.gather(first, *others)
    assert [answer.body for answer in answers] == [name_of(command) for command in commands]
    assert [len(batch) for batch in ledger.batches] == [1, 5]


async def test_purchases_are_recorded_in_the_order_in_which_they_came(ledger: Ledger) -> None:
    batcher = Batcher(ledger.record, most_purchases=4)
    ledger.go.set()
    commands = [a_command() for _ in range(30)]
    await asyncio.gather(*(batcher.record(command) for command in commands))
    assert [name for batch in ledger.batches for name in batch] == [name_of(command) for command in commands]
    assert max(len(batch) for batch in ledger.batches) == 4


async def test_a_batch_holds_no_more_lines_than_it_may(ledger: Ledger) -> None:
    batcher = Batcher(ledger.record, most_lines=10)
    ledger.go.set()
    commands = [a_command(lines=size) for size in (4, 4, 4, 30, 1, 1)]
    await asyncio.gather(*(batcher.record(command) for command in commands))
    assert [len(batch) for batch in ledger.batches] == [2, 1, 1, 2], "a purchase too large for any goes alone"


async def test_what_a_batch_leaves_begins_the_next_one(ledger: Ledger) -> None:
    batcher = Batcher(ledger.record, most_purchases=3)
    commands = [a_command() for _ in range(6)]
    names = [name_of(command) for command in commands]
    ledger.held = {names[1], names[2]}
    groups = [batcher.submit(commands[:3]), batcher.submit(commands[3:])]
    ledger.go.set()
    told = await asyncio.gather(*groups)
    assert [[each.body for each in group if isinstance(each, Answer)] for group in told] == [names[:3], names[3:]]
    assert ledger.batches == [names[:3], names[1:]], "beside as many others as ever"


async def test_what_is_left_of_the_last_batch_is_recorded_before_the_end(ledger: Ledger) -> None:
    batcher = Batcher(ledger.record)
    command = a_command()
    ledger.held = {name_of(command)}
    recording = asyncio.create_task(batcher.record(command))
    await ledger.began.wait()
    ledger.go.set()
    await batcher.drain()
    assert (await recording).body == name_of(command)
    assert len(ledger.batches) == 2


async def test_a_refused_purchase_fails_alone(ledger: Ledger) -> None:
    batcher = Batcher(ledger.record)
    ledger.go.set()
    commands = [a_command() for _ in range(3)]
    ledger.refused.add(name_of(commands[1]))
    told = await asyncio.gather(*(batcher.record(command) for command in commands), return_exceptions=True)
    assert [type(each) for each in told] == [Answer, UnknownStore, Answer]


async def test_a_purchase_that_breaks_the_commit_does_not_break_its_neighbours(ledger: Ledger) -> None:
    batcher = Batcher(ledger.record)
    ledger.go.set()
    commands = [a_command() for _ in range(3)]
    ledger.poisoned.add(name_of(commands[1]))
    told = await asyncio.gather(*(batcher.record(command) for command in commands), return_exceptions=True)
    assert [type(each) for each in told] == [Answer, CutOff, Answer]
    assert [len(batch) for batch in ledger.batches] == [3, 1, 1, 1], "each was tried alone"


async def test_when_the_database_is_away_every_caller_is_told_so(ledger: Ledger) -> None:
    batcher = Batcher(ledger.record)
    ledger.is_away = True
    ledger.go.set()
    told = await asyncio.gather(*(batcher.record(a_command()) for _ in range(3)), return_exceptions=True)
    assert [isinstance(each, Unavailable) and each.retry_after_s for each in told] == [3, 3, 3]
    assert len(set(map(id, told))) == 3, "each has its own error to raise"
    assert len(ledger.batches) == 1, "nobody is tried alone against a database that is away"


async def test_beyond_its_bound_a_till_is_asked_to_try_again(ledger: Ledger) -> None:
    batcher = Batcher(ledger.record, most_waiting=2)
    under_way = asyncio.create_task(batcher.record(a_command()))
    await ledger.began.wait()
    waiting = [asyncio.create_task(batcher.record(a_command())) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="too many"):
        await batcher.record(a_command())
    ledger.go.set()
    assert len(await asyncio.gather(under_way, *waiting)) == 3


async def test_a_client_that_goes_away_harms_nobody(ledger: Ledger) -> None:
    batcher = Batcher(ledger.record)
    commands = [a_command() for _ in range(4)]
    under_way = asyncio.create_task(batcher.record(commands[0]))
    await ledger.began.wait()
    gone, *staying = [asyncio.create_task(batcher.record(command)) for command in commands[1:]]
    await asyncio.sleep(0)
    under_way.cancel()
    gone.cancel()
    await asyncio.sleep(0)
    ledger.go.set()
    assert [answer.body for answer in await asyncio.gather(*staying)] == [name_of(each) for each in commands[2:]]
    assert [len(batch) for batch in ledger.batches] == [1, 2], "what was under way is recorded, what waited is not"


async def test_a_group_is_answered_together_and_alone(ledger: Ledger) -> None:
    batcher = Batcher(ledger.record)
    ledger.go.set()
    commands = [a_command() for _ in range(3)]
    ledger.refused.add(name_of(commands[2]))
    ledger.poisoned.add(name_of(commands[0]))
    told = await batcher.submit(commands)
    assert [type(each) for each in told] == [CutOff, Answer, UnknownStore]
    assert await batcher.submit([]) == []


async def test_everything_handed_in_is_recorded_before_the_end(ledger: Ledger) -> None:
    batcher = Batcher(ledger.record, most_purchases=1)
    recording = [batcher.submit([a_command(an_id())]) for _ in range(3)]
    draining = asyncio.create_task(batcher.drain())
    await ledger.began.wait()
    assert not draining.done()
    ledger.go.set()
    await draining
    assert all(future.done() for future in recording)
    await batcher.drain()
