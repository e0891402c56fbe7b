"""`python -m regulars_scoring.worker`: fits one run and drafts everybody's figures, at low priority, and ends.

Reads its task from standard input as JSON and answers on standard output: `{}`, or the failure it came to.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from regulars_kit.priority import step_back
from regulars_scoring.adapters.db import bulk, bulk_affinity
from regulars_scoring.adapters.db.rfm_settings import settings_in
from regulars_scoring.adapters.engine.affinity import rules_of
from regulars_scoring.adapters.engine.baskets import BasketCount, Baskets
from regulars_scoring.adapters.engine.drafting import Asked, Drafts, draft
from regulars_scoring.adapters.engine.insights import insights_of
from regulars_scoring.adapters.engine.ledger import Ledger, ledger_of
from regulars_scoring.adapters.engine.names import Names
from regulars_scoring.adapters.engine.placing import axes_at
from regulars_scoring.adapters.engine.population import Ints, Population, population_of
from regulars_scoring.adapters.engine.retention import retention_of
from regulars_scoring.application.ports import Insight
from regulars_scoring.domain.affinity import YEAR_DAYS, Counted
from regulars_scoring.domain.decile_goods import GoodsCount
from regulars_scoring.domain.goods import bought_on
from regulars_scoring.domain.insights import DECILE_GOODS
from regulars_scoring.domain.model import DECILES
from regulars_scoring.domain.refusals import FitFailed
from regulars_scoring.domain.scoring import Bands

NICENESS = 10


def main() -> None:
    step_back(NICENESS)
    task = json.load(sys.stdin)
    try:
        asyncio.run(work(task))
    except FitFailed as failure:
        json.dump({"failure": failure.code, "detail": failure.detail}, sys.stdout)
    else:
        json.dump({}, sys.stdout)


async def work(task: Mapping[str, Any]) -> None:
    """Fit and draft the task's run. Raises `FitFailed`; one that was fitted before is left as it is."""
    connection = await bulk.connect(task["database_url"])
    try:
        run_id = UUID(task["run_id"])
        run = await bulk.find_run(connection, run_id)
        if run is None:
            raise FitFailed("there is no such run")
        if run["is_fitted"]:
            return
        # Before the fit, which few customers can make fail: what is bought together takes none.
        await count_baskets(connection, run, task["not_goods"])
        names, population, ledger = await _read(connection, run["as_of"])
        currency = await bulk.read_currency(connection)
        rfm = settings_in(None if run["rfm"] is None else json.loads(run["rfm"]))
        asked = Asked(run_id, run["as_of"], run["horizon_days"], currency or "", run["asked_model"], rfm)
        axes = None if rfm.window_days is None else axes_at(ledger, 0, rfm.window_days)[1]
        drafts = draft(population, asked, Bands(**task["bands"]), ledger.occasions, axes)
        shares = await bulk.read_shares(connection, asked.currency, asked.as_of)
        drafts = replace(
            drafts,
            model=replace(drafts.model, everybody=shares),
            report={**drafts.report, "retention": retention_of(drafts, population, ledger.occasions)},
        )
        insights = insights_of(ledger, asked.as_of, rfm)
        insights[DECILE_GOODS] = await _goods_of_deciles(connection, drafts, names, task["not_goods"])
        await _write(connection, drafts, insights, names)
    finally:
        await connection.close()


async def count_baskets(connection: bulk.Connection, run: Mapping[str, Any], not_goods: Collection[str]) -> None:
    """Replace the rules by those of the year that ends with the run's day."""
    since, as_of = _year_until(run["as_of"])
    baskets = await _baskets(connection, since, as_of, not_goods)
    currency = await bulk.read_currency(connection)
    counted = Counted(run["id"], since, as_of, currency, int(baskets.sizes.size), baskets.oversized)
    await bulk_affinity.write_affinity(connection, counted, baskets.rows(), rules_of(baskets).rows(baskets.skus))


async def _baskets(connection: bulk.Connection, since: date, as_of: date, not_goods: Collection[str]) -> Baskets:
    taken = BasketCount(not_goods)
    async for receipts in bulk_affinity.read_receipts(connection, since, as_of):
        taken.add(receipts)
    return taken.baskets()


async def _goods_of_deciles(
    connection: bulk.Connection, drafts: Drafts, names: Names, not_goods: Collection[str]
) -> dict[str, Any]:
    """What the tenths have bought in the year that ends with the run's day."""
    since, as_of = _year_until(drafts.model.as_of)
    decile_of = names.finder(drafts.decile)
    count = GoodsCount()
    async for customer_id, receipts in bulk_affinity.read_receipts_by_customer(connection, since, as_of):
        # Whoever came after the states were read has no tenth yet.
        if decile := decile_of(customer_id):
            count.add(decile, bought_on(receipts, not_goods).values())
    customers = np.bincount(drafts.decile, minlength=DECILES + 1)[1:].tolist()
    counted = asdict(count.counted(since, as_of, customers))
    return {**counted, "since": since.isoformat(), "as_of": as_of.isoformat()}


def _year_until(as_of: date) -> tuple[date, date]:
    return as_of - timedelta(days=YEAR_DAYS - 1), as_of


async def _read(connection: bulk.Connection, as_of: date) -> tuple[Names, Population, Ledger]:
    names = Names()
    states: list[Ints] = [np.empty((0, 5), np.int64)]
    days: list[tuple[bytes, bytes, bytes]] = []
    sizes: list[int] = []
    async for rows in bulk.read_states(connection, as_of):
        names.ids += b"".join(row[0].bytes for row in rows)
        names.versions.extend(row[1] for row in rows)
        states.append(np.array([tuple(row)[2:7] for row in rows], dtype=np.int64))
        ages, nets, opens = ([row[column] for row in rows] for column in (7, 8, 9))
        days.append((b"".join(ages), b"".join(nets), b"".join(opens)))
        sizes += map(len, opens)
    return names, population_of(*np.concatenate(states).T), _ledger(sizes, days)


def _ledger(sizes: Sequence[int], days: Iterable[tuple[bytes, bytes, bytes]]) -> Ledger:
    """PostgreSQL writes whole numbers the highest byte first."""
    ages, nets, opens = (b"".join(column) for column in zip((b"", b"", b""), *days, strict=True))
    return ledger_of(
        customer=np.repeat(np.arange(len(sizes)), sizes),
        age=np.frombuffer(ages, ">i4").astype(np.int64),
        net_minor=np.frombuffer(nets, ">i8").astype(np.int64),
        is_occasion=np.frombuffer(opens, np.bool_),
    )


async def _write(connection: bulk.Connection, drafts: Drafts, insights: Mapping[str, Insight], names: Names) -> None:
    rows = ((*name, *figures) for name, figures in zip(names, drafts.rows(), strict=True))
    if await bulk.write_drafts(connection, drafts.model, drafts.report, insights, len(names.versions), rows):
        return
    # A worker whose service was killed goes on, and may have been faster than the one that took over.
    run = await bulk.find_run(connection, drafts.model.run_id)
    if run is None or not run["is_fitted"]:
        raise FitFailed("the run was ended by somebody else")


if __name__ == "__main__":
    main()
