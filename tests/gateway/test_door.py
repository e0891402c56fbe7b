"""The door: who gets in, what the services are told about them, and how soon a revoked key is shut out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from regulars_gateway.adapters.http.door import Door, Stamped
from regulars_gateway.adapters.http.neighbours import Neighbours, in_process
from regulars_gateway.application.authorise import REMEMBERED, Authoriser
from regulars_gateway.domain.keys import EVERY_SCOPE, Grant, digest_of, is_well_formed, new_key
from regulars_kit.values import Unavailable, utc_now

KEY = new_key()
DOCUMENT = {"paths": {"/v1/things": {"get": {"x-scope": "things:read"}, "post": {"x-scope": "internal:things"}}}}


class Lookups:
    """The keys' table: digest -> what the key opens. Counts the questions; `is_away` refuses them."""

    def __init__(self) -> None:
        self.grants: dict[bytes, Grant] = {digest_of(KEY): Grant("till-1", frozenset({"things:read"}), None, None)}
        self.asked = 0
        self.is_away = False

    async def grant(self, digest: bytes, at: datetime) -> Grant | None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise Unavailable("the database is away; try again")
        return self.grants.get(digest)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        yield SimpleNamespace(keys=self)


class Rig:
    """A door in front of an app that says which principals reached it."""

    def __init__(self) -> None:
        self.lookups = Lookups()
        self.signed: list[tuple[str, list[str]]] = []
        self.now_s = 0.0
        neighbours = Neighbours({"things": in_process(lambda: DOCUMENT)}, lambda: self.now_s)
        self.authoriser = Authoriser(self.lookups.begin, self.sign, neighbours, monotonic=lambda: self.now_s)
        service = Starlette(routes=[Route("/v1/things", what_arrived)])
        self.app = Door(Stamped(service, "things", self.authoriser), self.authoriser)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://shop")

    def sign(self, grant: Grant, scopes: frozenset[str], service: str) -> str:
        self.signed.append((grant.client, sorted(scopes)))
        return f"token-{len(self.signed) - 1}"

    async def get(self, key: str = KEY) -> httpx.Response:
        return await self.client.get("/v1/things", headers={b"Authorization": f"Bearer {key}".encode()})


async def what_arrived(request: Request) -> JSONResponse:
    return JSONResponse({"principals": request.headers.getlist("x-regulars-principal")})


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    async with rig.client:
        yield rig


async def test_without_a_key_nobody_gets_in(rig: Rig) -> None:
    answer = await rig.client.get("/v1/things")
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_required")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == 'Bearer realm="regulars"'


@pytest.mark.parametrize("authorization", ["Basic cmtfOg==", "Bearer", "Bearer ", KEY])
async def test_what_is_no_bearer_key_counts_as_none(rig: Rig, authorization: str) -> None:
    answer = await rig.client.get("/v1/things", headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_required")


@pytest.mark.parametrize("key", [new_key(), KEY[:-1], KEY + "0", KEY.upper(), "ü"])
async def test_another_key_is_refused_and_not_repeated(rig: Rig, key: str) -> None:
    answer = await rig.get(key)
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_unknown")
    assert "invalid_token" in answer.headers["www-authenticate"]
    assert key not in answer.text


async def test_a_mistyped_key_costs_no_question_and_an_unknown_one_only_one(rig: Rig) -> None:
    stranger = new_key()
    for _ in range(3):
        await rig.get(KEY[:-1])
        await rig.get(stranger)
    assert rig.lookups.asked == 1


async def test_the_key_opens_and_the_service_gets_a_signed_principal(rig: Rig) -> None:
    assert (await rig.get()).json() == {"principals": ["token-0"]}
    assert rig.signed == [("till-1", ["things:read"])]


async def test_a_principal_from_outside_never_reaches_a_service(rig: Rig) -> None:
    headers = [("Authorization", f"Bearer {KEY}"), ("X-Regulars-Principal", "forged"), ("x-regulars-principal", "too")]
    answer = await rig.client.get("/v1/things", headers=headers)
    assert answer.json() == {"principals": ["token-0"]}


async def test_a_signature_is_used_for_half_of_its_life(rig: Rig) -> None:
    for rig.now_s in (0.0, 29.9, 30.0, 59.9):
        await rig.get()
    assert len(rig.signed) == 2


async def test_requests_in_the_same_seconds_cost_one_question_and_one_signature(rig: Rig) -> None:
    await asyncio.gather(*(rig.get() for _ in range(20)))
    rig.now_s = 2.4
    await rig.get()
    assert (rig.lookups.asked, len(rig.signed)) == (1, 1)


async def test_a_revoked_key_opens_nothing_after_five_seconds(rig: Rig) -> None:
    await rig.get()
    rig.lookups.grants.clear()
    rig.now_s = 5.0
    assert (await rig.get()).json()["code"] == "api_key_unknown"


async def test_a_busy_till_never_waits_for_the_question_asked_again(rig: Rig) -> None:
    await rig.get()
    rig.lookups.grants.clear()
    rig.now_s = 2.5
    assert (await rig.get()).status_code == 200, "answered from memory, asked again behind it"
    await asyncio.sleep(0.01)
    assert rig.lookups.asked == 2
    assert (await rig.get()).status_code == 401


async def test_a_key_that_ends_is_not_remembered_past_its_end(rig: Rig) -> None:
    soon = utc_now() + timedelta(seconds=1)
    rig.lookups.grants[digest_of(KEY)] = Grant("till-1", frozenset(), None, soon)
    await rig.get()
    rig.lookups.grants.clear()
    rig.now_s = 1.1
    assert (await rig.get()).status_code == 401


async def test_new_rights_are_signed_as_soon_as_they_are_known(rig: Rig) -> None:
    await rig.get()
    rig.lookups.grants[digest_of(KEY)] = Grant("till-1", frozenset({"other:read"}), None, None)
    rig.now_s = 5.0
    await rig.get()
    assert [scopes for _, scopes in rig.signed] == [["things:read"], ["other:read"]]


async def test_the_administrator_holds_every_scope_but_those_between_services(rig: Rig) -> None:
    rig.lookups.grants[digest_of(KEY)] = Grant("admin", frozenset({EVERY_SCOPE}), None, None)
    await rig.get()
    assert rig.signed == [("admin", ["things:read"])]


async def test_while_the_database_is_away_a_known_key_opens_for_five_seconds_and_then_comes_a_503(rig: Rig) -> None:
    await rig.get()
    rig.lookups.is_away = True
    rig.now_s = 4.9
    assert (await rig.get()).status_code == 200
    await asyncio.sleep(0.01)
    rig.now_s = 5.0
    answer = await rig.get()
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "retry-after" in answer.headers


async def test_many_keys_do_not_fill_the_memory(rig: Rig) -> None:
    grant = Grant("c", frozenset(), None, None)
    for number in range(REMEMBERED + 10):
        rig.authoriser._remember(str(number).encode(), grant, 0.0, utc_now())
        rig.authoriser._remember_stranger(str(number).encode(), 0.0)
    assert len(rig.authoriser._passes) <= REMEMBERED
    assert len(rig.authoriser._strangers) <= REMEMBERED


def test_a_key_tells_a_typing_error_by_itself() -> None:
    assert is_well_formed(KEY)
    assert len(KEY) == len("rk_") + 64 + 8
    mistyped = KEY[:10] + ("1" if KEY[10] == "0" else "0") + KEY[11:]
    assert not is_well_formed(mistyped)
    assert not is_well_formed(KEY[:-1])
    assert not is_well_formed("")


async def test_the_door_logs_no_key(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await rig.get()
    assert KEY not in caplog.text
