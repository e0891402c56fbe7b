"""A purchase that cannot be: each fault has its code and its place, and nothing of the input comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from loyalty.shop import Shop, a_sale, code_of, place_of
from regulars_kit.limits import LIMITS

Change = Callable[[dict[str, Any]], object]

SECRET = "s3cret-input"
PATH = f"/v1/purchases/{uuid4()}"


def in_line(**said: Any) -> Change:
    return lambda sale: sale["lines"][0].update(said)


def with_(**said: Any) -> Change:
    return lambda sale: sale.update(said)


def without(name: str) -> Change:
    return lambda sale: sale.pop(name)


def _tender(amount_minor: Any, **said: Any) -> Change:
    return with_(tenders=[{"type": "cash", "amount_minor": amount_minor, **said}])


FAULTS: list[tuple[str, Change, int, str, str]] = [
    ("an unknown field", with_(colour=SECRET), 422, "unknown_field", "/colour"),
    ("an unknown field of a line", in_line(colour=SECRET), 422, "unknown_field", "/lines/0/colour"),
    ("no store", without("store"), 422, "missing_field", "/store"),
    ("a store that is a number", with_(store=7), 422, "wrong_type", "/store"),
    ("an empty store", with_(store=""), 422, "too_short", "/store"),
    ("an over-long receipt number", with_(receipt_no="r" * 256), 422, "too_long", "/receipt_no"),
    ("a control character", with_(till="till\x07"), 422, "invalid_character", "/till"),
    ("no lines", with_(lines=[]), 422, "too_short", "/lines"),
    ("an amount that is text", in_line(net_minor=SECRET), 422, "wrong_type", "/lines/0/net_minor"),
    ("an amount that is a boolean", in_line(net_minor=True), 422, "wrong_type", "/lines/0/net_minor"),
    ("an amount that is a float", in_line(net_minor=19.99), 422, "wrong_type", "/lines/0/net_minor"),
    ("an amount past the largest", in_line(net_minor=10**12 + 1), 422, "out_of_range", "/lines/0/net_minor"),
    ("a negative line", in_line(net_minor=-1), 422, "negative_line", "/lines/0/net_minor"),
    ("a quantity of nothing", in_line(quantity=0), 422, "negative_line", "/lines/0/quantity"),
    ("a negative quantity", in_line(quantity="-0.5"), 422, "negative_line", "/lines/0/quantity"),
    ("a quantity of four decimals", in_line(quantity="0.1234"), 422, "invalid_quantity", "/lines/0/quantity"),
    ("a quantity that is a float", in_line(quantity=0.5), 422, "invalid_quantity", "/lines/0/quantity"),
    ("a quantity that is a boolean", in_line(quantity=True), 422, "invalid_quantity", "/lines/0/quantity"),
    ("a negative discount", in_line(discount_minor=-1), 422, "out_of_range", "/lines/0/discount_minor"),
    ("tenders that do not add up", _tender(1), 422, "tenders_do_not_add_up", "/tenders"),
    ("a negative tender", _tender(-1), 422, "out_of_range", "/tenders/0/amount_minor"),
    ("a hold", _tender(1999, hold_id=str(uuid4())), 422, "not_supported", "/tenders/0/hold_id"),
    ("a currency in small letters", with_(currency="eur"), 422, "invalid_field", "/currency"),
    ("a currency of no programme", with_(currency="USD"), 422, "currency_not_in_programme", "/currency"),
    ("an unknown programme", with_(programme=SECRET), 422, "unknown_programme", "/programme"),
    ("an instant without offset", with_(occurred_at="2026-02-10T12:00:00"), 422, "offset_required", "/occurred_at"),
    ("an instant that is a number", with_(occurred_at=1770721200), 422, "invalid_field", "/occurred_at"),
    ("a day that does not exist", with_(business_date="2026-02-30"), 422, "invalid_field", "/business_date"),
    ("a day with a time", with_(business_date="2026-02-10T00:00:00"), 422, "invalid_field", "/business_date"),
    ("no identifier", with_(customer={}), 422, "invalid_field", "/customer"),
    ("two identifiers", with_(customer={"card": "1", "email": "a@example.com"}), 422, "invalid_field", "/customer"),
    ("an id that is none", with_(customer={"id": SECRET}), 422, "invalid_field", "/customer/id"),
    ("an address that is none", with_(customer={"email": SECRET}), 422, "bad_identifier", "/customer/email"),
    ("a phone number that is none", with_(customer={"phone": SECRET}), 422, "bad_identifier", "/customer/phone"),
    ("a negative sequence number", with_(sequence_no=-1), 422, "out_of_range", "/sequence_no"),
    ("coupons that are no list", with_(coupons=SECRET), 422, "wrong_type", "/coupons"),
]


@pytest.mark.parametrize(("change", "status", "code", "place"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
async def test_a_fault_is_named_with_its_place(club: Shop, change: Change, status: int, code: str, place: str) -> None:
    sale = a_sale()
    change(sale)
    response = await club.send("PUT", PATH, sale)
    assert code_of(response) == (status, code), response.text
    assert place_of(response) == place
    assert SECRET not in response.text
    assert await club.count("purchases") == 0


async def test_two_lines_with_one_id_are_refused_at_the_second(club: Shop) -> None:
    sale = a_sale(100, 200, 300)
    sale["lines"][2]["line_id"] = "1"
    response = await club.put(sale)
    assert code_of(response) == (422, "invalid_field")
    assert place_of(response) == "/lines/2/line_id"


async def test_lines_add_up_to_no_more_than_an_amount_may_be(club: Shop) -> None:
    assert (await club.put(a_sale(10**12 - 1, 1))).status_code == 201
    response = await club.put(a_sale(10**12, 1))
    assert code_of(response) == (422, "out_of_range")
    assert place_of(response) == "/lines"


async def test_the_future_begins_five_minutes_ahead(club: Shop) -> None:
    soon, later = (datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (4, 6))
    assert (await club.put(a_sale(occurred_at=soon.isoformat()))).status_code == 201
    response = await club.put(a_sale(occurred_at=later.isoformat()))
    assert code_of(response) == (422, "in_the_future")
    assert place_of(response) == "/occurred_at"


async def test_a_store_of_no_programme_is_refused(shop: Shop) -> None:
    await shop.publish(stores=["hamburg"])
    response = await shop.put(a_sale())
    assert code_of(response) == (422, "unknown_store")
    assert place_of(response) == "/store"


async def test_points_of_nobody_pay_for_nothing(club: Shop) -> None:
    sale = a_sale(tenders=[{"type": "points", "amount_minor": 1999}])
    del sale["customer"]
    assert code_of(await club.put(sale)) == (404, "unknown_customer")


async def test_an_id_in_the_address_that_is_none_is_a_wrong_parameter(club: Shop) -> None:
    response = await club.send("PUT", "/v1/purchases/17", a_sale())
    assert code_of(response) == (422, "invalid_field")
    assert place_of(response) == "purchase_id"


BODIES: list[tuple[str, bytes, int, str]] = [
    ("no JSON", b"{", 400, "malformed_json"),
    ("NaN", b'{"store": NaN}', 400, "invalid_number"),
    ("an infinity", b'{"store": 1e999}', 400, "invalid_number"),
    ("a key that stands twice", b'{"store": "a", "store": "b"}', 400, "duplicate_key"),
    ("deep nesting", b'{"store": ' + b"[" * 40 + b"]" * 40 + b"}", 400, "too_deep"),
    ("text that is no UTF-8", b'{"store": "\xff"}', 400, "invalid_utf8"),
    ("NUL", b'{"store": "a\\u0000b"}', 400, "invalid_character"),
    ("half of a surrogate pair", b'{"store": "\\ud800"}', 400, "invalid_character"),
    ("a list", b"[]", 422, "wrong_type"),
    ("null", b"null", 422, "wrong_type"),
    ("nothing", b"", 400, "malformed_json"),
    ("too much", b'{"store": "' + b"a" * LIMITS.body_bytes + b'"}', 413, "body_too_large"),
]


@pytest.mark.parametrize(("content", "status", "code"), [b[1:] for b in BODIES], ids=[b[0] for b in BODIES])
async def test_a_body_that_cannot_be_read_is_refused(club: Shop, content: bytes, status: int, code: str) -> None:
    response = await club.send("PUT", PATH, content=content)
    assert code_of(response) == (status, code)


async def test_a_body_of_another_kind_is_refused(club: Shop) -> None:
    body = json.dumps(a_sale()).encode()
    response = await club.send("PUT", PATH, content=body, headers={"Content-Type": "text/plain"})
    assert code_of(response) == (415, "wrong_content_type")


@pytest.mark.parametrize("key", ["", "k" * 256, "two words"])
async def test_a_key_that_is_none_is_refused(club: Shop, key: str) -> None:
    response = await club.send("POST", "/v1/purchases", a_sale(), headers={"Idempotency-Key": key})
    assert code_of(response) == (400, "idempotency_key_invalid")


async def test_a_refusal_keeps_no_key(club: Shop) -> None:
    assert (await club.send("POST", "/v1/purchases", a_sale(currency="USD"), key="k")).status_code == 422
    assert (await club.send("POST", "/v1/purchases", a_sale(), key="k")).status_code == 201
