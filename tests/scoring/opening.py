"""Opening a shop: the service built on a database, and a client of it.

Fits are made in the tests' own process, by the worker's own code; test_process.py starts real workers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from uuid import UUID

import httpx

from regulars_kit.bus.memory import MemoryBus
from regulars_scoring import worker
from regulars_scoring.application.ports import Fit
from regulars_scoring.bootstrap import build
from regulars_scoring.domain.scoring import Bands
from scoring.shop import Shop, Watch, a_verifier, settings_for


def in_this_process(database_url: str) -> Fit:
    async def fit(run_id: UUID, tick: Callable[[], Awaitable[None]]) -> None:
        await tick()
        await worker.work({"database_url": database_url, "run_id": str(run_id), "bands": asdict(Bands())})

    return fit


@asynccontextmanager
async def opened(database_url: str, fit: Fit | None = None) -> AsyncIterator[Shop]:
    watch = Watch()
    fit = fit or in_this_process(database_url)
    service = build(settings_for(database_url), MemoryBus(), a_verifier(), watch, fit=fit)
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://scoring") as client:
        yield Shop(service, client, watch)
    await service.database.close()
