"""Every route asks for its scope, bears bad input, and says so when the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.core import NotSet
from schemathesis.core.result import Ok

from campaign.happenings import alarmed, registered
from campaign.shop import (
    EVERY_SCOPE,
    ISSUER,
    PRIVATE,
    Desk,
    Shop,
    WallClock,
    a_service,
    a_template,
    code_of,
    place_of,
    settings_for,
)
from regulars_kit.auth import HEADER, Principal, Signer, route_scopes

SEGMENT, TEMPLATE, CAMPAIGN = f"/v1/segments/{uuid4()}", f"/v1/templates/{uuid4()}", f"/v1/campaigns/{uuid4()}"
LETTER = f"/v1/dead-letters/campaign-{uuid4()}"
JOB = f"/v1/jobs/campaign-{uuid4()}"

ROUTES = [
    ("POST", "/v1/segments", "segments:write"),
    ("POST", "/v1/segments:preview", "segments:read"),
    ("GET", "/v1/segments", "segments:read"),
    ("GET", SEGMENT, "segments:read"),
    ("GET", f"{SEGMENT}/members", "segments:read"),
    ("GET", f"{SEGMENT}/why?customer_id={uuid4()}", "segments:read"),
    ("POST", "/v1/templates", "templates:write"),
    ("GET", "/v1/templates", "templates:read"),
    ("GET", TEMPLATE, "templates:read"),
    ("POST", f"{TEMPLATE}/preview", "templates:read"),
    ("POST", "/v1/campaigns", "campaigns:write"),
    ("GET", "/v1/campaigns", "campaigns:read"),
    ("GET", CAMPAIGN, "campaigns:read"),
    ("POST", f"{CAMPAIGN}/launch", "campaigns:write"),
    ("POST", f"{CAMPAIGN}/pause", "campaigns:write"),
    ("POST", f"{CAMPAIGN}/resume", "campaigns:write"),
    ("GET", "/v1/messages", "messages:read"),
    ("GET", "/v1/dead-letters", "dead_letters:read"),
    ("POST", f"{LETTER}/replay", "dead_letters:write"),
    ("GET", JOB, "jobs:read"),
    ("POST", f"{JOB}/cancel", "jobs:write"),
]


async def test_every_route_declares_a_scope_and_is_tried_here(shop: Shop) -> None:
    scopes = route_scopes(shop.service.app)
    public = {"GET /healthz", "GET /readyz", "GET /metrics", "GET /internal/openapi.json"}
    assert {route for route, scope in scopes.items() if scope == "public"} == public
    asked = sorted(str(scope) for route, scope in scopes.items() if route not in public)
    assert asked == sorted(scope for _, _, scope in ROUTES)


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
async def test_a_principal_without_the_scope_is_refused(shop: Shop, method: str, path: str, scope: str) -> None:
    body: dict[str, Any] | None = {} if method == "POST" else None
    response = await shop.send(method, path, body, key="k", scopes=EVERY_SCOPE - {scope})
    assert code_of(response) == (403, "scope_missing")


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
async def test_nobody_is_served_without_a_principal(shop: Shop, method: str, path: str, scope: str) -> None:
    assert code_of(await shop.client.request(method, path, json={})) == (401, "principal_required")


@pytest.mark.parametrize("path", ["/v1/segments", "/v1/templates", "/v1/campaigns"])
async def test_what_creates_asks_for_a_key(shop: Shop, path: str) -> None:
    assert code_of(await shop.send("POST", path, {})) == (400, "idempotency_key_required")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "malformed_json"),
        (b'{"code": "a", "code": "b"}', "duplicate_key"),
        (b'{"code": "\xff"}', "invalid_utf8"),
        (b'{"code": NaN}', "invalid_number"),
        (b'{"code": "\\u0000"}', "invalid_character"),
        (b"[" * 40 + b"]" * 40, "too_deep"),
    ],
)
async def test_what_is_no_json_is_refused(shop: Shop, content: bytes, code: str) -> None:
    for path in ("/v1/segments", "/v1/segments:preview", "/v1/templates", "/v1/campaigns"):
        response = await shop.send("POST", path, content=content, key="k")
        assert code_of(response) == (400, code)


@pytest.mark.parametrize("number", [10**30, -(10**30), 1e300, 0.1])
async def test_any_number_in_a_rule_is_answered(shop: Shop, number: float) -> None:
    response = await shop.post("/v1/segments", {"code": "n", "rule": {"balance": {"gte": number}}})
    assert response.status_code == (201 if number == 0.1 else 422)
    if number != 0.1:
        assert place_of(response) == "/rule/balance/gte"


async def test_a_cursor_of_another_list_is_refused(shop: Shop) -> None:
    for path in ("/v1/segments", "/v1/templates", "/v1/campaigns", "/v1/messages"):
        assert code_of(await shop.send("GET", f"{path}?cursor=WzFd")) == (400, "cursor_invalid")
        assert code_of(await shop.send("GET", f"{path}?limit=201")) == (422, "out_of_range")


async def test_while_the_database_is_away_the_client_is_asked_to_come_back(
    shop: Shop, desk: Desk, clock: WallClock
) -> None:
    service = a_service("postgresql+asyncpg://nobody@127.0.0.1:1/none", desk, clock)
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://campaign") as client:
        away = Shop(service, client, clock, desk, shop.sink)
        asked = [
            away.post("/v1/segments", {"code": "a", "rule": {"consent": "marketing/email"}}),
            away.send("GET", SEGMENT),
            client.get("/readyz"),
        ]
        for response in await asyncio.gather(*asked):
            assert code_of(response) == (503, "unavailable")
            assert int(response.headers["Retry-After"]) >= 1
    await service.database.close()


async def test_the_sender_writes_what_its_process_triggers_and_stops_when_told(shop: Shop) -> None:
    await shop.campaign()
    stop = asyncio.Event()
    (loop,) = shop.service.loops
    running = asyncio.create_task(loop(stop))
    await shop.hear(alarmed())
    await asyncio.wait_for(shop.desk.was_asked.wait(), 10)
    stop.set()
    await asyncio.wait_for(running, 10)
    assert len(shop.letters()) == 1, "what was in hand is ended first"
    assert await shop.types() == ["campaign.message_sent.v1"]


def test_a_zone_that_is_none_is_told_at_the_start() -> None:
    with pytest.raises(ValueError, match="IANA"):
        settings_for("postgresql+asyncpg://x", time_zone="Berlin")


def cases_of(document: dict[str, Any], mode: GenerationMode) -> Iterator[Case[Any]]:
    """Some requests to each operation, the same ones in every run: such as fit its schemas, or such as do not."""
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(result, Ok)
        yield from _some(result.ok().as_strategy(generation_mode=mode))


def _some(strategy: SearchStrategy[Case[Any]]) -> list[Case[Any]]:
    made: list[Case[Any]] = []

    @settings(
        max_examples=3,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(case: Case[Any]) -> None:
        made.append(case)

    with suppress(Unsatisfiable):  # what takes nothing cannot be sent anything wrong
        collect()
    return made


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_whatever_comes_is_answered_and_never_by_an_error_of_ours(shop: Shop, mode: GenerationMode) -> None:
    await shop.make("/v1/templates", a_template())
    await shop.hear(registered(country="DE"))
    token = Signer(PRIVATE, ISSUER).sign(Principal("shop", scopes=EVERY_SCOPE), "campaign")
    for case in cases_of(shop.service.app.openapi(), mode):
        case.headers.pop(HEADER, None)
        sent = case.as_transport_kwargs(base_url="http://campaign")
        body = {name: sent[name] for name in ("json", "data", "files") if sent.get(name) not in (None, NotSet)}
        if isinstance(body.get("data"), str | bytes):
            body["content"] = body.pop("data")
        headers = {**sent["headers"], HEADER: token}
        response = await shop.client.request(
            sent["method"], sent["url"], params=sent.get("params"), headers=headers, **body
        )
        assert response.status_code < 500, (case, response.text)
