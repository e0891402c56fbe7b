"""A customer is registered once, under identifiers that are theirs alone."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from customer.shop import Shop, an_email, an_external_id, ann, code_of, place_of


async def test_a_registration_is_answered_with_an_id_and_an_address(shop: Shop) -> None:
    response = await shop.post(ann())
    assert response.status_code == 201
    receipt = response.json()
    assert UUID(receipt["id"]).version == 7
    assert receipt["version"] == 1
    assert response.headers["Location"] == f"/v1/customers/{receipt['id']}"
    assert set(receipt) == {"id", "registered_at", "version"}, "the answer that is kept names nobody"


async def test_a_customer_is_read_as_they_were_told_of(shop: Shop) -> None:
    customer = await shop.read(await shop.register(**ann()))
    held = {(link["kind"], link["source"], link["value"], link["verified"]) for link in customer["identifiers"]}
    assert held == {
        ("email", None, "ann@example.com", False),
        ("phone", None, "+441904551550", False),
        ("card", None, "2900000001", True),
        ("external", "erp", "A-17", False),
    }
    assert customer["name"] == "Ann Archer"
    assert customer["birth_date"] == "1990-05-17"
    assert customer["time_zone"] == "Europe/London"
    assert customer["attributes"] == {"shoe_size": 39, "newsletter_colour": "green", "has_dog": True}
    assert customer["traits"] == {
        "country": "GB",
        "city": "York",
        "language": "en",
        "birth_month": 5,
        "tags": ["club", "vip"],
    }
    assert (customer["source"], customer["acquisition_cost_minor"], customer["currency"]) == ("till", 450, "GBP")


async def test_a_customer_may_be_nobody_yet(shop: Shop) -> None:
    customer = await shop.read(await shop.register())
    assert customer["name"] is None
    assert customer["identifiers"] == []
    assert customer["source"] == "api"


async def test_a_registration_sent_twice_is_one_customer(shop: Shop) -> None:
    first = await shop.post(ann(), key="till-1/77")
    again = await shop.post(ann(), key="till-1/77")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await shop.count("customers") == 1


async def test_twins_in_flight_are_one_customer(shop: Shop) -> None:
    answers = await asyncio.gather(*(shop.post(ann(), key="twin") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert await shop.count("customers") == 1
    assert await shop.count("outbox") == 2


async def test_a_key_used_for_another_customer_is_a_conflict(shop: Shop) -> None:
    await shop.post(ann(), key="one")
    other = await shop.post({"name": "Bob"}, key="one")
    assert code_of(other) == (409, "idempotency_key_conflict")
    assert await shop.count("customers") == 1


async def test_a_registration_without_a_key_is_refused(shop: Shop) -> None:
    assert code_of(await shop.post(ann(), key=None)) == (400, "idempotency_key_required")


async def test_a_refused_registration_may_be_corrected_under_its_key(shop: Shop) -> None:
    await shop.register(identifiers=[an_email()])
    assert (await shop.post({"identifiers": [an_email()]}, key="k")).status_code == 409
    assert (await shop.post({"identifiers": [an_email("ben@example.com")]}, key="k")).status_code == 201


async def test_an_identifier_of_another_customer_is_refused_with_its_place(shop: Shop) -> None:
    await shop.register(identifiers=[an_email()])
    response = await shop.post(ann(identifiers=[an_external_id("7"), an_email("ANN@EXAMPLE.com")]))
    assert code_of(response) == (409, "identifier_taken")
    assert place_of(response) == "/identifiers/1"
    assert "example" not in response.text.lower()
    kept = [await shop.count(table) for table in ("customers", "identifiers", "consents", "outbox", "idempotency")]
    assert kept == [1, 1, 0, 1, 1], "of the refused one nothing is left"


async def test_of_twenty_who_want_one_address_one_gets_it(shop: Shop) -> None:
    bodies = [{"name": f"Ann {number}", "identifiers": [an_email()]} for number in range(20)]
    answers = await asyncio.gather(*(shop.post(body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert await shop.count("customers") == 1
    assert await shop.count("outbox") == 1


async def test_two_who_want_the_same_identifiers_in_another_order_do_not_block_each_other(shop: Shop) -> None:
    ids = [an_external_id(str(number)) for number in range(20)]
    answers = await asyncio.gather(*(shop.post({"identifiers": ids if turn % 2 else ids[::-1]}) for turn in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9


@pytest.mark.parametrize(
    ("kind", "spelling", "another"),
    [
        ("email", "Ann.Archer@Example.com", " ann.archer@example.COM "),
        ("phone", "+44 (0)1904 551550", "01904-551550"),
        ("card", "29-0000-0001 x", "2900000001X"),
    ],
)
async def test_another_spelling_is_the_same_identifier(shop: Shop, kind: str, spelling: str, another: str) -> None:
    await shop.register(identifiers=[{"kind": kind, "value": spelling}])
    response = await shop.post({"identifiers": [{"kind": kind, "value": another}]})
    assert code_of(response) == (409, "identifier_taken")


async def test_an_identifier_given_twice_counts_once(shop: Shop) -> None:
    customer = await shop.read(await shop.register(identifiers=[an_email(), an_email("ANN@example.com")]))
    assert [link["value"] for link in customer["identifiers"]] == ["ann@example.com"]


async def test_ids_of_two_systems_are_two_identifiers(shop: Shop) -> None:
    await shop.register(identifiers=[an_external_id("7", source="erp")])
    await shop.register(identifiers=[an_external_id("7", source="web-shop")])
    assert await shop.count("identifiers") == 2


async def test_consents_within_a_registration_need_their_own_scope(shop: Shop) -> None:
    response = await shop.post(ann(), scopes={"customers:write"})
    assert code_of(response) == (403, "scope_missing")
    assert (await shop.post(ann(consents=[]), scopes={"customers:write"})).status_code == 201


async def test_an_external_id_registers_a_customer_once_and_then_tells_more(shop: Shop) -> None:
    path = "/v1/customers/by-external-id/erp/A-17"
    first = await shop.send("PUT", path, {"name": "Ann", "tags": ["club"], "source": "erp"})
    again = await shop.send("PUT", path, {"traits": {"city": "York"}, "identifiers": [an_email()]})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    customer = await shop.read(first.json()["id"])
    assert (customer["name"], customer["traits"]["city"], customer["tags"]) == ("Ann", "York", ["club"])
    assert {link["value"] for link in customer["identifiers"]} == {"A-17", "ann@example.com"}
    assert customer["source"] == "erp"


async def test_an_external_id_told_again_unchanged_changes_nothing(shop: Shop) -> None:
    path = "/v1/customers/by-external-id/erp/A-17"
    answers = [await shop.send("PUT", path, ann()) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].content == answers[1].content
    assert await shop.count("outbox") == 2
    assert await shop.count("consents") == 1


async def test_of_twenty_who_upsert_one_external_id_one_registers(shop: Shop) -> None:
    path = f"/v1/customers/by-external-id/erp/{uuid4()}"
    answers = await asyncio.gather(*(shop.send("PUT", path, {"name": f"Ann {n}"}) for n in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await shop.count("customers") == 1


async def test_an_upsert_cannot_take_an_identifier_from_another(shop: Shop) -> None:
    await shop.register(identifiers=[an_email()])
    path = "/v1/customers/by-external-id/erp/A-17"
    response = await shop.send("PUT", path, {"identifiers": [{"kind": "card", "value": "1"}, an_email()]})
    assert code_of(response) == (409, "identifier_taken")
    assert place_of(response) == "/identifiers/1"


async def test_a_bad_source_in_the_address_is_named(shop: Shop) -> None:
    response = await shop.send("PUT", "/v1/customers/by-external-id/e:rp/A-17", {})
    assert code_of(response) == (422, "bad_identifier")
    assert place_of(response) == "source"
