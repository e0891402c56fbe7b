"""One run over everybody with the tills at work: how long it took, what it took, and how long a purchase waited."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from chain_path.cast import receipt, today
from chain_path.hops import percentile
from chain_path.running import Running
from chain_path.tills import Sale, sell
from nightly_path.processes import Taken, watched
from purchase_path.measuring import Failed

Customers = Callable[[int], Sequence[UUID]]
"""So many customers who buy."""

_ENDED = ("completed", "failed", "cancelled")
_AT_WORK = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Load:
    """`rate` purchases a second; `calm_s` is how long the tills are watched before a run, `turn_s` at a time in it."""

    rate: float
    calm_s: int
    turn_s: int


@dataclass(frozen=True, slots=True)
class Night:
    """`drafted_s` until everybody's figures were drafted, `run_s` until they were published; both from the asking."""

    drafted_s: float
    run_s: float
    customers: int
    published: int
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
    """Ask for the run, sell until it has ended. Raises `Failed` when it comes to nothing."""
    shop.write_checkpoint()
    began = time.time()
    run = _asked_for(shop, as_of)
    look, drafted_at = _Look(shop, run), list[float]()

    def note_drafted() -> None:
        if not drafted_at and look.state() not in _AT_WORK:
            drafted_at.append(time.time())

    sales: list[Sale] = []
    with watched(shop, note_drafted) as taken:
        while look.state() not in _ENDED:
            sales += tills.sell(load.turn_s)
    told = look.told()
    if told["state"] != "completed":
        raise Failed(f"the run came to nothing: {dict(told)}")
    ended = float(told["ended"])
    return Night(
        drafted_s=drafted_at[0] - began,
        run_s=ended - began,
        customers=told["customers"],
        published=told["published"],
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


@dataclass(frozen=True, slots=True)
class _Look:
    """At a run, past the services, which have work enough."""

    shop: Running
    run: UUID

    def state(self) -> str:
        return str(self.told()["state"])

    def told(self) -> Mapping[str, Any]:
        columns = "state, customers, published, failure_detail, extract(epoch FROM completed_at)::float8 AS ended"
        told: Mapping[str, Any] = self.shop.ask("scoring", f"SELECT {columns} FROM runs WHERE id = '{self.run}'")[0]
        return told
