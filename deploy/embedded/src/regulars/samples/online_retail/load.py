"""Loads the sample through the API a shop would use: programme, customers, then the year's receipts and returns."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TypeVar

import httpx
from rich.console import Console

from regulars.samples.online_retail import journal as journals
from regulars.samples.online_retail import marketing, wire
from regulars.samples.online_retail.bar import Bar
from regulars.samples.online_retail.calendar import LONDON, Calendar, weeks_until
from regulars.samples.online_retail.client import PATIENCE_S, Answer, Api, LoadStopped
from regulars.samples.online_retail.journal import Journal
from regulars.samples.online_retail.lanes import Step, lanes
from regulars.samples.online_retail.people import invent
from regulars.samples.online_retail.plan import Invoice, Plan, plan, unmatched_lines
from regulars.samples.online_retail.rows import FILE, read
from regulars.samples.online_retail.summary import Summary, summary_of, table, totals_of
from regulars_kit.values import Clock, utc_now

T = TypeVar("T")

RETURNS_AT_ONCE = 16
CUSTOMERS_PER_BATCH = 1_000


def is_finished(home: Path) -> bool:
    """Whether the sample of this home is all in."""
    journal = journals.read(home)
    return journal is not None and journal.summary is not None


async def load(
    base_url: str,
    key: str,
    home: Path,
    *,
    original_dates: bool,
    console: Console,
    file: Path = FILE,
    clock: Clock = utc_now,
    transport: httpx.AsyncBaseTransport | None = None,
    patience_s: Sequence[float] = PATIENCE_S,
) -> Summary:
    """Bring the sample in, or what is left of it, and tell what came of it; a finished one is only told again.

    How far dates move is fixed at the first start and kept in `home`. Raises LoadStopped when the API stays away or
    refuses the key; the next call goes on where this one ended.
    """
    journal = journals.read(home)
    if journal and journal.summary:
        return summary_of(journal.summary)
    sample = plan(read(file))
    if journal is None:
        today = clock().astimezone(LONDON).date()
        journal = Journal(0 if original_dates else _weeks(sample, today))
        journals.write(home, journal)
    async with Api(base_url, key, transport=transport, patience_s=patience_s) as api:
        loading = _Loading(api, home, console, sample, journal)
        await loading.set_up()
        await loading.send_the_year()
        summary = await loading.finish()
    console.print(table(summary))
    return summary


def _weeks(sample: Plan, today: date) -> int:
    return weeks_until(sample.last.date(), today)


class _Loading:
    """One run of the load: the plan, the API, and the journal as it grows."""

    def __init__(self, api: Api, home: Path, console: Console, sample: Plan, journal: Journal) -> None:
        self._api = api
        self._home = home
        self._console = console
        self._sample = sample
        self._journal = journal
        self._calendar = Calendar(journal.weeks)
        self._customers = journals.read_customers(home)
        self._returns_at_once = asyncio.Semaphore(RETURNS_AT_ONCE)

    async def set_up(self) -> None:
        """The programme before the first receipt, every customer before their first one, the campaign before alarms."""
        if not self._journal.has_programme:
            document = wire.programme(self._sample.receipts[0].at, self._calendar)
            answer = await self._api.send("PUT", f"/v1/programmes/{wire.PROGRAMME}", document)
            if answer.code:
                raise LoadStopped(f"the sample stopped: its programme was refused ({answer.code})")
            self._keep(replace(self._journal, has_programme=True))
        await marketing.set_up(self._api)
        if not self._customers:
            self._customers = await self._register()
            journals.write_customers(self._home, self._customers)

    async def _register(self) -> dict[int, str]:
        """The ids in the shop by the retailer's number. Who is registered twice is told of again, under the same id."""
        people = [invent(number, country) for number, country in self._sample.customers.items()]
        customers: dict[int, str] = {}
        for start in range(0, len(people), CUSTOMERS_PER_BATCH):
            some = people[start : start + CUSTOMERS_PER_BATCH]
            answers = await self._api.batch("/v1/customers:batch", [wire.customer(person) for person in some])
            for person, answer in zip(some, answers, strict=True):
                if answer.code:
                    raise LoadStopped(f"the sample stopped: a customer was refused ({answer.code})")
                customers[person.number] = str(answer.body["id"])
        return customers

    async def send_the_year(self) -> None:
        """Every lane at once, each from the step where it stood."""
        steps = lanes(self._sample)
        sizes = [[_lines(step) for step in lane] for lane in steps]
        done = sum(sum(lane[:count]) for lane, count in zip(sizes, self._journal.steps, strict=True))
        with Bar(self._console, total=sum(map(sum, sizes)), done=done) as bar:
            await _together(self._send_lane(place, lane, bar) for place, lane in enumerate(steps))

    async def _send_lane(self, place: int, lane: tuple[Step, ...], bar: Bar) -> None:
        for step in lane[self._journal.steps[place] :]:
            receipts = await self._send_receipts(step.receipts)
            returns = await self._send_returns(step.cancellations)
            self._keep(
                self._journal.answered(
                    place,
                    receipts=sum(answer.code is None for answer in receipts),
                    returns=sum(answer.code is None for answer in returns),
                    refused=[answer.code for answer in receipts + returns if answer.code],
                )
            )
            bar.advance(_lines(step), receipts=self._journal.receipts, returns=self._journal.returns)

    async def _send_receipts(self, receipts: tuple[Invoice, ...]) -> list[Answer]:
        if not receipts:
            return []
        bodies = [wire.purchase(receipt, self._calendar, self._customers) for receipt in receipts]
        return await self._api.batch("/v1/purchases:batch", bodies)

    async def _send_returns(self, cancellations: tuple[Invoice, ...]) -> list[Answer]:
        """One customer's returns one after the other, different customers' at once."""
        queues: dict[int | str, list[Invoice]] = defaultdict(list)
        for cancellation in cancellations:
            queues[cancellation.customer or cancellation.number].append(cancellation)
        answers = await _together(self._send_in_turn(queue) for queue in queues.values())
        return [answer for some in answers for answer in some]

    async def _send_in_turn(self, cancellations: list[Invoice]) -> list[Answer]:
        answers = []
        for cancellation in cancellations:
            body = wire.purchase_return(cancellation, self._calendar, self._customers)
            async with self._returns_at_once:
                answers.append(await self._api.send("POST", "/v1/returns", body))
        return answers

    async def finish(self) -> Summary:
        """Score everybody, ask the ledger for its figures and keep the summary: from now on the sample is in."""
        self._console.print("The year is in. Scoring everybody…", highlight=False)
        outlook = await marketing.score(self._api, self._calendar.day(self._sample.last))
        totals = totals_of(await self._api.read("/v1/ledger/totals", {"programme": wire.PROGRAMME}))
        summary = Summary(
            customers=len(self._sample.customers),
            receipts=self._journal.receipts,
            receipt_lines=self._sample.receipt_lines,
            returns=self._journal.returns,
            return_lines=self._sample.cancellation_lines,
            unmatched_lines=unmatched_lines(self._sample),
            set_aside={str(reason): count for reason, count in self._sample.set_aside.items()},
            refused=self._journal.refused,
            totals=totals,
            outlook=outlook,
        )
        self._keep(replace(self._journal, summary=asdict(summary)))
        return summary

    def _keep(self, journal: Journal) -> None:
        self._journal = journal
        journals.write(self._home, journal)


async def _together(work: Iterable[Coroutine[None, None, T]]) -> list[T]:
    """Everything at once; the first failure ends the rest and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    return [task.result() for task in tasks]


def _lines(step: Step) -> int:
    return sum(len(invoice.lines) for invoice in step.receipts + step.cancellations)
