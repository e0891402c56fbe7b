"""A process that kills itself at the worst moment; `Rig.killed_at` starts it."""

from __future__ import annotations

import asyncio
import sys

from conformance.rig import DeadlyBus, end_it, open_bus
from conformance.shop import SOLD, Recorder
from regulars_kit.db import Database
from regulars_kit.inbox import Consumer
from regulars_kit.relay import Relay

LAST_NUMBER = 5
"""With the moment `while_handling`: the sale of each customer that nobody lives to handle."""


async def run(
    moment: str, kind: str, address: str, database_url: str, topic: str, group: str, together: str = "1"
) -> None:
    database = Database(database_url, name="killed")
    bus = DeadlyBus(open_bus(kind, address), moment, end_it)
    if moment == "after_publish":
        await Relay(database, bus, topic).run(asyncio.Event())
    else:
        recorder = Recorder(database, group, before=die_at_the_last if moment == "while_handling" else lambda *_: None)
        consumer = Consumer(bus, group, [topic], {SOLD: recorder}, database, together=int(together))
        await consumer.run(asyncio.Event())


def die_at_the_last(key: str, number: int) -> None:
    if number == LAST_NUMBER:
        end_it()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
