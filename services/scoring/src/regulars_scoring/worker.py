"""`python -m regulars_scoring.worker`: fits one run and drafts everybody's figures, at low priority, and ends.

Reads its task from standard input as JSON and answers on standard output: `{}`, or the failure it came to.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any
from uuid import UUID

import numpy as np

from regulars_kit.priority import step_back
from regulars_scoring.adapters.db import bulk
from regulars_scoring.adapters.engine.drafting import Asked, Drafts, draft
from regulars_scoring.adapters.engine.occasions import Occasions, occasions_of
from regulars_scoring.adapters.engine.population import Ints, Population, population_of
from regulars_scoring.adapters.engine.retention import retention_of
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
        names, population, occasions = await _read(connection, run["as_of"])
        asked = Asked(run_id, run["as_of"], run["horizon_days"], run["currency"] or "", run["asked_model"])
        drafts = draft(population, asked, Bands(**task["bands"]), occasions)
        shares = await bulk.read_shares(connection, asked.currency, asked.as_of)
        drafts = replace(
            drafts,
            model=replace(drafts.model, everybody=shares),
            report={**drafts.report, "retention": retention_of(drafts, population, occasions)},
        )
        await _write(connection, drafts, names)
    finally:
        await connection.close()


async def _read(connection: bulk.Connection, as_of: Any) -> tuple[list[tuple[UUID, int]], Population, Occasions]:
    names: list[tuple[UUID, int]] = []
    parts: list[Ints] = [np.empty((0, 5), np.int64)]
    ages: list[Ints] = [np.empty(0, np.int64)]
    async for rows in bulk.read_states(connection, as_of):
        names += [(row[0], row[1]) for row in rows]
        parts.append(np.array([tuple(row)[2:7] for row in rows], dtype=np.int64))
        ages.append(np.fromiter(chain.from_iterable(row[7] for row in rows), dtype=np.int64))
    population = population_of(*np.concatenate(parts).T)
    customer = np.repeat(np.arange(population.size), population.x + 1)
    return names, population, occasions_of(customer, np.concatenate(ages))


async def _write(connection: bulk.Connection, drafts: Drafts, names: Sequence[tuple[UUID, int]]) -> None:
    rows = ((*name, *figures) for name, figures in zip(names, drafts.rows(), strict=True))
    if await bulk.write_drafts(connection, drafts.model, drafts.report, len(names), rows):
        return
    # A worker whose service was killed goes on, and may have been faster than the one that took over.
    run = await bulk.find_run(connection, drafts.model.run_id)
    if run is None or not run["is_fitted"]:
        raise FitFailed("the run was ended by somebody else")


if __name__ == "__main__":
    main()
