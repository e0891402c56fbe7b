"""The smallest service there can be, run by the kit as the real ones are: `python corner_shop.py serve`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pydantic_settings import SettingsConfigDict
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from regulars_kit import inbox, jobs, outbox
from regulars_kit.auth import Principal, Verifier, guarded
from regulars_kit.bus import Bus, Message
from regulars_kit.db import Database
from regulars_kit.dead_letter_routes import dead_letter_routes
from regulars_kit.http import new_app
from regulars_kit.inbox import Consumer
from regulars_kit.relay import Relay
from regulars_kit.service import Schedule, Service, ServiceSettings, main
from regulars_kit.transactions import Transactions
from regulars_kit.values import new_id

TOPIC = "regulars.corner"
SOLD = "corner.sold.v1"


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="REGULARS_CORNER_")


class Till:
    """What the shop's routes and handlers need, and the events a test waits for."""

    def __init__(self, database: Database, relay: Relay) -> None:
        self.begin = Transactions(database, lambda connection: connection, on_commit=relay.wake)
        self.is_open = asyncio.Event()
        self.asked = asyncio.Event()
        self.swept = asyncio.Event()
        self.heard = asyncio.Event()
        self.must_fail = False

    async def sell(self) -> None:
        event = Message(new_id(), SOLD, "anna", b'{"time": "2999-01-01T00:00:00Z", "data": {}}')
        async with self.begin() as connection:
            await outbox.append(connection, [event])

    async def hear(self, event_id: object, body: bytes) -> None:
        if self.must_fail:
            raise inbox.PermanentError("the shelf is full")
        self.heard.set()

    async def sweep(self) -> None:
        self.swept.set()


@guarded("public")
async def slow(request: Request, principal: Principal) -> Response:
    """Sells at once, and answers when the till says so."""
    till: Till = request.app.state.till
    await till.sell()
    till.asked.set()
    await till.is_open.wait()
    return PlainTextResponse("sold")


@guarded("public")
async def sell(request: Request, principal: Principal) -> Response:
    await request.app.state.till.sell()
    return PlainTextResponse("sold")


def build(settings: Settings, bus: Bus, verifier: Verifier) -> Service:
    database = Database(settings.database_url, name="corner")
    relay = Relay(database, bus, TOPIC)
    till = Till(database, relay)
    consumer = Consumer(bus, "regulars-corner", [TOPIC], {SOLD: till.hear}, database)
    app = new_app("Corner shop", "1", {}, None, verifier)
    app.state.till = till
    app.router.routes.append(Route("/v1/slow", slow, methods=["POST"]))
    app.router.routes.append(Route("/v1/sales", sell, methods=["POST"]))
    app.include_router(dead_letter_routes(consumer, "corner"))
    return Service("corner", app, database, relay, consumer, [Schedule("sweep", 60, till.sweep)])


async def lay_tables(database: Database, extra: Sequence[str] = ()) -> None:
    async with database.transaction() as connection:
        for statement in (*outbox.DDL, *inbox.DDL, *jobs.DDL, *extra):
            await connection.execute(text(statement))


if __name__ == "__main__":
    main("corner", build, Settings, "corner_shop")
