"""One way of running: the load with everybody at work, each purchase followed to the partner; then with nobody else."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from chain_path.cast import Cast, a_cast, history, receipt, today
from chain_path.hops import Instants, Waits, first_of, waits
from chain_path.preparing import open_shop, tell, until_settled
from chain_path.receiver import Arrival, Receiver, receiver
from chain_path.running import Running
from chain_path.tills import Sale, sell
from purchase_path.measuring import Failed

RECORDED = "loyalty.purchase_recorded.v1"
SCORED = "scoring.customer_scored.v1"
ENTERED = "campaign.segment_entered.v1"
HEARD_OF = {"to_receiver": ENTERED, "purchase_to_receiver": RECORDED, "score_to_receiver": SCORED}
"""What the partner hears, by the hop that ends with it."""

_WARM_UP_S = 5
_PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Load:
    """`rate` purchases a second for so many `seconds`. `heard` are the event types that the partner is told."""

    rate: float
    seconds: int
    heard: Sequence[str]

    @property
    def purchases(self) -> int:
        return round(self.rate * self.seconds)


@dataclass(frozen=True, slots=True)
class Chain:
    """What a way of running has shown. The hops begin with the purchase; `sent_late` is the tills' own tardiness."""

    hops: Mapping[str, Waits]
    till_busy: Waits
    till_alone: Waits
    sent_late: Waits


def measure_chain(shop: Running, folder: Path, load: Load, announce: Callable[[str], None]) -> Chain:
    """Fill the shop, put the load on it twice, and say how long everything took. Raises `Failed`."""
    chance = random.Random(4)
    cast = a_cast(load.purchases, chance)
    announce(f"a history of {cast.size:,} customers")
    open_shop(shop, cast, history(cast, datetime.now(UTC), chance))
    with receiver(folder) as partner:
        tell(shop, partner.url, load.heard)
        _sell(shop, folder, load, cast.regulars[: round(load.rate * _WARM_UP_S)], "warm-up")
        until_settled(shop)
        shop.write_checkpoint()
        announce(f"{load.purchases:,} purchases, everybody at work")
        began, so_far = time.time(), partner.count()
        busy = _sell(shop, folder, load, cast.lapsed, "busy")
        _until_told(partner, so_far + load.purchases * len(load.heard))
        until_settled(shop)
    hops = _hops(shop, cast, load.heard, began, partner.arrivals())
    announce(f"{load.purchases:,} purchases, nobody else at work")
    alone = _sell_alone(shop, folder, load, cast)
    sent_late = waits({sale.customer: sale.due for sale in busy}, {sale.customer: sale.sent for sale in busy})
    return Chain(hops, _till_waits(busy), _till_waits(alone), sent_late)


def _sell(shop: Running, folder: Path, load: Load, customers: Sequence[UUID], name: str) -> list[Sale]:
    day = today()
    receipts = [(customer, receipt(customer, f"{name}-{place}", day)) for place, customer in enumerate(customers)]
    return sell(folder, shop.port, shop.key, load.rate, receipts)


def _sell_alone(shop: Running, folder: Path, load: Load, cast: Cast) -> list[Sale]:
    with shop.only_tills_served():
        shop.write_checkpoint()
        return _sell(shop, folder, load, cast.lapsed, "alone")


def _until_told(partner: Receiver, webhooks: int) -> None:
    """Return once so many have come. Raises `Failed` when none comes for a minute."""
    came, since = partner.count(), time.monotonic()
    while came < webhooks:
        time.sleep(_LOOK_EVERY_S)
        if (now := partner.count()) != came:
            came, since = now, time.monotonic()
        if time.monotonic() - since > _PATIENCE_S:
            raise Failed(f"of {webhooks} webhooks {came} came")


def _till_waits(sales: Sequence[Sale]) -> Waits:
    """From when a purchase was due, not from when a till was free for it."""
    return waits({sale.customer: sale.due for sale in sales}, {sale.customer: sale.answered for sale in sales})


def _hops(
    shop: Running, cast: Cast, heard: Sequence[str], began: float, arrivals: Sequence[Arrival]
) -> dict[str, Waits]:
    """From the beginning of the transaction that recorded a purchase to each thing that followed from it.

    Scored, and in the segment: when the relay found the event about it in the outbox, so that the commit was done. The
    event's own time would be earlier: it is that of the handling, before its commit.
    """
    bought = _told(shop, "loyalty", RECORDED, "created_at", began)
    if bought.keys() != set(cast.lapsed):
        raise Failed(f"{len(bought)} customers bought, {len(cast.lapsed)} should have")
    until = {
        "to_scored": _told(shop, "scoring", SCORED, "sent_at", began),
        "to_segment": _told(shop, "campaign", ENTERED, "sent_at", began),
    }
    until |= {hop: _arrived(arrivals, type_, began) for hop, type_ in HEARD_OF.items() if type_ in heard}
    return {hop: waits(bought, instants) for hop, instants in until.items()}


def _told(shop: Running, service: str, type_: str, column: str, began: float) -> Instants:
    """When a service first said that of each customer, by its outbox."""
    rows = shop.ask(
        service,
        f"SELECT key, extract(epoch FROM min({column}))::float8 FROM outbox "
        f"WHERE type = '{type_}' AND created_at >= to_timestamp({began!r}) GROUP BY key",
    )
    return {UUID(key): at for key, at in rows}


def _arrived(arrivals: Sequence[Arrival], type_: str, began: float) -> Instants:
    return first_of([(one.subject, one.at) for one in arrivals if one.type == type_ and one.at >= began])
