"""Every "no" is a problem document with a code and a place, whatever was sent and whatever broke."""

# No `from __future__ import annotations`: FastAPI reads the annotations of the endpoints made inside functions.

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, ClassVar
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from starlette.responses import JSONResponse, Response
from structlog.testing import capture_logs

from regulars_kit.auth import HEADER, Principal, Signer, Verifier, guarded, new_key_pair, requires, route_scopes
from regulars_kit.http import Router, error_codes_table, new_app, read_json, stream_body
from regulars_kit.idempotency import IdempotencyKey
from regulars_kit.limits import LIMITS
from regulars_kit.middleware import route_of
from regulars_kit.models import Minor, PageLimit, StrictModel, Text
from regulars_kit.pagination import CursorInvalid, decode_cursor, encode_cursor, etag, is_match
from regulars_kit.problems import KIT_STATUSES
from regulars_kit.values import Refused, Unavailable

PRIVATE, PUBLIC_KEY = new_key_pair()
TILL = Principal("till-7", None, frozenset({"receipts:write"}))


class ReceiptTaken(Refused):
    """Another receipt has this number."""

    code: ClassVar[str] = "receipt_number_taken"


class NegativeLine(Refused):
    code: ClassVar[str] = "negative_line"


class LineIn(StrictModel):
    sku: Text
    net_minor: Minor


class ReceiptIn(StrictModel):
    till: Text
    lines: list[LineIn]


class ReceiptOut(StrictModel):
    total_minor: Minor


def shop_routes() -> Router:
    router = Router()

    @router.post("/v1/receipts", status_code=201)
    async def post_receipt(
        body: ReceiptIn, principal: Annotated[Principal, Depends(requires("receipts:write"))]
    ) -> ReceiptOut:
        if body.till == "taken":
            raise ReceiptTaken("this till has given the number to another receipt")
        for index, line in enumerate(body.lines):
            if line.net_minor < 0:
                raise NegativeLine("a line of a purchase is not negative", field=f"/lines/{index}/net_minor")
        return ReceiptOut(total_minor=sum(line.net_minor for line in body.lines))

    @router.get("/v1/receipts/{receipt_id}", dependencies=[Depends(requires("public"))])
    async def get_receipt(receipt_id: UUID, limit: Annotated[PageLimit, Query()] = 50) -> ReceiptOut:
        return ReceiptOut(total_minor=limit)

    @router.get("/v1/broken", dependencies=[Depends(requires("public"))])
    async def broken(what: str) -> ReceiptOut:
        raise Unavailable("the database is away", retry_after_s=2) if what == "away" else KeyError(what)

    @router.post("/v1/created", dependencies=[Depends(requires("public"))])
    async def created(key: IdempotencyKey) -> str:
        return key

    return router


@guarded("receipts:write")
async def plain(request: Request, principal: Principal) -> Response:
    return JSONResponse({"client": principal.client, "body": await read_json(request)})


@guarded("public")
async def streamed(request: Request, principal: Principal) -> Response:
    stream_body(request)
    return JSONResponse({"bytes": sum([len(chunk) async for chunk in request.stream()])})


def an_app() -> FastAPI:
    app = new_app("Shop", "1", {ReceiptTaken: 409}, None, Verifier({"gateway": PUBLIC_KEY}, "shop"))
    app.include_router(shop_routes())
    app.add_route("/v1/plain", plain, methods=["POST"])
    app.add_route("/v1/streamed", streamed, methods=["POST"])
    return app


@pytest.fixture
def app() -> FastAPI:
    return an_app()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    headers = {HEADER: Signer(PRIVATE, "gateway").sign(TILL, "shop")}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop", headers=headers) as client:
        yield client


def a_receipt(**changes: Any) -> dict[str, Any]:
    return {"till": "7", "lines": [{"sku": "COFFEE", "net_minor": 1999}]} | changes


async def post(client: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    return await client.post("/v1/receipts", content=body, headers={"content-type": "application/json"} | headers)


def problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "code"} <= set(document)
    assert document["status"] == response.status_code
    return document


async def test_a_good_receipt_is_taken(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/receipts", json=a_receipt())
    assert (response.status_code, response.json()) == (201, {"total_minor": 1999})


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b'{"till": "7", "till": "8", "lines": []}', 400, "duplicate_key", "/till"),
        (b'{"till": NaN}', 400, "invalid_number", None),
        (b'{"till": "7"', 400, "malformed_json", None),
        (b'{"till": "\xff"}', 400, "invalid_utf8", None),
        (b'{"till": "\\u0000"}', 400, "invalid_character", "/till"),
        (b"[" * 100, 400, "malformed_json", None),
        (b"[" * 100 + b"]" * 100, 400, "too_deep", None),
        (b'{"till": "7", "lines": [], "colour": 1}', 422, "unknown_field", "/colour"),
        (b'{"till": "7"}', 422, "missing_field", "/lines"),
        (b'{"till": 7, "lines": []}', 422, "wrong_type", "/till"),
        (b'{"till": "7", "lines": [{"sku": "A", "net_minor": true}]}', 422, "wrong_type", "/lines/0/net_minor"),
        (b'{"till": "7", "lines": [{"sku": "A", "net_minor": -1}]}', 422, "negative_line", "/lines/0/net_minor"),
        (b"[]", 422, "wrong_type", ""),
        (b"", 422, "body_required", ""),
    ],
)
async def test_bad_bodies_are_problems_with_a_code_and_a_place(
    client: httpx.AsyncClient, body: bytes, status: int, code: str, pointer: str | None
) -> None:
    document = problem(await post(client, body))
    assert (document["status"], document["code"]) == (status, code)
    assert [error["pointer"] for error in document.get("errors", [])] == ([] if pointer is None else [pointer])


async def test_a_body_of_another_kind_is_refused(client: httpx.AsyncClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"):
        response = await post(client, json.dumps(a_receipt()).encode(), **{"content-type": kind})
        assert (response.status_code, problem(response)["code"]) == (415, "wrong_content_type")
    assert await post(client, json.dumps(a_receipt()).encode(), **{"content-type": "Application/JSON; charset=utf-8"})


async def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not(client: httpx.AsyncClient) -> None:
    body = json.dumps(a_receipt()).encode()
    at_limit = body + b" " * (LIMITS.body_bytes - len(body))
    assert (await post(client, at_limit)).status_code == 201
    document = problem(await post(client, at_limit + b" "))
    assert (document["status"], document["code"]) == (413, "body_too_large")


async def test_a_body_without_a_length_is_counted_as_it_comes(client: httpx.AsyncClient) -> None:
    taken = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(1_000):
            taken += 1
            yield b" " * 65_536

    response = await client.post("/v1/plain", content=chunks())
    assert (response.status_code, problem(response)["code"]) == (415, "wrong_content_type")
    headers = {"content-type": "application/json"}
    for path in ("/v1/plain", "/v1/receipts"):
        taken = 0
        response = await client.post(path, content=chunks(), headers=headers)
        assert (response.status_code, problem(response)["code"]) == (413, "body_too_large")
        assert taken == 17  # 16 x 64 KiB are 1 MiB; the next one is too many


async def test_a_streamed_route_takes_more_than_a_body_may_have(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/streamed", content=b" " * (LIMITS.body_bytes * 2))
    assert response.json() == {"bytes": LIMITS.body_bytes * 2}


async def test_a_refusal_is_far_smaller_than_what_it_refuses(client: httpx.AsyncClient) -> None:
    lines = [{"sku": "SECRET" * 50, "net_minor": "SECRET"}] * 2_000
    response = await client.post("/v1/receipts", json=a_receipt(lines=lines, SECRET="x"))
    assert response.status_code == 422
    assert len(problem(response)["errors"]) == LIMITS.errors_listed
    assert "SECRETSECRET" not in response.text
    assert len(response.content) < 4_000


async def test_the_services_table_gives_the_status_of_its_refusals(client: httpx.AsyncClient) -> None:
    document = problem(await client.post("/v1/receipts", json=a_receipt(till="taken")))
    assert document["status"] == 409
    assert document["code"] == "receipt_number_taken"
    assert document["detail"] == "this till has given the number to another receipt"


async def test_a_parameter_that_does_not_fit_is_named(client: httpx.AsyncClient) -> None:
    address = "/v1/receipts/018f3f3e-0000-7000-8000-000000000001"
    for limit in (LIMITS.page_min, LIMITS.page_max):
        assert (await client.get(address, params={"limit": limit})).json() == {"total_minor": limit}
    for limit in (LIMITS.page_min - 1, LIMITS.page_max + 1):
        document = problem(await client.get(address, params={"limit": limit}))
        assert [(error["parameter"], error["code"]) for error in document["errors"]] == [("limit", "out_of_range")]
    assert problem(await client.get("/v1/receipts/17"))["errors"][0]["parameter"] == "receipt_id"


async def test_no_address_and_no_method_are_problems_too(client: httpx.AsyncClient) -> None:
    assert problem(await client.get("/v1/nowhere"))["code"] == "not_found"
    response = await client.delete("/v1/receipts")
    assert (problem(response)["code"], response.headers["allow"]) == ("method_not_allowed", "POST")


async def test_while_a_dependency_is_away_the_caller_is_told_when_to_try_again(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/broken", params={"what": "away"})
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert problem(response)["code"] == "unavailable"


async def test_a_bug_is_a_problem_with_the_requests_id_and_nothing_of_the_bug(client: httpx.AsyncClient) -> None:
    with capture_logs() as logged:
        response = await client.get("/v1/broken", params={"what": "secret"}, headers={"X-Request-Id": "till-7-0001"})
    document = problem(response)
    assert (document["status"], document["code"]) == (500, "internal_error")
    assert "till-7-0001" in document["detail"] and "secret" not in response.text
    assert [(entry["event"], entry["route"]) for entry in logged] == [("request failed", "/v1/broken")]


async def test_every_answer_carries_a_request_id(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz", headers={"X-Request-Id": "a-1"})).headers["x-request-id"] == "a-1"
    given = await client.get("/healthz", headers={"X-Request-Id": "not <well> formed"})
    assert len(given.headers["x-request-id"]) == 32
    assert "x-request-id" in (await client.get("/v1/nowhere")).headers


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


def test_the_table_of_codes_has_the_kits_and_the_services() -> None:
    rows = error_codes_table({ReceiptTaken: 409})
    assert ("receipt_number_taken", 409, "Another receipt has this number.") in rows
    assert {refusal.code for refusal in KIT_STATUSES} < {code for code, _, _ in rows}
    assert rows == sorted(rows, key=lambda row: (row[1], row[0]))


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
