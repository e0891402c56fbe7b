"""A profile is changed by JSON Merge Patch; nobody overwrites what they have not seen."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from customer.shop import Shop, ann, code_of, place_of


async def patched(shop: Shop, customer_id: str, **patch: Any) -> dict[str, Any]:
    response = await shop.send("PATCH", f"/v1/customers/{customer_id}", patch)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def test_what_a_patch_does_not_name_stays(shop: Shop) -> None:
    customer_id = await shop.register(**ann())
    before = await shop.read(customer_id)
    after = await patched(shop, customer_id, name="Ann Baker", traits={"city": "Leeds"}, attributes={"shoe_size": 40})
    assert after == await shop.read(customer_id)
    assert after["name"] == "Ann Baker"
    assert after["traits"] == {**before["traits"], "city": "Leeds"}
    assert after["attributes"] == {**before["attributes"], "shoe_size": 40}
    unchanged = ("given_name", "birth_date", "time_zone", "tags", "identifiers", "source", "registered_at")
    assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}
    assert (before["version"], after["version"]) == (1, 2)


async def test_null_removes(shop: Shop) -> None:
    customer_id = await shop.register(**ann())
    after = await patched(shop, customer_id, name=None, birth_date=None, tags=None, attributes={"has_dog": None})
    assert after["name"] is None
    assert after["traits"]["birth_month"] is None
    assert after["tags"] == []
    assert after["attributes"] == {"shoe_size": 39, "newsletter_colour": "green"}


async def test_null_in_the_place_of_an_object_removes_all_it_held(shop: Shop) -> None:
    after = await patched(shop, await shop.register(**ann(birth_date=None)), traits=None, attributes=None)
    assert after["traits"] == {"country": None, "city": None, "language": None, "birth_month": None, "tags": []}
    assert after["attributes"] == {}


async def test_a_patch_that_says_what_is_known_is_no_change(shop: Shop) -> None:
    customer_id = await shop.register(**ann())
    assert (await patched(shop, customer_id, name="Ann Archer", tags=["club", "vip", "club"]))["version"] == 1


async def test_the_day_of_birth_tells_the_month(shop: Shop) -> None:
    customer_id = await shop.register(traits={"birth_month": 4})
    assert (await patched(shop, customer_id, birth_date="1990-05-17"))["traits"]["birth_month"] == 5
    response = await shop.send("PATCH", f"/v1/customers/{customer_id}", {"traits": {"birth_month": 4}})
    assert code_of(response) == (422, "contradictory_fields")
    assert place_of(response) == "/traits/birth_month"


async def test_who_has_seen_an_older_version_changes_nothing(shop: Shop) -> None:
    customer_id = await shop.register(**ann())
    path = f"/v1/customers/{customer_id}"
    seen = {"If-Match": (await shop.send("GET", path)).headers["ETag"]}
    first = await shop.send("PATCH", path, {"name": "Ann Baker"}, headers=seen)
    late = await shop.send("PATCH", path, {"name": "Ann Clark"}, headers=seen)
    assert first.status_code == 200
    assert code_of(late) == (412, "changed_meanwhile")
    again = await shop.send("PATCH", path, {"name": "Ann Clark"}, headers={"If-Match": first.headers["ETag"]})
    assert again.json()["name"] == "Ann Clark"


@pytest.mark.parametrize(
    ("if_match", "status"),
    [('"1"', 200), ('W/"1"', 200), ("*", 200), ('"9", "1"', 200), ('"2"', 412), ("nonsense", 412), ('"²"', 412)],
)
async def test_if_match_names_versions(shop: Shop, if_match: str, status: int) -> None:
    path = f"/v1/customers/{await shop.register()}"
    headers = {"If-Match": if_match.encode()}
    response = await shop.send("PATCH", path, {"name": "Ann"}, headers=headers)  # type: ignore[arg-type]
    assert response.status_code == status


async def test_of_ten_who_saw_the_same_version_one_changes_it(shop: Shop) -> None:
    path = f"/v1/customers/{await shop.register()}"
    answers = await asyncio.gather(
        *(shop.send("PATCH", path, {"name": f"Ann {n}"}, headers={"If-Match": '"1"'}) for n in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9


async def test_changes_at_once_to_different_fields_are_all_kept(shop: Shop) -> None:
    customer_id = await shop.register()
    path = f"/v1/customers/{customer_id}"
    await asyncio.gather(*(shop.send("PATCH", path, {"attributes": {f"a{n}": n}}) for n in range(10)))
    customer = await shop.read(customer_id)
    assert customer["attributes"] == {f"a{n}": n for n in range(10)}
    assert customer["version"] == 11


async def test_a_merge_patch_may_call_itself_one(shop: Shop) -> None:
    path = f"/v1/customers/{await shop.register()}"
    headers = {"Content-Type": "application/merge-patch+json"}
    response = await shop.send("PATCH", path, content=b'{"name": "Ann"}', headers=headers)
    assert response.json()["name"] == "Ann"


async def test_a_customer_nobody_knows_is_not_found(shop: Shop) -> None:
    path = f"/v1/customers/{uuid4()}"
    for method, body in (("GET", None), ("PATCH", {"name": "Ann"})):
        assert code_of(await shop.send(method, path, body)) == (404, "unknown_customer")


async def test_who_holds_the_current_version_is_not_sent_it_again(shop: Shop) -> None:
    path = f"/v1/customers/{await shop.register()}"
    response = await shop.send("GET", path, headers={"If-None-Match": '"1"'})
    assert (response.status_code, response.content, response.headers["ETag"]) == (304, b"", '"1"')
