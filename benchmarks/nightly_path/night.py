"""One run over everybody with the tills at work: how long it took, what it took, and how long a purchase waited."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from chain_path.cast import receipt, today
from chain_path.hops import percentile
from chain_path.running import Running
from chain_path.tills import Sale, sell
from nightly_path.processes import WORKER, Taken, watched
from purchase_path.measuring import Failed

Customers = Callable[[int], Sequence[UUID]]
"""So many customers who buy."""

_ENDED = ("completed", "failed", "cancelled")
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Load:
    """`rate` purchases a second; `calm_s` is how long the tills are watched before a run, `turn_s` at a time in it."""

    rate: float
    calm_s: int
    turn_s: int


@dataclass(frozen=True, slots=True)
class Night:
    """`drafted_s` until everybody's figures were drafted, `run_s` until they were published; both from the asking.

    The waits are those at the tills in the run and, `calm_s`, just before it.
    """

    drafted_s: float
    run_s: float
    customers: int
    published: int
    calm_s: Sequence[float]
    waits_s: Sequence[float]
    taken: Taken


class Tills:
    """They sell to customers who are drawn anew each time."""

    def __init__(self, shop: Running, folder: Path, rate: float, customers: Customers) -> None:
        self._shop, self._folder, self._rate, self._customers = shop, folder, rate, customers
        self._numbers: Iterator[int] = count()

    def sell(self, seconds: int) -> list[Sale]:
        turn, day = next(self._numbers), today()
        receipts = [
            (customer, receipt(customer, f"night-{turn}-{place}", day))
            for place, customer in enumerate(self._customers(round(self._rate * seconds)))
        ]
        return sell(self._folder, self._shop.port, self._shop.key, self._rate, receipts)


def waits_of(sales: Sequence[Sale]) -> list[float]:
    """In seconds, from when a purchase was due."""
    return [sale.answered - sale.due for sale in sales]


def p_ms(waits_s: Sequence[float], share: float) -> float:
    return percentile(waits_s, share) * 1e3


def through_the_night(shop: Running, tills: Tills, as_of: date, load: Load) -> Night:
    """Sell a while, ask for the run, sell until it has ended. Raises `Failed` when it comes to nothing."""
    shop.write_checkpoint()
    calm_s = waits_of(tills.sell(load.calm_s))
    shop.write_checkpoint()
    began = time.time()
    run = _asked_for(shop, as_of)
    sales: list[Sale] = []
    with watched(shop) as taken:
        while (told := _told(shop, run))["state"] not in _ENDED:
            sales += tills.sell(load.turn_s)
    if told["state"] != "completed":
        raise Failed(f"the run came to nothing: {dict(told)}")
    ended = float(told["ended"])
    return Night(
        drafted_s=taken.seen_at[WORKER] - began,
        run_s=ended - began,
        customers=told["customers"],
        published=told["published"],
        calm_s=calm_s,
        waits_s=waits_of([sale for sale in sales if sale.due <= ended]),
        taken=taken,
    )


def _asked_for(shop: Running, as_of: date) -> UUID:
    with shop.client() as client:
        answer = client.post(
            "/v1/scoring/runs", json={"as_of": as_of.isoformat()}, headers={"Idempotency-Key": str(uuid4())}
        )
    if answer.status_code != 202:
        raise Failed(f"no run: {answer.text}")
    return UUID(answer.json()["run_id"])


def _told(shop: Running, run: UUID) -> Mapping[str, Any]:
    """Of a run, past the services, which have work enough."""
    columns = "state, customers, published, failure_detail, extract(epoch FROM completed_at)::float8 AS ended"
    for _ in range(_TRIES):
        with suppress(OSError, asyncpg.PostgresError):
            told: Mapping[str, Any] = shop.ask("scoring", f"SELECT {columns} FROM runs WHERE id = '{run}'")[0]
            return told
        time.sleep(1.0)
    raise Failed("the database does not answer")
