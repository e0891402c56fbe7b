"""Points over HTTP: redemptions, reversals, adjustments, and what an account says of itself."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from builders import ANNA, BEN
from loyalty.shop import Shop, code_of, place_of
from regulars_kit.auth import Principal

ACCOUNT = f"/v1/accounts/{ANNA}"


async def adjust(club: Shop, points: Any, **said: Any) -> Any:
    body = {"points": points, "reason": "goodwill", **said}
    return await club.send("POST", f"{ACCOUNT}/adjustments", body, key=str(uuid4()))


async def test_redeemed_points_come_from_lots(club: Shop) -> None:
    sold = await club.sell(10000)
    response = await club.redeem(30)
    assert response.status_code == 201
    told = response.json()
    assert (told["lots"], told["balance"]) == ([{"lot_id": sold["purchase_id"], "points": 30}], 70)


async def test_of_twenty_who_want_the_same_points_one_gets_them(club: Shop) -> None:
    await club.sell(10000)
    answers = await asyncio.gather(*(club.redeem(100) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert {code_of(answer)[1] for answer in answers if answer.status_code == 409} == {"insufficient_points"}
    assert await club.balance() == 0


async def test_twenty_twins_of_a_redemption_are_one(club: Shop) -> None:
    await club.sell(10000)
    answers = await asyncio.gather(*(club.redeem(30, key="k-1") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert await club.balance() == 70
    assert code_of(await club.redeem(31, key="k-1")) == (409, "idempotency_key_conflict")


async def test_a_redemption_is_given_back(club: Shop) -> None:
    await club.sell(10000)
    path = f"/v1/redemptions/{(await club.redeem(30)).json()['redemption_id']}/reverse"
    part = await club.send("POST", path, {"points": 10}, key="r-1")
    assert (part.status_code, part.json()["restored"], part.json()["balance"]) == (201, 10, 80)
    rest = await club.send("POST", path, key="r-2")
    assert (rest.json()["restored"], rest.json()["expired"], rest.json()["balance"]) == (20, 0, 100)
    again = await club.send("POST", path, key="r-2")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert code_of(await club.send("POST", path, key="r-3")) == (409, "nothing_left_to_reverse")


async def test_a_key_of_one_redemption_answers_for_no_other(club: Shop) -> None:
    await club.sell(10000)
    paths = [f"/v1/redemptions/{(await club.redeem(30)).json()['redemption_id']}/reverse" for _ in range(2)]
    assert (await club.send("POST", paths[0], key="k")).status_code == 201
    assert code_of(await club.send("POST", paths[1], key="k")) == (409, "idempotency_key_conflict")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/redemptions", {"customer": {"id": str(ANNA)}, "points": 1}),
        (f"/v1/redemptions/{uuid4()}/reverse", {}),
        (f"{ACCOUNT}/adjustments", {"points": 1, "reason": "goodwill"}),
    ],
)
async def test_what_moves_points_and_names_nothing_needs_a_key(club: Shop, path: str, body: Any) -> None:
    assert code_of(await club.send("POST", path, body)) == (400, "idempotency_key_required")


async def test_nobody_has_no_points(club: Shop) -> None:
    for customer in ({"id": str(BEN)}, {"card": "29 0000-0001"}, {"phone": "030 1234567"}, {"email": "a@example.com"}):
        assert code_of(await club.redeem(1, customer)) == (404, "unknown_customer")
    assert code_of(await club.send("GET", f"/v1/accounts/{BEN}")) == (404, "unknown_customer")
    assert code_of(await club.send("POST", f"/v1/redemptions/{uuid4()}/reverse", key="k")) == (
        404,
        "unknown_redemption",
    )


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ({"points": 0}, "out_of_range", "/points"),
        ({"points": -5}, "out_of_range", "/points"),
        ({"points": 1.5}, "wrong_type", "/points"),
        ({"points": True}, "wrong_type", "/points"),
        ({"points": 10**12 + 1}, "out_of_range", "/points"),
        ({"points": 1, "programme": "none"}, "unknown_programme", "/programme"),
        ({"points": 1, "occurred_at": "2026-02-10T12:00:00"}, "offset_required", "/occurred_at"),
        ({"points": 1, "occurred_at": "2199-01-01T00:00:00Z"}, "in_the_future", "/occurred_at"),
        ({"points": 1, "reward_id": "r"}, "unknown_field", "/reward_id"),
        ({"points": 1, "customer": {}}, "invalid_field", "/customer"),
        ({"points": 1, "customer": None}, "wrong_type", "/customer"),
    ],
)
async def test_a_wrong_redemption_is_named(club: Shop, body: dict[str, Any], code: str, place: str) -> None:
    await club.sell(10000)
    whole = {"customer": {"id": str(ANNA)}, **body}
    response = await club.send("POST", "/v1/redemptions", whole, key="k")
    assert code_of(response) == (422, code)
    assert place_of(response) == place
    assert await club.balance() == 100


async def test_an_operator_gives_and_takes_for_a_reason(club: Shop) -> None:
    given = await adjust(club, 100, expires_at="2126-01-01T00:00:00Z")
    assert (given.status_code, given.json()["points"], given.json()["balance"]) == (201, 100, 100)
    assert (await adjust(club, -40)).json()["balance"] == 60
    assert code_of(await adjust(club, -61)) == (409, "insufficient_points")
    entries = (await club.send("GET", f"{ACCOUNT}/ledger")).json()["items"]
    because = (await club.send("GET", f"/v1/ledger/entries/{entries[0]['entry_id']}/explain")).json()["because"]
    assert (because["reason"], because["operator"]) == ("goodwill", "olga")


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ({"points": 0, "reason": "r"}, "out_of_range", "/points"),
        ({"points": 1}, "missing_field", "/reason"),
        ({"points": 1, "reason": ""}, "too_short", "/reason"),
        ({"points": 1, "reason": "r" * 4001}, "too_long", "/reason"),
        ({"points": 1, "reason": "r", "expires_at": "2020-01-01T00:00:00Z"}, "expires_too_early", "/expires_at"),
    ],
)
async def test_a_wrong_adjustment_is_named(club: Shop, body: dict[str, Any], code: str, place: str) -> None:
    response = await club.send("POST", f"{ACCOUNT}/adjustments", body, key="k")
    assert code_of(response) == (422, code)
    assert place_of(response) == place


async def test_an_account_tells_its_balance_at_any_time(club: Shop) -> None:
    await club.sell(10000, occurred_at="2026-02-10T12:00:00Z")
    await club.redeem(30)
    (wallet,) = (await club.send("GET", ACCOUNT)).json()["wallets"]
    assert wallet == {
        "programme": "club",
        "wallet": "points",
        "balance": 70,
        "spendable": 70,
        "held": 0,
        "pending": 0,
        "debt": 0,
        "tier": None,
        "next_expiry": None,
    }
    assert await club.balance(as_of="2026-02-11T00:00:00Z") == 100
    assert await club.balance(as_of="2026-02-10T13:00:00+02:00") == 0


async def test_a_ledger_is_read_in_pages(club: Shop) -> None:
    for _ in range(5):
        await club.sell(1000)
    seen: list[int] = []
    cursor = ""
    while True:
        page = (await club.send("GET", f"{ACCOUNT}/ledger?limit=2{cursor}")).json()
        seen += [entry["account_seq"] for entry in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("query", "status", "code", "place"),
    [
        ("ledger?limit=0", 422, "out_of_range", "limit"),
        ("ledger?limit=201", 422, "out_of_range", "limit"),
        ("ledger?limit=x", 422, "invalid_field", "limit"),
        ("?as_of=yesterday", 422, "invalid_field", "as_of"),
        ("?known_at=2026-02-10T12:00:00", 422, "offset_required", "known_at"),
    ],
)
async def test_a_wrong_question_is_named(club: Shop, query: str, status: int, code: str, place: str) -> None:
    await club.sell(1000)
    response = await club.send("GET", f"{ACCOUNT}/{query}" if query[0] != "?" else ACCOUNT + query)
    assert code_of(response) == (status, code)
    assert place_of(response) == place


async def test_a_cursor_of_somebody_else_is_refused(club: Shop) -> None:
    await club.sell(1000)
    for cursor in ("garbage", "WyJhIl0", "WzFlOTldCg"):
        assert code_of(await club.send("GET", f"{ACCOUNT}/ledger?cursor={cursor}")) == (400, "cursor_invalid")


async def test_an_account_shows_its_lots_and_its_tier(club: Shop) -> None:
    sold = await club.sell(10000)
    (lot,) = (await club.send("GET", f"{ACCOUNT}/lots")).json()["items"]
    assert (lot["lot_id"], lot["issued"], lot["remaining"], lot["expires_at"]) == (sold["purchase_id"], 100, 100, None)
    tier = (await club.send("GET", f"{ACCOUNT}/tier")).json()
    assert (tier["tier"], tier["next_tier"], tier["missing"]) == (None, None, None)


async def test_a_posting_is_explained_down_to_its_line(club: Shop) -> None:
    await club.sell(333, 333, 334)
    (entry,) = (await club.send("GET", f"{ACCOUNT}/ledger")).json()["items"]
    told = (await club.send("GET", f"/v1/ledger/entries/{entry['entry_id']}/explain")).json()
    assert told["entry"] == entry
    assert (told["because"]["rate"], told["because"]["exact"], told["because"]["earned"]) == ("1", "10", 10)
    assert [line["exact"] for line in told["because"]["lines"]] == ["3.33", "3.33", "3.34"]


@pytest.mark.parametrize("entry_id", ["1", f"{uuid4()}.1", f"{uuid4()}.0", f"{uuid4()}.{2**63}", "x.y"])
async def test_an_entry_that_is_none_is_not_found(club: Shop, entry_id: str) -> None:
    assert code_of(await club.send("GET", f"/v1/ledger/entries/{entry_id}/explain")) == (404, "unknown_entry")


async def test_the_books_add_up(club: Shop) -> None:
    await club.sell(10000)
    await club.redeem(30)
    totals = (await club.send("GET", "/v1/ledger/totals")).json()
    figures = ("issued", "redeemed", "expired", "clawed_back", "adjusted", "written_off", "spendable", "debt")
    assert [totals[name] for name in figures] == [100, 30, 0, 0, 0, 0, 70, 0]
    assert (totals["programme"], totals["accounts"]) == ("club", 1)
    assert code_of(await club.send("GET", "/v1/ledger/totals?programme=none")) == (404, "unknown_programme")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", ACCOUNT, "accounts:read"),
        ("GET", f"{ACCOUNT}/lots", "accounts:read"),
        ("GET", f"{ACCOUNT}/tier", "accounts:read"),
        ("GET", f"{ACCOUNT}/ledger", "ledger:read"),
        ("GET", "/v1/ledger/totals", "ledger:read"),
        ("GET", f"/v1/purchases/{uuid4()}", "purchases:read"),
        ("GET", "/v1/programmes", "programmes:read"),
        ("PUT", "/v1/programmes/club", "programmes:write"),
        ("POST", "/v1/redemptions", "points:write"),
        ("POST", f"{ACCOUNT}/adjustments", "points:write"),
        ("POST", f"/v1/purchases/{uuid4()}/void", "purchases:write"),
        ("POST", "/v1/purchases:batch", "purchases:write"),
    ],
)
async def test_each_route_asks_for_its_scope(club: Shop, method: str, path: str, scope: str) -> None:
    others = Principal("till-1", None, club.every_scope - {scope})
    assert code_of(await club.send(method, path, {}, principal=others, key="k")) == (403, "scope_missing")
