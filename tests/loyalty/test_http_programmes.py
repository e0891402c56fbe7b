"""Programmes over HTTP: versions with an effective date, and what is wrong with a document."""

from __future__ import annotations

from typing import Any

import pytest

from builders import a_document, the_specs_example
from loyalty.shop import Shop, a_sale, code_of, place_of


async def test_the_specs_example_is_accepted_whole(shop: Shop) -> None:
    response = await shop.send("PUT", "/v1/programmes/club", the_specs_example())
    assert response.status_code == 200
    assert response.json() == {"code": "club", "version": 1, **the_specs_example()}


async def test_a_programme_has_versions(shop: Shop) -> None:
    for document in (a_document(), a_document(), a_document(effective_from="2026-01-01", earn={"EUR": "2"})):
        response = await shop.send("PUT", "/v1/programmes/club", document)
        assert response.status_code == 200
    assert response.json()["version"] == 2, "the same document again is the same version"
    (newest,) = (await shop.send("GET", "/v1/programmes")).json()["items"]
    assert newest["version"] == 2
    before = await shop.send("GET", "/v1/programmes/club?at=2025-12-31T12:00:00Z")
    assert (before.json()["version"], before.json()["earn"]) == (1, {"EUR": "1"})
    assert (await shop.send("GET", "/v1/programmes/club")).json()["version"] == 2
    assert (await shop.sell(1000))["earned"] == 20
    published = [event.data["version"] for event in await shop.told() if "programme" in event.type]
    assert published == [1, 2]


async def test_a_programme_that_there_is_not_is_not_found(shop: Shop) -> None:
    assert code_of(await shop.send("GET", "/v1/programmes/none")) == (404, "unknown_programme")
    await shop.publish()
    early = await shop.send("GET", "/v1/programmes/club?at=2019-01-01T00:00:00Z")
    assert code_of(early) == (404, "unknown_programme")


@pytest.mark.parametrize(
    ("said", "code", "place"),
    [
        ({"earn": {"EUR": 1.5}}, "invalid_programme", "/earn/EUR"),
        ({"earn": {}}, "invalid_programme", "/earn"),
        ({"colour": "red"}, "invalid_programme", "/colour"),
        ({"time_zone": "Europe/Atlantis"}, "invalid_programme", "/time_zone"),
        ({"pending": "P14D"}, "not_supported", "/pending"),
        ({"caps": []}, "not_supported", "/caps"),
        ({"guards": []}, "not_supported", "/guards"),
        ({"qualify": {"by": "base_points", "period": "rolling"}}, "not_supported", "/qualify/period"),
    ],
)
async def test_what_is_wrong_with_a_programme_is_named(club: Shop, said: dict[str, Any], code: str, place: str) -> None:
    response = await club.send("PUT", "/v1/programmes/other", a_document(**said))
    assert code_of(response) == (422, code), response.text
    assert place_of(response) == place


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"null"])
async def test_a_programme_is_an_object(club: Shop, content: bytes) -> None:
    response = await club.send("PUT", "/v1/programmes/other", content=content)
    assert response.status_code == 422


async def test_a_programme_never_echoes_what_is_wrong_in_it(club: Shop) -> None:
    key = "k" * 10_000
    response = await club.send("PUT", "/v1/programmes/other", a_document(**{key: 1}))
    assert code_of(response) == (422, "invalid_programme")
    assert len(response.content) < 2_000


async def test_a_store_belongs_to_one_programme(club: Shop) -> None:
    response = await club.send("PUT", "/v1/programmes/other", a_document(stores=["*"]))
    assert code_of(response) == (422, "invalid_programme")
    assert place_of(response) == "/stores"


async def test_a_named_store_goes_before_all_stores(shop: Shop) -> None:
    await shop.publish()
    await shop.publish("airport", stores=["airport"], earn={"EUR": "3"})
    assert (await shop.sell(1000))["earned"] == 10
    assert (await shop.sell(1000, store="airport"))["earned"] == 30
    elsewhere = await shop.put(a_sale(store="berlin-mitte", programme="airport"))
    assert code_of(elsewhere) == (422, "unknown_store")
