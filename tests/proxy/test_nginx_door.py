"""Who comes through nginx, with what, and how often."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest

from proxy.conftest import Door, a_door
from proxy.doubles import GOOD
from system.running import until

CUSTOMERS = "/v1/customers"


async def test_the_service_gets_the_signed_principal_and_neither_the_clients_own_nor_what_else_is_the_doors(
    door: Door,
) -> None:
    forged = {"X-Regulars-Principal": "forged", "X-Regulars-Audience": "forged"}
    async with door.client(Authorization=GOOD, **forged) as client:
        headers = (await client.get(CUSTOMERS)).json()["headers"]
    assert headers["x-regulars-principal"] == f"{GOOD}->customer"
    assert not {"forged", GOOD} & set(headers.values())


@pytest.mark.parametrize(
    ("headers", "code"), [({}, "api_key_required"), ({"Authorization": "Bearer rk_bad"}, "api_key_unknown")]
)
async def test_without_a_known_key_nobody_enters(door: Door, headers: dict[str, str], code: str) -> None:
    async with door.client(**headers) as stranger:
        answer = await stranger.post(CUSTOMERS, json={"name": "Ada"})
    problem = assert_problem(answer, 401, code)
    assert problem["type"] == f"urn:regulars:problem:{code}"
    assert answer.headers["www-authenticate"] == 'Bearer realm="regulars"'


async def test_a_key_is_asked_about_once_in_five_seconds_for_each_service(tmp_path: Path) -> None:
    async with a_door(tmp_path) as door, door.client(Authorization=GOOD) as client:
        for _ in range(5):
            await client.get(CUSTOMERS)
            await client.put("/v1/purchases/0197", json={})
        assert door.gateway.checks == {(GOOD, "customer"): 1, (GOOD, "loyalty"): 1}


async def test_a_revoked_key_is_refused_once_its_answer_is_forgotten(door: Door) -> None:
    door.gateway.keys.add("Bearer rk_leaver")
    async with door.client(Authorization="Bearer rk_leaver") as client:
        assert (await client.get(CUSTOMERS)).status_code == 200
        door.gateway.keys.remove("Bearer rk_leaver")

        async def is_refused() -> bool:
            return (await client.get(CUSTOMERS)).status_code == 401

        await until(is_refused, "the revoked key still opens the door", within_s=10)


async def test_a_clients_id_of_its_request_is_passed_on_and_a_missing_or_odd_one_replaced(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(CUSTOMERS, headers={"X-Request-Id": "till-1.42", "traceparent": "00-ab-cd-01"})
    assert answer.headers.get_list("x-request-id") == ["till-1.42"]
    assert answer.json()["headers"]["traceparent"] == "00-ab-cd-01"
    for odd in ({}, {"X-Request-Id": "a b;"}, {"X-Request-Id": "x" * 65}):
        made = (await client.get(CUSTOMERS, headers=odd)).json()["headers"]["x-request-id"]
        assert len(made) == 32


@pytest.mark.parametrize("status", [403, 404, 409, 422, 500, 503])
async def test_what_a_service_says_passes_as_it_is(client: httpx.AsyncClient, status: int) -> None:
    answer = await client.get(f"{CUSTOMERS}?status={status}")
    assert (answer.status_code, answer.json()["service"]) == (status, "customer")


async def test_a_body_of_a_mebibyte_passes_and_one_byte_more_does_not(client: httpx.AsyncClient) -> None:
    assert (await client.post(CUSTOMERS, content=b"x" * 2**20)).json()["body"] == 2**20
    assert_problem(await client.post(CUSTOMERS, content=b"x" * (2**20 + 1)), 413, "body_too_large")


async def test_a_streamed_body_is_as_long_as_it_likes_and_answered_while_it_arrives(door: Door) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(f"POST /v1/purchases:batch HTTP/1.1\r\nHost: x\r\nAuthorization: {GOOD}\r\n".encode())
    writer.write(b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + a_chunk(b'{"line": 1}\n'))
    async with asyncio.timeout(20):
        # The first line is answered before the second is sent.
        await reader.readuntil(b'{"bytes":12}\n')
        writer.write(a_chunk(b"x" * (2 * 2**20)) + a_chunk(b""))
        rest = (await reader.read()).decode()
    assert sum(int(size) for size in re.findall(r'"bytes":(\d+)', rest)) == 2 * 2**20
    writer.close()
    await writer.wait_closed()


def a_chunk(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


async def test_a_caller_beyond_its_rate_is_told_when_to_come_again_and_no_other_is(tmp_path: Path) -> None:
    async with a_door(tmp_path, REGULARS_CALLER_RATE="1", REGULARS_CALLER_BURST="2") as door:
        door.gateway.keys.add("Bearer rk_other")
        async with door.client(Authorization=GOOD) as eager, door.client(Authorization="Bearer rk_other") as other:
            answers = await asyncio.gather(*[eager.get(CUSTOMERS) for _ in range(10)])
            refused = [answer for answer in answers if answer.status_code != 200]
            assert len(refused) >= 5
            assert_problem(refused[0], 429, "too_many_requests")
            assert refused[0].headers["retry-after"] == "1"
            assert (await other.get(CUSTOMERS)).status_code == 200


async def test_pages_that_ask_for_no_key_are_limited_by_address_whatever_key_is_shown(tmp_path: Path) -> None:
    async with a_door(tmp_path, REGULARS_CALLER_RATE="1", REGULARS_CALLER_BURST="2") as door:
        async with door.client() as crowd:
            asked = [crowd.get("/docs", headers={"Authorization": f"Bearer rk_{n}"}) for n in range(10)]
            answers = await asyncio.gather(*asked)
        refused = [answer for answer in answers if answer.status_code != 200]
        assert len(refused) >= 5
        assert_problem(refused[0], 429, "too_many_requests")


async def test_who_guesses_keys_is_slowed_down_by_address_before_the_gateway_is_asked(tmp_path: Path) -> None:
    async with a_door(tmp_path, REGULARS_CHECK_RATE="1", REGULARS_CHECK_BURST="3") as door:
        async with door.client(Authorization=GOOD) as client, door.client() as stranger:
            assert (await client.get(CUSTOMERS)).status_code == 200
            guesses = [stranger.get(CUSTOMERS, headers={"Authorization": f"Bearer rk_{n}"}) for n in range(20)]
            answers = await asyncio.gather(*guesses)
            assert {answer.status_code for answer in answers} == {401, 429}
            assert_problem(next(a for a in answers if a.status_code == 429), 429, "too_many_requests")
            # A key that was let in a moment ago is not looked up again, so its holder notices nothing.
            assert (await client.get(CUSTOMERS)).status_code == 200
        assert sum(door.gateway.checks.values()) < 10


async def test_a_service_that_is_away_is_unavailable_and_its_neighbour_is_not(tmp_path: Path) -> None:
    async with a_door(tmp_path, away=("loyalty",)) as door, door.client(Authorization=GOOD) as client:
        answer = await client.put("/v1/purchases/0197", json={})
        assert_problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"
        assert (await client.get(CUSTOMERS)).status_code == 200


async def test_while_the_gateway_is_away_nobody_new_enters_and_is_told_when_to_come_again(tmp_path: Path) -> None:
    async with a_door(tmp_path, away=("gateway",)) as door, door.client(Authorization=GOOD) as client:
        answer = await client.get(CUSTOMERS)
        assert_problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"


async def test_a_request_that_is_not_http_gets_a_problem_too(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get(CUSTOMERS, headers={"X-Long": "x" * 40_000}), 400, "bad_request")
    assert_problem(await client.get(f"{CUSTOMERS}?q=" + "x" * 40_000), 414, "uri_too_long")


async def test_the_log_of_requests_knows_no_address_of_anybody_and_nobody(door: Door) -> None:
    async with door.client(Authorization=GOOD) as client:
        await client.get(f"{CUSTOMERS}/who-this-is?email=ada@example.com", headers={"X-Request-Id": "in-the-log"})

    async def is_logged() -> bool:
        return "in-the-log" in door.access_log.read_text()

    await until(is_logged, "the request is not logged")
    [line] = [line for line in door.access_log.read_text().splitlines() if "in-the-log" in line]
    assert json.loads(line)["service"] == "customer"
    assert "who-this-is" not in line
    assert "ada@" not in line
    assert "127.0.0.1" not in line


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    problem: dict[str, object] = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert answer.headers["x-request-id"]
    return problem
