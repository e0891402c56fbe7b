"""Every route asks for its scope and its principal, and says so when the database is away."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from gateway.conftest import OpenDesk
from gateway.desk import DELIVERIES, ENDPOINTS, EVERY_SCOPE, Desk, code_of
from regulars_kit.auth import route_scopes

SOME = uuid4()
ROUTES = [
    ("POST", "/v1/keys", "keys:write"),
    ("GET", "/v1/keys", "keys:read"),
    ("POST", f"/v1/keys/{SOME}/rotate", "keys:write"),
    ("DELETE", f"/v1/keys/{SOME}", "keys:write"),
    ("POST", ENDPOINTS, "webhooks:write"),
    ("GET", ENDPOINTS, "webhooks:read"),
    ("GET", f"{ENDPOINTS}/{SOME}", "webhooks:read"),
    ("PATCH", f"{ENDPOINTS}/{SOME}", "webhooks:write"),
    ("DELETE", f"{ENDPOINTS}/{SOME}", "webhooks:write"),
    ("POST", f"{ENDPOINTS}/{SOME}/rotate", "webhooks:write"),
    ("POST", f"{ENDPOINTS}/{SOME}/test", "webhooks:write"),
    ("GET", DELIVERIES, "webhooks:read"),
    ("POST", f"{DELIVERIES}/{SOME}/resend", "webhooks:write"),
    ("GET", "/v1/events", "events:read"),
    ("GET", "/v1/dead-letters", "dead_letters:read"),
    ("POST", f"/v1/dead-letters/gateway-{SOME}/replay", "dead_letters:write"),
]
PUBLIC = {
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /internal/openapi.json",
    "GET /internal/authorise",
    "GET /openapi.json",
    "GET /asyncapi.json",
    "GET /docs",
    "GET /docs/static/{name}",
}


async def test_every_route_declares_a_scope_and_is_tried_here(desk: Desk) -> None:
    scopes = route_scopes(desk.service.app)
    assert {route for route, scope in scopes.items() if scope == "public"} == PUBLIC
    asked = sorted(str(scope) for route, scope in scopes.items() if route not in PUBLIC)
    assert asked == sorted(scope for _, _, scope in ROUTES)


async def test_a_principal_without_the_scope_is_refused(desk: Desk) -> None:
    for method, path, scope in ROUTES:
        response = await desk.send(method, path, {}, key="k", scopes=EVERY_SCOPE - {scope})
        assert code_of(response) == (403, "scope_missing"), path


async def test_nobody_is_served_without_a_principal(desk: Desk) -> None:
    for method, path, _ in ROUTES:
        assert code_of(await desk.client.request(method, path, json={})) == (401, "principal_required"), path


@pytest.mark.parametrize("path", ["/v1/keys", f"/v1/keys/{SOME}/rotate", ENDPOINTS, f"{ENDPOINTS}/{SOME}/rotate"])
async def test_what_creates_asks_for_a_key_and_a_strict_body(desk: Desk, path: str) -> None:
    body = {"/v1/keys": {"name": "x", "scopes": ["keys:read"]}, ENDPOINTS: {"url": "https://example.com/"}}
    assert code_of(await desk.send("POST", path, body.get(path, {}))) == (400, "idempotency_key_required")
    for content, status, code in (
        (b"{", 400, "malformed_json"),
        (b'{"a": NaN}', 400, "invalid_number"),
        (b'{"a": 1, "a": 2}', 400, "duplicate_key"),
        (b"[" * 40 + b"]" * 40, 400, "too_deep"),
        (b"\xff", 400, "invalid_utf8"),
        (b"[]", 422, "wrong_type"),
        (b" " * (1024 * 1024 + 1), 413, "body_too_large"),
    ):
        assert code_of(await desk.send("POST", path, content=content, key="k")) == (status, code), code


async def test_ids_that_are_none_are_refused_without_an_echo(desk: Desk) -> None:
    for method, path, _ in ROUTES:
        if str(SOME) not in path or "dead-letters" in path:
            continue
        answer = await desk.send(method, path.replace(str(SOME), "scr1pt"), {}, key="k")
        assert answer.status_code in {404, 422}, path
        assert "scr1pt" not in answer.text


async def test_unknown_things_are_said_to_be(desk: Desk) -> None:
    bodies: dict[str, object] = {"PATCH": {}, "POST": {}}
    for method, path, _ in ROUTES:
        if str(SOME) in path and "dead-letters" not in path:
            answer = await desk.send(method, path, bodies.get(method), key=str(uuid4()))
            assert answer.status_code == 404, (path, answer.text)
            assert answer.json()["code"] in {"unknown_key", "unknown_endpoint", "unknown_delivery"}


async def test_while_the_database_is_away_the_client_is_asked_to_come_back(open_desk: OpenDesk) -> None:
    desk = await open_desk(url="postgresql+asyncpg://nobody@127.0.0.1:1/none")
    for response in (
        await desk.send("GET", "/v1/keys"),
        await desk.send("GET", "/v1/events"),
        await desk.client.get("/readyz"),
    ):
        assert code_of(response) == (503, "unavailable")
        assert int(response.headers["Retry-After"]) >= 1
    assert (await desk.client.get("/healthz")).status_code == 200


async def test_the_one_api_is_described_with_its_neighbours(desk: Desk) -> None:
    document = (await desk.client.get("/openapi.json")).json()
    assert {"/v1/purchases", "/v1/keys", ENDPOINTS, "/v1/events"} <= document["paths"].keys()
    assert not any(path.startswith("/internal") for path in document["paths"])
    page = (await desk.client.get("/docs")).text
    assert "swagger-ui-bundle.js" in page and "https://" not in page
    assert (await desk.client.get("/docs/static/swagger-ui.css")).status_code == 200
    assert (await desk.client.get("/docs/static/__init__.py")).status_code == 404


async def test_all_events_are_described(desk: Desk) -> None:
    document = json.loads((await desk.client.get("/asyncapi.json")).content)
    assert document["asyncapi"].startswith("3.")
    assert "loyalty.points_earned.v1" in document["components"]["messages"]
