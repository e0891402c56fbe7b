"""Customers who were here before the picture was: what the newer tables know of them from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from sqlalchemy import text

from customer.others import kinds, stage
from customer.shop import Shop, a_verifier, ann, settings_for
from regulars_customer.bootstrap import build
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.migrations import migrate

if TYPE_CHECKING:
    from conftest import FreshDatabase

_BACK_TO_THE_FIRST = (
    "DROP TABLE sales, life_cycles, parts, timeline",
    "UPDATE alembic_version SET version_num = '0001'",
)


async def test_their_registration_and_consents_stand_on_their_timeline(fresh_database: FreshDatabase) -> None:
    url = await fresh_database("regulars_customer")
    service = build(settings_for(url), MemoryBus(), a_verifier())
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://customer") as client:
        shop = Shop(service, client)
        customer_id = await shop.register(**ann())
        async with service.database.transaction() as connection:
            for statement in _BACK_TO_THE_FIRST:
                await connection.execute(text(statement))
        await migrate(url, "regulars_customer")
        assert sorted(await kinds(shop, customer_id)) == ["consent_changed", "registered"]
        assert await stage(shop, customer_id) == "prospect"
    await service.database.close()
