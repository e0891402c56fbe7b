"""The pull feed: the same events by a number without gaps, as long as they are kept."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from gateway.conftest import OpenDesk
from gateway.desk import EARNED, RECORDED, Desk, an_event, code_of, working
from regulars_gateway.application.forget_events import forget_events
from regulars_gateway.application.number_events import number_events
from regulars_kit.values import utc_now


async def read(desk: Desk, query: str = "") -> dict[str, Any]:
    answer = await desk.send("GET", f"/v1/events?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def number(desk: Desk) -> int:
    return await number_events(desk.service.app.state.gateway.begin)


async def test_events_have_numbers_without_a_gap_and_are_what_was_published(desk: Desk) -> None:
    said = [an_event(uuid4(), n=n) for n in range(5)]
    await desk.hear(*said)
    assert (await read(desk))["items"] == [], "not before they have their numbers"
    assert await number(desk) == 5
    feed = await read(desk)
    assert [item["sequence"] for item in feed["items"]] == [1, 2, 3, 4, 5]
    assert [item["event"]["id"] for item in feed["items"]] == [str(event.event_id) for event in said]
    assert (feed["next_cursor"], feed["read_up_to"]) == (None, 5)


async def test_a_reader_goes_on_where_it_stopped(desk: Desk) -> None:
    await desk.hear(*(an_event(uuid4(), n=n) for n in range(5)))
    await number(desk)
    seen: list[int] = []
    query = "limit=2"
    while (feed := await read(desk, query))["items"]:
        seen += [item["event"]["data"]["n"] for item in feed["items"]]
        query = f"limit=2&after={feed['read_up_to']}"
    assert seen == [0, 1, 2, 3, 4]
    await desk.hear(an_event(uuid4(), n=5))
    await number(desk)
    assert [item["sequence"] for item in (await read(desk, query))["items"]] == [6]


async def test_a_reader_of_some_types_gets_past_the_others(desk: Desk) -> None:
    await desk.hear(an_event(uuid4(), EARNED), *(an_event(uuid4(), RECORDED) for _ in range(3)))
    await number(desk)
    feed = await read(desk, f"types={EARNED}")
    assert [item["event"]["type"] for item in feed["items"]] == [EARNED]
    assert (feed["next_cursor"], feed["read_up_to"]) == (None, 4)
    both = await read(desk, f"types={EARNED}&types={RECORDED}&limit=2")
    assert (len(both["items"]), both["next_cursor"]) == (2, "2")


async def test_what_is_forgotten_is_said_to_be(desk: Desk) -> None:
    await desk.hear(*(an_event(uuid4(), n=n) for n in range(4)))
    await number(desk)
    async with desk.service.database.transaction() as connection:
        await connection.execute(
            text("UPDATE events SET received_at = now() - interval '31 days' WHERE sequence IN (1, 2)")
        )
    assert await forget_events(desk.service.app.state.gateway.begin, utc_now) == 2
    assert code_of(await desk.send("GET", "/v1/events?after=1")) == (410, "cursor_expired")
    assert code_of(await desk.send("GET", "/v1/events?after=0")) == (410, "cursor_expired")
    for query in ("after=2", ""):
        assert [item["sequence"] for item in (await read(desk, query))["items"]] == [3, 4]


async def test_all_may_be_forgotten_and_the_numbers_go_on(desk: Desk) -> None:
    await desk.hear(an_event(uuid4()))
    await number(desk)
    async with desk.service.database.transaction() as connection:
        await connection.execute(text("UPDATE events SET received_at = now() - interval '31 days'"))
    await forget_events(desk.service.app.state.gateway.begin, utc_now)
    await desk.hear(an_event(uuid4()))
    await number(desk)
    assert [item["sequence"] for item in (await read(desk, "after=1"))["items"]] == [2]


async def test_several_writers_and_sequencers_leave_no_gap_and_keep_a_customer_s_order(open_desk: OpenDesk) -> None:
    desk = await open_desk()
    other = await open_desk(url=desk.service.database.url)
    customers = [[str(uuid4()) for _ in range(5)] for _ in range(2)]
    async with working(desk.service), working(other.service):
        await asyncio.gather(
            *(
                one.publish(*(an_event(who, n=n) for n in range(20) for who in mine))
                for one, mine in zip((desk, other), customers, strict=True)
            )
        )
        async with asyncio.timeout(20):
            while len((feed := await read(desk, "limit=200"))["items"]) < 200:
                # What a reader sees while it is being written has no holes either.
                assert [item["sequence"] for item in feed["items"]] == list(range(1, len(feed["items"]) + 1))
    assert [item["sequence"] for item in feed["items"]] == list(range(1, 201))
    for who in [*customers[0], *customers[1]]:
        of_one = [item["event"]["data"]["n"] for item in feed["items"] if item["event"]["subject"] == who]
        assert of_one == list(range(20))


async def test_bad_questions_are_refused(desk: Desk) -> None:
    for query, code in (
        ("after=-1", "out_of_range"),
        ("after=x", "invalid_field"),
        (f"after={2**63}", "out_of_range"),
        ("limit=0", "out_of_range"),
        ("limit=201", "out_of_range"),
        ("types=dreams", "invalid_field"),
        ("types=dreams.dreamt.v1", "unknown_event_type"),
    ):
        assert code_of(await desk.send("GET", f"/v1/events?{query}")) == (422, code), query
    assert (await read(desk, "after=99"))["read_up_to"] == 99
