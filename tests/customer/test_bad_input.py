"""Bad input is answered with a problem document that names its place, never repeats it, and changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from customer.shop import Shop, an_email, an_external_id, ann, code_of, place_of
from regulars_kit.limits import LIMITS

LONG = "x" * 256


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ({"nickname": "Annie"}, "unknown_field", "/nickname"),
        ({"traits": {"name": "Ann"}}, "unknown_field", "/traits/name"),
        ({"identifiers": [{**an_email(), "primary": True}]}, "unknown_field", "/identifiers/0/primary"),
        ({"name": 7}, "wrong_type", "/name"),
        ({"name": ""}, "too_short", "/name"),
        ({"name": LONG}, "too_long", "/name"),
        ({"name": "Ann\nArcher"}, "invalid_character", "/name"),
        ({"tags": "vip"}, "wrong_type", "/tags"),
        ({"tags": ["x" * 65]}, "too_long", "/tags/0"),
        ({"tags": [f"t{number}" for number in range(101)]}, "too_many_entries", "/tags"),
        ({"attributes": {f"a{number}": 1 for number in range(101)}}, "too_many_entries", "/attributes"),
        ({"attributes": {"size": [1]}}, "wrong_type", "/attributes/size"),
        ({"attributes": {"size": 1.5}}, "wrong_type", "/attributes/size"),
        ({"birth_date": "17.05.1990"}, "invalid_field", "/birth_date"),
        ({"birth_date": "1990-02-30"}, "invalid_field", "/birth_date"),
        ({"birth_date": 641520000}, "invalid_field", "/birth_date"),
        ({"birth_date": "2199-01-01"}, "bad_birth_date", "/birth_date"),
        ({"traits": {"birth_month": 13}}, "out_of_range", "/traits/birth_month"),
        ({"traits": {"birth_month": True}}, "wrong_type", "/traits/birth_month"),
        ({"traits": {"birth_month": "5"}}, "wrong_type", "/traits/birth_month"),
        ({"birth_date": "1990-05-17", "traits": {"birth_month": 6}}, "contradictory_fields", "/traits/birth_month"),
        ({"language": "en", "traits": {"language": "de"}}, "contradictory_fields", "/traits/language"),
        ({"traits": {"country": "Germany"}}, "invalid_field", "/traits/country"),
        ({"language": "english please"}, "invalid_field", "/language"),
        ({"time_zone": "Mars/Olympus"}, "unknown_time_zone", "/time_zone"),
        ({"identifiers": [{"kind": "fax", "value": "1"}]}, "invalid_field", "/identifiers/0/kind"),
        ({"identifiers": [{"kind": "email"}]}, "missing_field", "/identifiers/0/value"),
        ({"identifiers": [an_email("ann at example.com")]}, "bad_identifier", "/identifiers/0/value"),
        ({"identifiers": [an_email(), {"kind": "phone", "value": "12"}]}, "bad_identifier", "/identifiers/1/value"),
        ({"identifiers": [{"kind": "phone", "value": "call me"}]}, "bad_identifier", "/identifiers/0/value"),
        ({"identifiers": [{"kind": "card", "value": "#!"}]}, "bad_identifier", "/identifiers/0/value"),
        ({"identifiers": [{"kind": "external", "value": "7"}]}, "bad_identifier", "/identifiers/0/source"),
        ({"identifiers": [an_external_id("7", source="e:rp")]}, "bad_identifier", "/identifiers/0/source"),
        ({"identifiers": [an_external_id("   ")]}, "bad_identifier", "/identifiers/0/value"),
        ({"identifiers": [{**an_email(), "source": "erp"}]}, "bad_identifier", "/identifiers/0/source"),
        ({"identifiers": [{**an_email(), "verified": 1}]}, "wrong_type", "/identifiers/0/verified"),
        ({"consents": [{"purpose": "marketing", "channel": "email"}]}, "missing_field", "/consents/0/granted"),
        ({"consents": [{"purpose": "m", "channel": "email", "granted": True}]}, "invalid_field", "/consents/0/purpose"),
        ({"acquisition_cost_minor": 5}, "invalid_field", ""),
        ({"acquisition_cost_minor": -5, "currency": "EUR"}, "out_of_range", "/acquisition_cost_minor"),
        ({"acquisition_cost_minor": 10**12 + 1, "currency": "EUR"}, "out_of_range", "/acquisition_cost_minor"),
        ({"acquisition_cost_minor": 5.0, "currency": "EUR"}, "wrong_type", "/acquisition_cost_minor"),
        ({"source": None}, "wrong_type", "/source"),
        ([], "wrong_type", ""),
        ("Ann", "wrong_type", ""),
    ],
)
async def test_what_cannot_be_a_customer_is_refused_at_its_place(shop: Shop, body: Any, code: str, place: str) -> None:
    response = await shop.post(body)
    assert (*code_of(response), place_of(response)) == (422, code, place)
    assert await shop.count("customers") == 0


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "body_required"),
        (b"{", 400, "malformed_json"),
        (b'{"name": NaN}', 400, "invalid_number"),
        (b'{"attributes": {"a": Infinity}}', 400, "invalid_number"),
        (b'{"attributes": {"a": 1e999}}', 400, "invalid_number"),
        (b'{"name": "Ann", "name": "Ben"}', 400, "duplicate_key"),
        (b'{"name": "\xff\xfe"}', 400, "invalid_utf8"),
        (b'{"name": "\\u0000"}', 400, "invalid_character"),
        (b'{"name": "\\ud800"}', 400, "invalid_character"),
        (b'{"name": ' + b"[" * 40 + b"]" * 40 + b"}", 400, "too_deep"),
        (b'{"name": "' + b"x" * LIMITS.body_bytes + b'"}', 413, "body_too_large"),
    ],
)
async def test_what_is_no_strict_json_is_refused(shop: Shop, content: bytes, status: int, code: str) -> None:
    response = await shop.send("POST", "/v1/customers", content=content, key="k")
    assert code_of(response) == (status, code)
    assert await shop.count("customers") == 0


async def test_what_is_not_called_json_is_refused(shop: Shop) -> None:
    headers = {"Content-Type": "text/plain"}
    response = await shop.send("POST", "/v1/customers", content=b"{}", key="k", headers=headers)
    assert code_of(response) == (415, "wrong_content_type")


async def test_a_problem_never_repeats_what_was_sent(shop: Shop) -> None:
    secret = "hunter2"
    bodies = [
        {"name": secret * 60},
        {"time_zone": secret},
        {"traits": {"country": secret}},
        {"identifiers": [{"kind": "email", "value": secret}]},
        {"identifiers": [{"kind": "phone", "value": secret}]},
        {"identifiers": [{"kind": secret, "value": "1"}]},
        {"attributes": {"a": [secret]}},
        {"birth_date": secret},
    ]
    for body in bodies:
        response = await shop.post(body)
        assert response.status_code == 422
        assert secret not in response.text


@pytest.mark.parametrize("path", ["/v1/customers/ann", "/v1/customers/1", "/v1/customers/0000-0000"])
async def test_what_is_no_id_is_refused(shop: Shop, path: str) -> None:
    for method, body in (("GET", None), ("PATCH", {}), ("POST", None)):
        response = await shop.send(method, path, body)
        assert response.status_code in (405, 422)
        assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("key", ["", "a b", "k" * 256, "é"])
async def test_a_key_is_visible_ascii(shop: Shop, key: str) -> None:
    headers: Any = {"Idempotency-Key": key.encode()}
    assert code_of(await shop.send("POST", "/v1/customers", {}, headers=headers)) == (400, "idempotency_key_invalid")


async def test_texts_at_their_limit_are_kept(shop: Shop) -> None:
    said = {"name": "é" * 255, "tags": ["x" * 64], "attributes": {"a" * 64: "ü" * 255, "b": 10**12}}
    customer = await shop.read(await shop.register(**said))
    assert {name: customer[name] for name in said} == said


async def test_an_external_id_may_hold_whatever_prints(shop: Shop) -> None:
    for value in ("a:b", "ÄÖ/7", "naïve id", "'; DROP TABLE customers; --"):
        customer = await shop.read(await shop.register(identifiers=[an_external_id(value)]))
        assert customer["identifiers"][0]["value"] == value


async def test_a_search_says_where_its_identifier_is_wrong(shop: Shop) -> None:
    response = await shop.send("POST", "/v1/customers:search", {"identifier": an_email("no address")})
    assert (*code_of(response), place_of(response)) == (422, "bad_identifier", "/identifier/value")


async def test_a_body_of_a_hundred_faults_names_the_first_twenty(shop: Shop) -> None:
    response = await shop.post({f"field_{number}": 1 for number in range(100)})
    assert len(json.loads(response.content)["errors"]) == 20


async def test_ann_herself_is_welcome(shop: Shop) -> None:
    assert (await shop.post(ann())).status_code == 201
