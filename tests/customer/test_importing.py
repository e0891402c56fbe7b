"""Thousands of customers come in as one stream: answered line by line, repeatable, and a bad line harms no other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from customer.shop import Shop, an_email, an_external_id, ann, code_of
from regulars_customer.adapters.http.batch import LINES_PER_COMMIT
from regulars_kit.limits import LIMITS


def a_line(number: int, **said: Any) -> dict[str, Any]:
    return {"name": f"Customer {number}", "identifiers": [an_external_id(str(number))], **said}


async def test_every_line_is_answered_in_its_order_with_its_customer(shop: Shop) -> None:
    count = 2 * LINES_PER_COMMIT + 7
    answers = await shop.batch([a_line(number) for number in range(count)])
    assert [answer["line"] for answer in answers] == list(range(1, count + 1))
    assert {answer["status"] for answer in answers} == {201}
    assert await shop.count("customers") == count
    assert await shop.count("outbox") == count
    third = await shop.read(answers[2]["body"]["id"])
    assert (third["name"], third["identifiers"][0]["value"]) == ("Customer 2", "2")


async def test_a_stream_sent_again_registers_nobody_twice(shop: Shop) -> None:
    lines = [ann(identifiers=[an_external_id(str(number))]) for number in range(30)]
    first = await shop.batch(lines)
    again = await shop.batch([*lines, a_line(99)])
    assert [answer["status"] for answer in again] == [200] * 30 + [201]
    assert [answer["body"] for answer in again[:30]] == [answer["body"] for answer in first]
    assert await shop.count("customers") == 31
    assert await shop.count("outbox") == 61, "what says what is known is not told again"


async def test_a_line_may_tell_more_of_a_known_customer(shop: Shop) -> None:
    await shop.batch([a_line(1), a_line(2)])
    answers = await shop.batch([a_line(1, name="Ann"), a_line(2), a_line(3)])
    assert [answer["status"] for answer in answers] == [200, 200, 201]
    assert [answer["body"]["version"] for answer in answers] == [2, 1, 1]
    assert (await shop.read(answers[0]["body"]["id"]))["name"] == "Ann"


async def test_a_bad_line_gets_its_own_answer_and_harms_no_other(shop: Shop) -> None:
    await shop.register(identifiers=[an_email()])
    bad: list[tuple[dict[str, Any] | bytes, int, str]] = [
        (b'{"name": "Ann", "name": "Ben"}', 400, "duplicate_key"),
        (b'{"name": NaN}', 400, "invalid_number"),
        (b"not json", 400, "malformed_json"),
        (b'{"name": "\xff"}', 400, "invalid_utf8"),
        (b'{"name": "\\u0000"}', 400, "invalid_character"),
        (b"[" * 40 + b"]" * 40, 400, "too_deep"),
        (b'{"name": "' + b"x" * LIMITS.line_bytes + b'"}', 413, "line_too_large"),
        (a_line(900, nickname="Annie"), 422, "unknown_field"),
        (a_line(901, name="x" * 256), 422, "too_long"),
        (a_line(902, time_zone="Mars/Olympus"), 422, "unknown_time_zone"),
        (a_line(903, birth_date="2999-01-01"), 422, "invalid_field"),
        ({"identifiers": [an_email("new@example.com")]}, 422, "external_id_required"),
        ({"identifiers": [an_external_id("904"), an_email()]}, 409, "identifier_taken"),
        ({"identifiers": [an_external_id("905"), an_email("no address")]}, 422, "bad_identifier"),
    ]
    lines: list[dict[str, Any] | bytes] = []
    for number, (line, _, _) in enumerate(bad):
        lines += [a_line(2 * number), line, a_line(2 * number + 1)]
    answers = await shop.batch(lines)
    assert [answer["status"] for answer in answers[0::3] + answers[2::3]] == [201] * (2 * len(bad))
    refused = [(answer["status"], answer["body"]["code"]) for answer in answers[1::3]]
    assert refused == [(status, code) for _, status, code in bad]
    assert await shop.count("customers") == 1 + 2 * len(bad)


async def test_one_customer_twice_in_a_stream_is_one_customer(shop: Shop) -> None:
    answers = await shop.batch([a_line(1), a_line(2), a_line(1, name="Ann"), a_line(3)])
    assert [answer["status"] for answer in answers] == [201, 201, 200, 201]
    assert answers[0]["body"]["id"] == answers[2]["body"]["id"]
    assert (await shop.read(answers[0]["body"]["id"]))["name"] == "Ann"


async def test_one_customer_under_two_ids_in_a_stream_is_one_customer(shop: Shop) -> None:
    both = {"identifiers": [an_external_id("1"), an_external_id("2")]}
    await shop.batch([both])
    answers = await shop.batch([a_line(1, tags=["a"]), a_line(2, traits={"city": "York"})])
    assert [answer["status"] for answer in answers] == [200, 200]
    customer = await shop.read(answers[0]["body"]["id"])
    assert (customer["name"], customer["tags"], customer["traits"]["city"]) == ("Customer 2", ["a"], "York")


async def test_two_lines_that_want_one_address_leave_it_to_the_first(shop: Shop) -> None:
    lines = [a_line(number, identifiers=[an_external_id(str(number)), an_email()]) for number in range(5)]
    assert [answer["status"] for answer in await shop.batch(lines)] == [201, 409, 409, 409, 409]


async def test_the_same_stream_five_times_at_once_registers_nobody_twice(shop: Shop) -> None:
    lines = [a_line(number) for number in range(60)]
    answers = await asyncio.gather(*(shop.batch(lines if turn % 2 else lines[::-1]) for turn in range(5)))
    assert {answer["status"] for stream in answers for answer in stream} <= {200, 201}
    assert await shop.count("customers") == 60
    assert await shop.count("outbox") == 60


async def test_blank_lines_and_a_missing_last_break_are_no_lines(shop: Shop) -> None:
    content = b"\n" + json.dumps(a_line(1)).encode() + b"\r\n\n" + json.dumps(a_line(2)).encode()
    ndjson = {"Content-Type": "application/x-ndjson"}
    response = await shop.send("POST", "/v1/customers:batch", content=content, headers=ndjson)
    assert [json.loads(line)["line"] for line in response.content.splitlines()] == [1, 2]


async def test_an_empty_stream_has_no_answers(shop: Shop) -> None:
    assert await shop.batch([]) == []


async def test_lines_are_cut_wherever_the_network_cuts_the_stream(shop: Shop) -> None:
    body = b"".join(json.dumps(a_line(number)).encode() + b"\n" for number in range(5))

    async def crumbs() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 7):
            yield body[at : at + 7]

    ndjson = {"Content-Type": "application/x-ndjson"}
    response = await shop.send("POST", "/v1/customers:batch", content=crumbs(), headers=ndjson)
    assert [json.loads(line)["status"] for line in response.content.splitlines()] == [201] * 5


async def test_consents_in_a_line_need_their_own_scope(shop: Shop) -> None:
    answers = await shop.batch([a_line(1), ann()], scopes={"customers:write"})
    assert [answer["status"] for answer in answers] == [201, 403]


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
async def test_a_stream_says_that_it_is_one(shop: Shop, kind: str) -> None:
    response = await shop.send("POST", "/v1/customers:batch", content=b"{}", headers={"Content-Type": kind})
    assert code_of(response) == (415, "wrong_content_type")
