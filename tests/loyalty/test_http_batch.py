"""Purchases in a stream: each line has its own answer, in the order of the input, by the tills' own path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from starlette.types import Message

from builders import BEN
from loyalty.shop import Body, Shop, a_sale, code_of
from regulars_kit.auth import HEADER, Principal
from regulars_kit.limits import LIMITS
from regulars_loyalty.adapters.http.purchase_batch import GROUP_PURCHASES

# Paid with a thousand points, of which Anna has ten.
TOO_DEAR = a_sale(1000, occurred_at="2026-04-01T12:00:00+02:00", tenders=[{"type": "points", "amount_minor": 1000}])


async def test_each_line_is_answered_in_its_place(club: Shop) -> None:
    sales = [a_sale(100 * number) for number in range(1, 8)]
    answers = await club.batch(sales)
    assert [answer["line"] for answer in answers] == list(range(1, 8))
    assert {answer["status"] for answer in answers} == {201}
    assert [answer["body"]["earned"] for answer in answers] == list(range(1, 8))
    assert [answer["body"]["balance"] for answer in answers] == [1, 3, 6, 10, 15, 21, 28], "one after the other"


async def test_a_stream_of_many_groups_keeps_its_order(club: Shop) -> None:
    sales = [a_sale(100) for _ in range(2 * GROUP_PURCHASES + 3)]
    answers = await club.batch(sales)
    assert [answer["body"]["balance"] for answer in answers] == list(range(1, len(sales) + 1))


async def test_a_bad_line_harms_no_other(club: Shop) -> None:
    lines: list[Body | bytes] = [
        a_sale(100),
        b"{",
        a_sale(100, colour="red"),
        a_sale(-1),
        b'{"store": "a", "store": "b"}',
        b'{"store": "' + b"a" * LIMITS.line_bytes + b'"}',
        a_sale(100, currency="USD"),
        a_sale(100, programme="none"),
        a_sale(100, customer={"id": str(BEN)}),
        b"",
        a_sale(100),
    ]
    answers = await club.batch(lines)
    assert [(answer["line"], answer["status"], answer["body"].get("code")) for answer in answers] == [
        (1, 201, None),
        (2, 400, "malformed_json"),
        (3, 422, "unknown_field"),
        (4, 422, "negative_line"),
        (5, 400, "duplicate_key"),
        (6, 413, "line_too_large"),
        (7, 422, "currency_not_in_programme"),
        (8, 422, "unknown_programme"),
        (9, 201, None),
        (10, 201, None),  # a blank line is none
    ]
    assert answers[2]["body"]["errors"][0]["pointer"] == "/colour"
    assert await club.balance() == 2


async def test_a_line_may_name_its_purchase_or_bring_a_key(club: Shop) -> None:
    purchase_id, sale = uuid4(), a_sale()
    named = {**sale, "purchase_id": str(purchase_id)}
    keyed = {**a_sale(), "idempotency_key": "k-1"}
    first, second = await club.batch([named, keyed])
    assert first["body"]["purchase_id"] == str(purchase_id)
    assert [answer["body"] for answer in await club.batch([named, keyed])] == [first["body"], second["body"]]
    retried = await club.put(sale, purchase_id)
    assert retried.headers["Idempotent-Replayed"] == "true", "a stream and a till are one path"
    assert retried.json() == first["body"]


async def test_twins_in_one_stream_are_one_purchase(club: Shop) -> None:
    sale = {**a_sale(), "purchase_id": str(uuid4())}
    answers = await club.batch([sale] * 20)
    assert len({json.dumps(answer["body"]) for answer in answers}) == 1
    assert await club.balance() == 19


async def test_a_stream_stops_at_its_last_line(club: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regulars_kit.ndjson.LIMITS", type("Few", (), {"stream_lines": 2, "line_bytes": 1024}))
    answers = await club.batch([a_sale(100), a_sale(100), a_sale(100), a_sale(100)])
    assert [answer["status"] for answer in answers] == [201, 201, 413]
    assert answers[-1]["body"]["code"] == "too_many_lines"


async def test_a_till_streams_for_its_own_stores_alone(club: Shop) -> None:
    own = Principal("till-1", None, frozenset({"purchases:write"}), frozenset({"berlin-mitte"}))
    answers = await club.batch([a_sale(100), a_sale(100, store="hamburg")], principal=own)
    assert [(answer["status"], answer["body"].get("code")) for answer in answers] == [
        (201, None),
        (403, "store_not_allowed"),
    ]


async def test_a_stream_is_ndjson(club: Shop) -> None:
    response = await club.send("POST", "/v1/purchases:batch", a_sale())
    assert code_of(response) == (415, "wrong_content_type")


async def test_an_empty_stream_has_no_answers(club: Shop) -> None:
    assert await club.batch([]) == []


async def test_what_was_sent_before_the_client_went_away_stays(club: Shop) -> None:
    lines = b"".join(json.dumps(a_sale(100)).encode() + b"\n" for _ in range(GROUP_PURCHASES + 1))
    messages: Iterator[Message] = iter(
        [{"type": "http.request", "body": lines, "more_body": True}, {"type": "http.disconnect"}]
    )
    sent: list[Message] = []

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = {HEADER: club.token(), "Content-Type": "application/x-ndjson"}
    await club.service.app(
        {
            "type": "http",
            "method": "POST",
            "path": "/v1/purchases:batch",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        },
        receive,
        send,
    )
    await club.service.app.state.loyalty.purchases.drain()
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert await club.balance() == GROUP_PURCHASES, "the group that was whole is recorded"


# The 10 points of 10 February end with 10 March: the refused purchase of 1 April finds that out, first or last.
@pytest.mark.parametrize(
    ("accepted_at", "told"),
    [
        ("2026-04-01T13:00:00+02:00", [("points_expired", 0, 2), ("purchase_recorded", 20, 3)]),
        ("2026-03-05T13:00:00+01:00", [("purchase_recorded", 30, 2), ("points_expired", 20, 3)]),
    ],
)
async def test_what_expired_before_a_refused_purchase_is_told_as_it_is_posted(
    shop: Shop, accepted_at: str, told: list[tuple[str, int, int]]
) -> None:
    await shop.publish(expires={"after": "P1M"})
    await shop.sell(1000)
    sales = sorted([TOO_DEAR, a_sale(2000, occurred_at=accepted_at)], key=lambda sale: str(sale["occurred_at"]))
    answers = await shop.batch(sales)
    assert sorted(answer["status"] for answer in answers) == [201, 409]
    events = [event for event in await shop.told() if "programme" not in event.type][1:]
    balances: list[Any] = [event.data["balance"] for event in events]
    assert [event.type for event in events] == [f"loyalty.{type_}.v1" for type_, _, _ in told]
    assert [(balance["spendable"], balance["account_seq"]) for balance in balances] == [each[1:] for each in told]


async def test_what_a_refused_purchase_alone_would_have_found_expired_is_neither_posted_nor_told(shop: Shop) -> None:
    await shop.publish(expires={"after": "P1M"})
    await shop.sell(1000)
    [answer] = await shop.batch([TOO_DEAR])
    assert answer["body"]["code"] == "insufficient_points"
    assert await shop.count("postings") == 1
    assert "loyalty.points_expired.v1" not in [event.type for event in await shop.told()]
