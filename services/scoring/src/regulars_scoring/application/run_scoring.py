"""The run's work: fit and draft in a process of its own, then publish, some customers a commit and no faster than the
tills bear beside it (ADR 0020)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from regulars_kit.values import CustomerId
from regulars_scoring.application.ports import Drafted, Fit, House, Progress, Transactions, Unit
from regulars_scoring.application.posting import recent_of_all, scored_live
from regulars_scoring.domain.facts import ChurnRiskRaised, CustomerScored, Fact, RunCompleted, told_of
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.refusals import FitFailed, UnknownRun
from regulars_scoring.domain.rfm import Recent

CUSTOMERS_PER_COMMIT = 125
"""Few enough that a purchase of one of them waits some hundredths of a second."""

AT_ONCE = 5_000
"""Customers of a run who are published as fast as it goes: a run over a small shop takes seconds."""

PROGRESS_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class RunWork:
    """How a run is done. It may be done again from its beginning after a crash: nobody is told twice.

    `per_second`: customers told of a second at most, after the first `AT_ONCE`.
    """

    fit: Fit
    begin: Transactions
    house: House
    per_second: int

    async def __call__(self, run_id: UUID, progress: Progress) -> None:
        """Raises `FitFailed`: the scores are as they were before. `progress` counts the customers published."""
        try:
            await self._fit(run_id, progress)
        except FitFailed as failure:
            async with self.begin() as unit:
                await unit.runs.fail(run_id, failure.code, failure.detail, self.house.now())
            raise
        await self._publish(run_id, progress)
        await self._complete(run_id)

    async def _fit(self, run_id: UUID, progress: Progress) -> None:
        async with self.begin() as unit:
            await unit.runs.begin(run_id)
        await self.fit(run_id, lambda: progress(0, None))

    async def _publish(self, run_id: UUID, progress: Progress) -> None:
        customers = await self._customers(run_id)
        last: CustomerId | None = None
        done, progress_at = 0, monotonic()
        while True:
            began = monotonic()
            async with self.begin() as unit:
                chunk = await unit.customers.lock_unpublished(run_id, last, CUSTOMERS_PER_COMMIT)
                told = await publish(unit, chunk, await _model(unit), self.house)
            if not chunk:
                await progress(done, max(customers, done))
                return
            last, done = chunk[-1].customer.id, done + len(chunk)
            if began >= progress_at:
                progress_at = began + PROGRESS_EVERY_S
                await progress(done, max(customers, done))
            if done > AT_ONCE:
                await asyncio.sleep(max(0.0, told / self.per_second - (monotonic() - began)))

    async def _customers(self, run_id: UUID) -> int:
        async with self.begin() as unit:
            run = await unit.runs.find(run_id)
            return 0 if run is None else run.customers or 0

    async def _complete(self, run_id: UUID) -> None:
        async with self.begin() as unit:
            run, at = await unit.runs.find(run_id), self.house.now()
            if run is None:
                raise UnknownRun("the run is gone")
            if await unit.runs.complete(run_id, at):
                model = await _model(unit)
                await unit.announce([RunCompleted(run_id, run.as_of, model.name, run.customers or 0, at)])


async def publish(unit: Unit, chunk: Sequence[Drafted], model: Model, house: House) -> int:
    """Publish the drafted figures, and live ones where a purchase has come in between. Returns of how many customers
    there was anything to tell."""
    scored: list[CustomerScored] = []
    facts: list[Fact] = []
    changed = [drafted.customer for drafted in chunk if drafted.draft is None]
    recent = await recent_of_all(unit.customers, changed, model, house.today())
    for drafted in chunk:
        now = _scored(drafted, model, house, recent.get(drafted.customer.id))
        if now is not None:
            scored.append(now)
            facts += told_of(drafted.customer.id, drafted.customer.figures, now)
    await unit.customers.publish(scored)
    await unit.announce(facts)
    alarms = sum(isinstance(fact, ChurnRiskRaised) for fact in facts)
    told = len(facts) - alarms
    await unit.runs.count(model.run_id, published=told, alarms=alarms)
    return told


def _scored(drafted: Drafted, model: Model, house: House, recent: Recent | None) -> CustomerScored | None:
    customer, draft = drafted.customer, drafted.draft
    if draft is None:
        return scored_live(customer, model, house, recent)
    return CustomerScored(customer.id, model.run_id, model.as_of, house.now(), model.name, draft, model.currency)


async def _model(unit: Unit) -> Model:
    model = await unit.model()
    if model is None:
        raise FitFailed("the run left no model")
    return model
