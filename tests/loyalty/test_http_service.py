"""The service as a whole: its routes, its statuses, its document, and what it says while its database is away."""

from __future__ import annotations

import httpx

from loyalty.shop import Shop, a_sale, a_verifier, code_of, settings_for
from regulars_kit.auth import route_scopes
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.values import Refused
from regulars_loyalty.adapters.http.problems import STATUS_OF
from regulars_loyalty.bootstrap import build
from regulars_loyalty.domain import refusals

AWAY = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"


def test_every_refusal_of_the_domain_has_a_status() -> None:
    of_the_domain = {each for each in vars(refusals).values() if isinstance(each, type) and issubclass(each, Refused)}
    assert of_the_domain - {Refused} <= STATUS_OF.keys()


async def test_every_route_names_its_scope(club: Shop) -> None:
    assert [route for route, scope in route_scopes(club.service.app).items() if scope is None] == []


async def test_every_route_is_in_the_document(club: Shop) -> None:
    paths = club.service.app.openapi()["paths"]
    shown = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}
    served = {route for route, scope in route_scopes(club.service.app).items() if " /v1/" in route}
    assert shown == served


async def test_every_operation_tells_its_problems(club: Shop) -> None:
    for item in club.service.app.openapi()["paths"].values():
        for operation in item.values():
            assert operation["responses"].keys() >= {"4XX", "503"}


async def test_while_the_database_is_away_the_till_may_try_again() -> None:
    service = build(settings_for(AWAY), MemoryBus(), a_verifier())
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://loyalty") as client:
        shop = Shop(service, client)
        for response in (await shop.put(a_sale()), await shop.redeem(1), await client.get("/readyz")):
            assert code_of(response) == (503, "unavailable")
            assert response.headers["Retry-After"] == "1"
        (line,) = await shop.batch([a_sale()])
        assert (line["status"], line["body"]["code"]) == (503, "unavailable")
    await service.database.close()


async def test_what_was_handed_in_is_recorded_before_the_service_ends(club: Shop) -> None:
    app = club.service.app
    async with app.router.lifespan_context(app):
        assert (await club.put(a_sale())).status_code == 201
    assert await club.balance() == 19
