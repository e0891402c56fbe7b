"""A process that kills itself at the worst moment; `Rig.killed_at` starts it."""

from __future__ import annotations

import asyncio
import sys

from conformance.rig import DeadlyBus, end_it, open_bus
from conformance.shop import SOLD, Recorder
from regulars_kit.db import Database
from regulars_kit.inbox import Consumer
from regulars_kit.relay import Relay


async def run(moment: str, kind: str, address: str, database_url: str, topic: str, group: str) -> None:
    database = Database(database_url, name="killed")
    bus = DeadlyBus(open_bus(kind, address), moment, end_it)
    if moment == "after_publish":
        await Relay(database, bus, topic).run(asyncio.Event())
    else:
        await Consumer(bus, group, [topic], {SOLD: Recorder(database, group)}, database).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
