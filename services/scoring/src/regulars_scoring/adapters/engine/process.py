"""The worker as the service sees it: a short-lived process of its own, so that no kernel is ever imported here."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from uuid import UUID

import structlog

from regulars_scoring.domain.goods import NOT_GOODS
from regulars_scoring.domain.refusals import FitFailed, TooFewPurchases
from regulars_scoring.domain.scoring import Bands

TICK_S = 1.0
"""How often the caller may say that the work is to stop."""

COMPLAINT_BYTES = 2_000
"""How much of a dead worker's last words is logged."""

_MODULE = "regulars_scoring.worker"
_FAILURES: dict[str, type[FitFailed]] = {failure.code: failure for failure in (FitFailed, TooFewPurchases)}
# Linear algebra on four parameters gains nothing by threads, and tills would lose by them.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

log = structlog.get_logger("regulars.scoring")


class WorkerProcess:
    """Fits one run per call. What the worker needs to know goes to its standard input, which nobody else can read."""

    def __init__(self, database_url: str, bands: Bands, not_goods: Sequence[str] = NOT_GOODS) -> None:
        self._database_url = database_url
        self._bands = bands
        self._not_goods = not_goods

    async def __call__(self, run_id: UUID, tick: Callable[[], Awaitable[None]]) -> None:
        """Return once the run is fitted and drafted. Raises `FitFailed`, and whatever `tick` raises: it stops then."""
        process = await _start()
        try:
            said, complaint = await _attend(process, self._request(run_id), tick)
        finally:
            await _end(process)
        _judge(said, complaint, process.returncode)

    def _request(self, run_id: UUID) -> bytes:
        bands = {"medium": self._bands.medium, "high": self._bands.high}
        task = {
            "database_url": self._database_url,
            "run_id": str(run_id),
            "bands": bands,
            "not_goods": self._not_goods,
        }
        return json.dumps(task).encode()


async def _start() -> Process:
    # A session of its own: Ctrl-C reaches the service alone, which gives the job back and ends the worker itself.
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        _MODULE,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, **_ONE_THREAD},
        start_new_session=True,
    )


async def _attend(process: Process, request: bytes, tick: Callable[[], Awaitable[None]]) -> tuple[bytes, bytes]:
    talking = asyncio.ensure_future(process.communicate(request))
    try:
        while not (await asyncio.wait([talking], timeout=TICK_S))[0]:
            await tick()
        return talking.result()
    finally:
        talking.cancel()


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _judge(said: bytes, complaint: bytes, returncode: int | None) -> None:
    try:
        answer = json.loads(said)
    except ValueError:
        last_words = complaint[-COMPLAINT_BYTES:].decode(errors="replace")
        log.warning("the scoring worker died", returncode=returncode, last_words=last_words)
        raise FitFailed("the process that was to fit the models died") from None
    if (code := answer.get("failure")) is not None:
        raise _FAILURES.get(code, FitFailed)(answer.get("detail", ""))
