"""Bodies are what they say they are: nothing is coerced, nothing is overlooked, and every fault has its place."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import Field

from regulars_kit.limits import LIMITS
from regulars_kit.models import CurrencyCode, Day, DecimalString, Instant, LongText, Minor, Points, StrictModel, Text
from regulars_kit.validation import InvalidRequest, read_model, validate


class Wallet(StrEnum):
    MAIN = "main"


class Fixed(StrictModel):
    kind: Literal["fixed"]
    points: Points


class Rate(StrictModel):
    kind: Literal["rate"]
    rate_ppm: Annotated[int, Field(gt=0)]


class Line(StrictModel):
    sku: Text
    quantity: DecimalString = Decimal(1)
    net_minor: Minor


class Receipt(StrictModel):
    receipt_id: UUID
    occurred_at: Instant
    business_date: Day
    currency: CurrencyCode
    wallet: Wallet = Wallet.MAIN
    note: LongText = ""
    rule: Annotated[Fixed | Rate, Field(discriminator="kind")] | None = None
    lines: tuple[Line, ...] = Field(max_length=3)


def a_receipt(**changes: Any) -> dict[str, Any]:
    return {
        "receipt_id": "018f3f3e-0000-7000-8000-000000000001",
        "occurred_at": "2026-03-01T10:00:00+01:00",
        "business_date": "2026-03-01",
        "currency": "EUR",
        "wallet": "main",
        "lines": [{"sku": "COFFEE-1KG", "quantity": "0.275", "net_minor": 1999}],
    } | changes


def faults(**changes: Any) -> list[tuple[str | None, str]]:
    with pytest.raises(InvalidRequest) as caught:
        validate(Receipt, a_receipt(**changes))
    return [(error.pointer, error.code) for error in caught.value.errors]


def test_a_receipt_is_read_from_json_with_ids_days_and_instants_as_text() -> None:
    receipt = read_model(Receipt, json.dumps(a_receipt()).encode())
    assert receipt.receipt_id == UUID("018f3f3e-0000-7000-8000-000000000001")
    assert receipt.occurred_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert receipt.business_date == date(2026, 3, 1)
    assert receipt.wallet is Wallet.MAIN
    assert receipt.lines[0].quantity == Decimal("0.275")


def test_what_was_read_can_be_written_and_read_again() -> None:
    receipt = validate(Receipt, a_receipt())
    assert Receipt.model_validate_json(receipt.model_dump_json()) == receipt
    assert validate(Receipt, receipt.model_dump(mode="json")) == receipt


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"colour": "red"}, ("/colour", "unknown_field")),
        ({"lines": [{"sku": "A"}]}, ("/lines/0/net_minor", "missing_field")),
        ({"lines": [{"sku": "A", "net_minor": True}]}, ("/lines/0/net_minor", "wrong_type")),
        ({"lines": [{"sku": "A", "net_minor": "5"}]}, ("/lines/0/net_minor", "wrong_type")),
        ({"lines": [{"sku": "A", "net_minor": 5.0}]}, ("/lines/0/net_minor", "wrong_type")),
        ({"lines": [{"sku": 5, "net_minor": 5}]}, ("/lines/0/sku", "wrong_type")),
        ({"lines": [{"sku": "", "net_minor": 5}]}, ("/lines/0/sku", "too_short")),
        ({"lines": [{"sku": "a\nb", "net_minor": 5}]}, ("/lines/0/sku", "invalid_character")),
        ({"lines": {}}, ("/lines", "wrong_type")),
        ({"lines": [{"sku": "A", "net_minor": 1}] * 4}, ("/lines", "too_long")),
        ({"receipt_id": "17"}, ("/receipt_id", "invalid_field")),
        ({"receipt_id": 17}, ("/receipt_id", "wrong_type")),
        ({"occurred_at": "2026-03-01T10:00:00"}, ("/occurred_at", "offset_required")),
        ({"occurred_at": "2026-02-30T10:00:00Z"}, ("/occurred_at", "invalid_field")),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, ("/occurred_at", "invalid_field")),
        ({"occurred_at": 1_772_000_000}, ("/occurred_at", "invalid_field")),
        ({"occurred_at": "1772000000"}, ("/occurred_at", "invalid_field")),
        ({"business_date": "2026-03-01T00:00:00Z"}, ("/business_date", "invalid_field")),
        ({"business_date": 20_000}, ("/business_date", "invalid_field")),
        ({"currency": "eur"}, ("/currency", "invalid_field")),
        ({"wallet": "other"}, ("/wallet", "invalid_field")),
        ({"rule": {"kind": "fixed", "points": "5"}}, ("/rule/points", "wrong_type")),
        ({"rule": {"kind": "rate"}}, ("/rule/rate_ppm", "missing_field")),
        ({"rule": {"kind": "gift"}}, ("/rule", "invalid_field")),
    ],
)
def test_each_fault_has_its_place_and_its_code(changes: dict[str, Any], fault: tuple[str, str]) -> None:
    assert faults(**changes) == [fault]


@pytest.mark.parametrize("quantity", [0, "0", "0.000", -1, 1.5, True, "1.2345", "1e3", " 1", "", None, 10**9, "NaN"])
def test_a_quantity_is_above_zero_and_has_three_decimals_at_most(quantity: object) -> None:
    lines = [{"sku": "A", "net_minor": 1, "quantity": quantity}]
    assert faults(lines=lines) == [("/lines/0/quantity", "invalid_quantity")]


@pytest.mark.parametrize("quantity", [1, 999_999_999, "1", "0.001", "999999999.999"])
def test_pieces_and_weights_are_quantities(quantity: int | str) -> None:
    line = validate(Line, {"sku": "A", "net_minor": 1, "quantity": quantity})
    assert line.quantity == Decimal(quantity)


def test_every_limit_holds_at_the_limit_and_not_one_past_it() -> None:
    top = LIMITS.amount
    validate(Line, {"sku": "x" * LIMITS.text_chars, "net_minor": top})
    validate(Line, {"sku": "x", "net_minor": -top})
    validate(Receipt, a_receipt(note="x" * LIMITS.long_text_chars))
    past = [{"sku": "x" * (LIMITS.text_chars + 1), "net_minor": top + 1}, {"sku": "x", "net_minor": -top - 1}]
    assert faults(lines=past, note="x" * (LIMITS.long_text_chars + 1)) == [
        ("/note", "too_long"),
        ("/lines/0/sku", "too_long"),
        ("/lines/0/net_minor", "out_of_range"),
        ("/lines/1/net_minor", "out_of_range"),
    ]


def test_a_number_of_a_thousand_digits_is_out_of_range_and_no_crash() -> None:
    body = b'{"sku": "A", "net_minor": ' + b"9" * 1_000 + b"}"
    with pytest.raises(InvalidRequest) as caught:
        read_model(Line, body)
    assert caught.value.errors[0].code == "out_of_range"


def test_at_most_twenty_faults_are_listed() -> None:
    assert len(faults(**{f"unknown_{number}": 1 for number in range(500)})) == 20


def test_a_fault_never_repeats_the_input() -> None:
    secret = "4111-1111-1111-1111"
    with pytest.raises(InvalidRequest) as caught:
        validate(
            Receipt, a_receipt(currency=secret, occurred_at=secret, receipt_id=secret, wallet=secret, lines=secret)
        )
    assert len(caught.value.errors) == 5
    assert all(secret not in json.dumps(error.document()) for error in caught.value.errors)


def test_a_body_that_is_no_object_is_told_so() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_model(Receipt, b"[]")
    assert [(error.pointer, error.code) for error in caught.value.errors] == [("", "wrong_type")]
