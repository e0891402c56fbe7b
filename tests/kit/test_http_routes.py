"""Every route has the same habits: who may enter, how it is counted, when it is ready, how its pages are cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from kit.http_shop import PRIVATE, TILL, a_client, a_receipt, an_app, problem
from regulars_kit.auth import HEADER, Principal, Signer, route_scopes
from regulars_kit.http import Router
from regulars_kit.middleware import route_of
from regulars_kit.pagination import CursorInvalid, decode_cursor, encode_cursor, etag, is_match
from regulars_kit.problems import KIT_STATUSES, OTHER_CODES
from regulars_kit.validation import FIELD_CODES
from regulars_kit.values import Unavailable


@pytest.fixture
def app() -> FastAPI:
    return an_app()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with a_client(app) as client:
        yield client


async def test_without_a_principal_or_with_a_bad_one_nobody_enters(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as stranger:
        for path in ("/v1/receipts", "/v1/plain"):
            response = await stranger.post(path, json=a_receipt())
            assert (response.status_code, problem(response)["code"]) == (401, "principal_required")
            response = await stranger.post(path, json=a_receipt(), headers={HEADER: "x.y.z"})
            assert (response.status_code, problem(response)["code"]) == (401, "principal_invalid")
            assert response.headers["www-authenticate"] == "Bearer"
        assert (await stranger.get("/v1/receipts/018f3f3e-0000-7000-8000-000000000001")).status_code == 200


async def test_a_principal_without_the_scope_is_told_which_one(client: httpx.AsyncClient) -> None:
    reader = Signer(PRIVATE, "gateway").sign(Principal("reader", None, frozenset({"receipts:read"})), "shop")
    for path in ("/v1/receipts", "/v1/plain"):
        document = problem(await client.post(path, json=a_receipt(), headers={HEADER: reader}))
        assert (document["status"], document["code"]) == (403, "scope_missing")
        assert "receipts:write" in document["detail"]


async def test_a_plain_route_has_the_same_habits(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/plain", json=[1])).json() == {"client": "till-7", "body": [1]}
    headers = {"content-type": "application/json"}
    response = await client.post("/v1/plain", content=b'{"a": 1, "a": 2}', headers=headers)
    assert (response.status_code, problem(response)["code"]) == (400, "duplicate_key")


async def test_an_idempotency_key_is_required_and_well_formed(client: httpx.AsyncClient) -> None:
    assert problem(await client.post("/v1/created"))["code"] == "idempotency_key_required"
    for key in ("", "x" * 256, "a b", "ä"):
        response = await client.post("/v1/created", headers=[(b"Idempotency-Key", key.encode())])
        assert (response.status_code, problem(response)["code"]) == (400, "idempotency_key_invalid")
    assert (await client.post("/v1/created", headers={"Idempotency-Key": "x" * 255})).status_code == 200


def test_every_route_names_its_scope() -> None:
    assert route_scopes(an_app()) == {
        "GET /healthz": "public",
        "GET /readyz": "public",
        "GET /metrics": "public",
        "GET /internal/openapi.json": "public",
        "POST /v1/receipts": "receipts:write",
        "GET /v1/receipts/{receipt_id}": "public",
        "GET /v1/broken": "public",
        "POST /v1/created": "public",
        "POST /v1/plain": "receipts:write",
        "POST /v1/streamed": "public",
    }


def test_a_route_without_a_scope_is_seen() -> None:
    app, router = an_app(), Router(prefix="/v1")

    @router.get("/forgotten")
    async def forgotten() -> str:
        return ""

    app.include_router(router)
    assert [route for route, scope in route_scopes(app).items() if scope is None] == ["GET /v1/forgotten"]


def test_a_router_that_reads_bodies_leniently_is_refused() -> None:
    with pytest.raises(TypeError, match="Router"):
        an_app().include_router(APIRouter())


async def test_metrics_know_requests_by_their_route_and_never_by_their_path(client: httpx.AsyncClient) -> None:
    await client.get("/v1/receipts/018f3f3e-0000-7000-8000-000000000001")
    await client.get("/v1/nowhere/of/any/kind")
    await client.post("/v1/streamed", content=b"")
    metrics = (await client.get("/metrics")).text
    assert 'http_requests_total{method="GET",route="/v1/receipts/{receipt_id}",status="200"} 1.0' in metrics
    assert 'http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in metrics
    assert 'http_requests_total{method="POST",route="/v1/streamed",status="200"} 1.0' in metrics
    assert "018f3f3e" not in metrics


async def test_an_invented_method_makes_no_metric_of_its_own(client: httpx.AsyncClient) -> None:
    await client.request("BREW", "/v1/receipts")
    assert "BREW" not in (await client.get("/metrics")).text


async def test_a_service_is_ready_when_its_probes_say_so(app: FastAPI, client: httpx.AsyncClient) -> None:
    async def database_is_away() -> None:
        raise Unavailable("the database is away; try again")

    assert (await client.get("/readyz")).status_code == 200
    app.state.probes = (database_is_away,)
    response = await client.get("/readyz")
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert (await client.get("/healthz")).status_code == 200


async def test_a_client_that_goes_away_leaves_no_error_behind(app: FastAPI) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(HEADER.lower().encode(), Signer(PRIVATE, "gateway").sign(TILL, "shop").encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1/receipts", "raw_path": b"", "query_string": b""}
    await asyncio.wait_for(app({**scope, "headers": headers, "root_path": ""}, receive, send), 5)
    assert sent == []


def test_every_code_of_the_kit_is_in_one_of_its_two_tables() -> None:
    codes = [refusal.code for refusal in KIT_STATUSES] + list(OTHER_CODES)
    assert len(codes) == len(set(codes))
    assert set(FIELD_CODES) <= set(codes)
    assert all(refusal.__dict__["__doc__"] for refusal in KIT_STATUSES)


def test_a_cursor_comes_back_as_it_was_given_and_nothing_else_does() -> None:
    cursor = encode_cursor("Müller", 7)
    assert decode_cursor(cursor, str, int) == ("Müller", 7)
    for wrong in ("", "x", "é", "W10", cursor[:-4], encode_cursor(7, "Müller"), encode_cursor("a\0", 1)):
        with pytest.raises(CursorInvalid):
            decode_cursor(wrong, str, int)
    for wrong in (encode_cursor("a", 2**63), encode_cursor("a", True)):
        with pytest.raises(CursorInvalid):
            decode_cursor(wrong, str, int)


def test_an_entity_tag_changes_with_any_of_its_parts() -> None:
    tag = etag("customer", 7)
    assert tag == etag("customer", 7) and tag.startswith('"')
    assert len({tag, etag("customer", 8), etag("customer7"), etag(b"customer", "7", "")}) == 4
    assert is_match(tag, tag) and is_match(f'"other", W/{tag}', tag) and is_match("*", tag)
    assert not is_match(None, tag) and not is_match('"other"', tag)


def test_a_request_no_route_answers_is_unmatched() -> None:
    assert route_of({}) == "unmatched"
