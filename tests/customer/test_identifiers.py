"""Identifiers are linked and let go; each belongs to one customer at a time."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from customer.shop import Shop, an_email, ann, code_of, place_of


async def test_a_linked_identifier_finds_its_customer(shop: Shop) -> None:
    customer_id = await shop.register()
    response = await shop.send("POST", f"/v1/customers/{customer_id}/identifiers", an_email())
    assert response.status_code == 201
    link = response.json()
    assert (link["kind"], link["value"], link["verified"]) == ("email", "ann@example.com", False)
    customer = await shop.read(customer_id)
    assert customer["identifiers"] == [link]
    assert customer["version"] == 2


async def test_an_identifier_linked_again_may_have_become_verified(shop: Shop) -> None:
    path = f"/v1/customers/{await shop.register()}/identifiers"
    first = await shop.send("POST", path, an_email())
    again = await shop.send("POST", path, {**an_email("ANN@example.com"), "verified": True})
    assert again.status_code == 200
    assert again.json() == {**first.json(), "verified": True}
    assert [event.type for event in await shop.told()] == ["customer.registered.v1", "customer.identifier_linked.v1"]


async def test_an_identifier_of_another_customer_is_not_linked(shop: Shop) -> None:
    await shop.register(identifiers=[an_email()])
    response = await shop.send("POST", f"/v1/customers/{await shop.register()}/identifiers", an_email())
    assert code_of(response) == (409, "identifier_taken")
    assert place_of(response) == "/value"


async def test_of_ten_customers_who_link_one_address_one_gets_it(shop: Shop) -> None:
    paths = [f"/v1/customers/{await shop.register()}/identifiers" for _ in range(10)]
    answers = await asyncio.gather(*(shop.send("POST", path, an_email()) for path in paths))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    assert await shop.count("identifiers") == 1


async def test_what_one_lets_go_another_may_hold(shop: Shop) -> None:
    customer_id = await shop.register(**ann())
    link = next(link for link in (await shop.read(customer_id))["identifiers"] if link["kind"] == "email")
    path = f"/v1/customers/{customer_id}/identifiers/{link['id']}"
    assert (await shop.send("DELETE", path)).status_code == 204
    assert link not in (await shop.read(customer_id))["identifiers"]
    await shop.register(identifiers=[an_email()])
    assert code_of(await shop.send("DELETE", path)) == (404, "unknown_identifier")


async def test_nobody_lets_go_of_what_another_holds(shop: Shop) -> None:
    holder = await shop.read(await shop.register(identifiers=[an_email()]))
    link_id = holder["identifiers"][0]["id"]
    response = await shop.send("DELETE", f"/v1/customers/{await shop.register()}/identifiers/{link_id}")
    assert code_of(response) == (404, "unknown_identifier")
    assert await shop.count("identifiers") == 1


async def test_a_customer_nobody_knows_links_nothing(shop: Shop) -> None:
    path = f"/v1/customers/{uuid4()}/identifiers"
    assert code_of(await shop.send("POST", path, an_email())) == (404, "unknown_customer")
    assert code_of(await shop.send("DELETE", f"{path}/{uuid4()}")) == (404, "unknown_customer")


async def test_a_customer_holds_fifty_identifiers_and_no_more(shop: Shop) -> None:
    cards = [{"kind": "card", "value": f"C{number}"} for number in range(50)]
    customer_id = await shop.register(identifiers=cards)
    response = await shop.send("POST", f"/v1/customers/{customer_id}/identifiers", an_email())
    assert code_of(response) == (422, "too_many_entries")
    assert code_of(await shop.post({"identifiers": [*cards, an_email()]})) == (422, "too_long")
