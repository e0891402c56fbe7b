"""Every route asks for its scope, and says so when the database is away."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from customer.shop import EVERY_SCOPE, Shop, a_verifier, ann, code_of, settings_for
from regulars_customer.bootstrap import build
from regulars_customer.settings import Settings
from regulars_kit.auth import route_scopes
from regulars_kit.bus.memory import MemoryBus

CUSTOMER = f"/v1/customers/{uuid4()}"

ROUTES = [
    ("POST", "/v1/customers", "customers:write"),
    ("PUT", "/v1/customers/by-external-id/erp/7", "customers:write"),
    ("POST", "/v1/customers:batch", "customers:write"),
    ("GET", "/v1/customers", "customers:read"),
    ("GET", CUSTOMER, "customers:read"),
    ("PATCH", CUSTOMER, "customers:write"),
    ("POST", "/v1/customers:search", "customers:read"),
    ("POST", f"{CUSTOMER}/identifiers", "customers:write"),
    ("DELETE", f"{CUSTOMER}/identifiers/{uuid4()}", "customers:write"),
    ("GET", f"{CUSTOMER}/consents", "consents:read"),
    ("PUT", f"{CUSTOMER}/consents/marketing/email", "consents:write"),
]


async def test_every_route_declares_a_scope_and_is_tried_here(shop: Shop) -> None:
    scopes = route_scopes(shop.service.app)
    public = {"GET /healthz", "GET /readyz", "GET /metrics", "GET /internal/openapi.json"}
    assert {route for route, scope in scopes.items() if scope == "public"} == public
    asked = sorted(str(scope) for route, scope in scopes.items() if route not in public)
    assert asked == sorted(scope for _, _, scope in ROUTES)


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
async def test_a_principal_without_the_scope_is_refused(shop: Shop, method: str, path: str, scope: str) -> None:
    response = await shop.send(method, path, {}, key="k", scopes=EVERY_SCOPE - {scope})
    assert code_of(response) == (403, "scope_missing")


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
async def test_nobody_is_served_without_a_principal(shop: Shop, method: str, path: str, scope: str) -> None:
    assert code_of(await shop.client.request(method, path, json={})) == (401, "principal_required")


async def test_while_the_database_is_away_the_client_is_asked_to_come_back(shop: Shop) -> None:
    service = build(settings_for("postgresql+asyncpg://nobody@127.0.0.1:1/none"), MemoryBus(), a_verifier())
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://customer") as client:
        away = Shop(service, client)
        for response in (await away.post(ann()), await away.send("GET", CUSTOMER), await client.get("/readyz")):
            assert code_of(response) == (503, "unavailable")
            assert int(response.headers["Retry-After"]) >= 1
        assert [answer["status"] for answer in await away.batch([ann()])] == [503], "each line can be sent again"
    await service.database.close()


async def test_the_routes_are_documented(shop: Shop) -> None:
    document = shop.service.app.openapi()
    paths = {path for path in document["paths"] if path.startswith("/v1/")}
    assert len(paths) == 9
    assert "/v1/customers:batch" in paths


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"identifier_key_id": "k2"}, "not among"),
        ({"identifier_keys": {"k1": "5a"}}, "at least 16 bytes"),
        ({"identifier_keys": {"k1": "no hexadecimal"}}, "hexadecimal"),
        ({"default_region": "Germany"}, "two capital letters"),
    ],
)
def test_settings_that_cannot_serve_are_told_at_the_start(wrong: dict[str, object], said: str) -> None:
    keys: dict[str, object] = {"identifier_keys": {"k1": "5a" * 32}, "identifier_key_id": "k1"}
    with pytest.raises(ValueError, match=said) as caught:
        Settings.model_validate({"database_url": "postgresql+asyncpg://x", **keys, **wrong})
    assert "5a5a" not in str(caught.value)
