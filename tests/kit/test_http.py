"""Every "no" is a problem document with a code and a place, whatever was sent and whatever broke."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from kit.http_shop import a_client, a_receipt, an_app, post, problem
from regulars_kit.limits import LIMITS


@pytest.fixture
def app() -> FastAPI:
    return an_app()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with a_client(app) as client:
        yield client


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
