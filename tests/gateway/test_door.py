"""The door: who gets in, and what the services are told about them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from regulars.door import Door, Stamped
from regulars.home import is_well_formed, new_admin_key

KEY = new_admin_key()


async def what_arrived(request: Request) -> JSONResponse:
    return JSONResponse({"principals": request.headers.getlist("x-regulars-principal")})


def a_client(signed: list[str], clock: list[float]) -> httpx.AsyncClient:
    """The door in front of an app that says which principals reached it; `signed` grows with every signature."""

    def sign() -> str:
        signed.append(f"token-{len(signed)}")
        return signed[-1]

    service = Starlette(routes=[Route("/v1/things", what_arrived)])
    app = Door(Stamped(service, sign, monotonic=lambda: clock[0]), KEY)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with a_client([], [0.0]) as client:
        yield client


def bearing(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_without_a_key_nobody_gets_in(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/things")
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_required")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == 'Bearer realm="regulars"'


@pytest.mark.parametrize("authorization", ["Basic cmtfOg==", "Bearer", "Bearer ", KEY])
async def test_what_is_no_bearer_key_counts_as_none(client: httpx.AsyncClient, authorization: str) -> None:
    answer = await client.get("/v1/things", headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_required")


@pytest.mark.parametrize("key", [new_admin_key(), KEY[:-1], KEY + "0", KEY.upper(), "ü"])
async def test_another_key_is_refused_and_not_repeated(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.get("/v1/things", headers={b"Authorization": f"Bearer {key}".encode()})
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_unknown")
    assert "invalid_token" in answer.headers["www-authenticate"]
    assert key not in answer.text


async def test_the_key_opens_and_the_service_gets_a_signed_principal(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/things", headers=bearing(KEY))
    assert answer.json() == {"principals": ["token-0"]}


async def test_a_principal_from_outside_never_reaches_a_service(client: httpx.AsyncClient) -> None:
    headers = [("Authorization", f"Bearer {KEY}"), ("X-Regulars-Principal", "forged"), ("x-regulars-principal", "too")]
    answer = await client.get("/v1/things", headers=headers)
    assert answer.json() == {"principals": ["token-0"]}


async def test_a_signature_is_used_for_half_of_its_life() -> None:
    signed: list[str] = []
    clock = [0.0]
    async with a_client(signed, clock) as client:
        for clock[0] in (0.0, 29.9, 30.0, 59.9):
            await client.get("/v1/things", headers=bearing(KEY))
    assert signed == ["token-0", "token-1"]


def test_a_key_tells_a_typing_error_by_itself() -> None:
    assert is_well_formed(KEY)
    assert len(KEY) == len("rk_") + 64 + 8
    mistyped = KEY[:10] + ("1" if KEY[10] == "0" else "0") + KEY[11:]
    assert not is_well_formed(mistyped)
    assert not is_well_formed(KEY[:-1])
    assert not is_well_formed("")


async def test_the_door_logs_no_key(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await client.get("/v1/things", headers=bearing(KEY))
    assert KEY not in caplog.text
