"""Keys: made, listed, rotated, revoked; nobody gives away more than they hold."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from gateway.conftest import OpenDesk
from gateway.desk import EVERY_SCOPE, PUBLIC, Body, Desk, code_of, places_of
from regulars_gateway.application.ensure_admin_key import ensure_admin_key
from regulars_gateway.domain.keys import digest_of, is_well_formed, new_key
from regulars_kit.auth import HEADER, Verifier
from regulars_kit.values import utc_now

TILL = {"name": "till 1", "scopes": ["purchases:write"], "stores": ["front-street"]}


async def authorise(desk: Desk, key: str, audience: str = "loyalty") -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}", "X-Regulars-Audience": audience}
    return await desk.client.get("/internal/authorise", headers=headers)


async def test_a_key_is_shown_once_and_kept_as_its_hash(desk: Desk) -> None:
    made = await desk.make("/v1/keys", TILL)
    assert is_well_formed(made["key"])
    assert made["key"].startswith(made["prefix"])
    (listed,) = (await desk.send("GET", "/v1/keys")).json()["items"]
    assert listed == {name: value for name, value in made.items() if name != "key"}
    async with desk.service.database.transaction() as connection:
        (kept,) = (await connection.execute(text("SELECT * FROM api_keys"))).mappings().all()
        answers = (await connection.execute(text("SELECT answer FROM idempotency"))).scalars().all()
    assert kept["digest"] == digest_of(made["key"])
    assert made["key"] not in str(dict(kept)) + str(answers)


async def test_the_same_call_again_makes_no_second_key_and_shows_no_secret(desk: Desk) -> None:
    first = await desk.make("/v1/keys", TILL, key="once")
    again = await desk.send("POST", "/v1/keys", TILL, key="once")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.json() == {**first, "key": None}
    assert code_of(await desk.send("POST", "/v1/keys", {**TILL, "name": "x"}, key="once")) == (
        409,
        "idempotency_key_conflict",
    )


async def test_nginx_gets_a_principal_for_the_service_it_names(desk: Desk) -> None:
    made = await desk.make("/v1/keys", TILL)
    answer = await authorise(desk, made["key"])
    assert answer.status_code == 204
    assert 0 < int(answer.headers["x-accel-expires"]) <= 5
    principal = Verifier({"gateway": PUBLIC}, "loyalty").verify(answer.headers[HEADER])
    assert (principal.client, principal.scopes) == (made["client"], frozenset({"purchases:write"}))
    assert principal.stores == frozenset({"front-street"})
    (listed,) = (await desk.send("GET", "/v1/keys")).json()["items"]
    assert listed["last_used_at"] is not None


async def test_nginx_is_told_why_not(desk: Desk) -> None:
    none = await desk.client.get("/internal/authorise", headers={"X-Regulars-Audience": "loyalty"})
    assert (none.status_code, none.headers["x-regulars-code"]) == (401, "api_key_required")
    assert none.headers["www-authenticate"] == 'Bearer realm="regulars"'
    unknown = await authorise(desk, new_key())
    assert (unknown.status_code, unknown.headers["x-regulars-code"]) == (401, "api_key_unknown")
    assert "invalid_token" in unknown.headers["www-authenticate"]
    made = await desk.make("/v1/keys", TILL)
    nobody = await authorise(desk, made["key"], "nobody")
    assert (nobody.status_code, nobody.headers["x-regulars-code"]) == (404, "unknown_audience")


async def test_a_revoked_key_opens_nothing_and_stays_in_the_list(open_desk: OpenDesk) -> None:
    desk = await open_desk(key_cache_s=0.001)
    made = await desk.make("/v1/keys", TILL)
    assert (await authorise(desk, made["key"])).status_code == 204
    for _ in range(2):
        assert (await desk.send("DELETE", f"/v1/keys/{made['id']}")).status_code == 204
    assert (await authorise(desk, made["key"])).status_code == 401
    (listed,) = (await desk.send("GET", "/v1/keys")).json()["items"]
    assert listed["revoked_at"] is not None


async def test_while_a_key_is_rotated_both_open_for_the_same_client(open_desk: OpenDesk) -> None:
    desk = await open_desk(key_cache_s=0.001)
    old = await desk.make("/v1/keys", TILL)
    new = await desk.make(f"/v1/keys/{old['id']}/rotate", {"overlap_s": 3600})
    assert (new["client"], new["scopes"], new["stores"]) == (old["client"], old["scopes"], old["stores"])
    assert [(await authorise(desk, each["key"])).status_code for each in (old, new)] == [204, 204]
    await desk.make(f"/v1/keys/{new['id']}/rotate", {"overlap_s": 0})
    assert [(await authorise(desk, each["key"])).status_code for each in (old, new)] == [204, 401]
    assert code_of(await desk.send("POST", f"/v1/keys/{new['id']}/rotate", {}, key="k")) == (409, "key_ended")


async def test_a_rotated_key_ends_no_later_than_it_would_have(desk: Desk) -> None:
    end = utc_now() + timedelta(minutes=10)
    old = await desk.make("/v1/keys", {**TILL, "expires_at": end.isoformat()})
    new = await desk.make(f"/v1/keys/{old['id']}/rotate", {})
    listed = {key["id"]: key for key in (await desk.send("GET", "/v1/keys")).json()["items"]}
    assert listed[old["id"]]["expires_at"] == old["expires_at"] == new["expires_at"]


async def test_a_key_past_its_end_opens_nothing(open_desk: OpenDesk) -> None:
    desk = await open_desk(key_cache_s=0.001)
    made = await desk.make("/v1/keys", {**TILL, "expires_at": (utc_now() + timedelta(hours=1)).isoformat()})
    async with desk.service.database.transaction() as connection:
        await connection.execute(text("UPDATE api_keys SET expires_at = now() - interval '1 second'"))
    assert (await authorise(desk, made["key"])).status_code == 401


async def test_nobody_gives_away_what_they_do_not_hold(desk: Desk) -> None:
    few = frozenset({"keys:write", "keys:read"})
    assert code_of(await desk.send("POST", "/v1/keys", TILL, key="a", scopes=few)) == (403, "not_yours_to_give")
    own = frozenset({"keys:write", "purchases:write"})
    back = frozenset({"back-street"})
    assert code_of(await desk.send("POST", "/v1/keys", TILL, key="b", scopes=own, stores=back)) == (
        403,
        "not_yours_to_give",
    )
    everywhere = {**TILL, "stores": None}
    assert code_of(await desk.send("POST", "/v1/keys", everywhere, key="c", scopes=own, stores=back)) == (
        403,
        "not_yours_to_give",
    )
    made = await desk.make("/v1/keys", {"name": "office", "scopes": sorted(EVERY_SCOPE)})
    rotate = f"/v1/keys/{made['id']}/rotate"
    assert code_of(await desk.send("POST", rotate, {}, key="d", scopes=few)) == (403, "not_yours_to_give")


@pytest.mark.parametrize(
    ("said", "code", "place"),
    [
        ({"scopes": ["purchases:write", "dreams:read"]}, "unknown_scope", "/scopes/1"),
        ({"scopes": ["internal:subjects"]}, "unknown_scope", "/scopes/0"),
        ({"scopes": ["public"]}, "invalid_field", "/scopes/0"),
        ({"scopes": ["*"]}, "invalid_field", "/scopes/0"),
        ({"scopes": []}, "too_short", "/scopes"),
        ({"scopes": "purchases:write"}, "wrong_type", "/scopes"),
        ({"name": ""}, "too_short", "/name"),
        ({"name": "x" * 256}, "too_long", "/name"),
        ({"name": None}, "wrong_type", "/name"),
        ({"stores": []}, "too_short", "/stores"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "in_the_past", "/expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "offset_required", "/expires_at"),
        ({"surprise": 1}, "unknown_field", "/surprise"),
    ],
)
async def test_bad_wishes_are_refused_by_their_place(desk: Desk, said: Body, code: str, place: str) -> None:
    answer = await desk.send("POST", "/v1/keys", {**TILL, **said}, key=str(uuid4()))
    assert code_of(answer) == (422, code)
    assert places_of(answer) == [place]
    assert (await desk.send("GET", "/v1/keys")).json()["items"] == []


async def test_the_list_comes_in_pages(desk: Desk) -> None:
    made = [(await desk.make("/v1/keys", TILL))["id"] for _ in range(3)]
    first = (await desk.send("GET", "/v1/keys?limit=2")).json()
    second = (await desk.send("GET", f"/v1/keys?limit=2&cursor={first['next_cursor']}")).json()
    assert [key["id"] for key in first["items"] + second["items"]] == made[::-1]
    assert second["next_cursor"] is None
    assert code_of(await desk.send("GET", "/v1/keys?cursor=nonsense")) == (400, "cursor_invalid")


async def test_the_administrator_s_key_is_ensured_and_replaced_and_not_brought_back(open_desk: OpenDesk) -> None:
    first, second = new_key(), new_key()
    desk = await open_desk(admin_key=first, key_cache_s=0.001)
    assert (await authorise(desk, first)).status_code == 204
    again = await open_desk(url=desk.service.database.url, admin_key=first)
    (kept,) = (await again.send("GET", "/v1/keys")).json()["items"]
    assert (kept["client"], kept["scopes"]) == ("admin", ["*"])
    other = await open_desk(url=desk.service.database.url, admin_key=second, key_cache_s=0.001)
    assert [(await authorise(other, key)).status_code for key in (first, second)] == [401, 204]
    listed = (await other.send("GET", "/v1/keys")).json()["items"]
    await other.send("DELETE", f"/v1/keys/{next(key['id'] for key in listed if key['revoked_at'] is None)}")
    last = await open_desk(url=desk.service.database.url, admin_key=second)
    assert (await authorise(last, second)).status_code == 401, "a start brings no revoked key back"


async def test_the_administrator_can_give_everything_away(open_desk: OpenDesk) -> None:
    desk = await open_desk(admin_key=(secret := new_key()))
    token = (await authorise(desk, secret, "gateway")).headers[HEADER]
    body = {"name": "till", "scopes": ["purchases:write", "keys:write"]}
    made = await desk.client.post("/v1/keys", json=body, headers={HEADER: token, "Idempotency-Key": "k"})
    assert made.status_code == 201
    (admin,) = [key for key in (await desk.send("GET", "/v1/keys")).json()["items"] if key["client"] == "admin"]
    rotated = await desk.client.post(
        f"/v1/keys/{admin['id']}/rotate", json={}, headers={HEADER: token, "Idempotency-Key": "r"}
    )
    assert rotated.json()["scopes"] == ["*"]


async def test_a_text_that_is_no_key_cannot_be_the_administrator_s(desk: Desk) -> None:
    with pytest.raises(ValueError, match="checksum"):
        await ensure_admin_key("rk_short", desk.service.app.state.gateway.begin, utc_now)
