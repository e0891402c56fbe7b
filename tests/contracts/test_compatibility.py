"""Within a version an event may only grow. The checker is tried on planted breaks, on every field there is."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from regulars_contracts.compatibility import breaking_changes, broken_events
from regulars_contracts.events.base import Event
from regulars_contracts.events.loyalty import PurchaseRecorded, TierChanged
from regulars_contracts.fields import Text
from regulars_contracts.schemas import JsonObject, all_schemas, data_schema
from regulars_contracts.topics import CONTRACTS

SCHEMAS = all_schemas()
RELEASED = sorted((CONTRACTS / "released").glob("*.json"))
PURCHASE = data_schema(PurchaseRecorded)


def released_schemas(file: Path) -> dict[str, JsonObject]:
    return cast("dict[str, JsonObject]", json.loads(file.read_text("utf-8")))


def changed(change: Callable[[JsonObject], object], schema: JsonObject = PURCHASE) -> JsonObject:
    copied = copy.deepcopy(schema)
    change(copied)
    return copied


def at(schema: JsonObject, *path: str) -> JsonObject:
    for step in path:
        schema = cast(JsonObject, schema[step])
    return schema


def objects_of(schema: JsonObject) -> Iterator[JsonObject]:
    yield schema
    yield from cast("dict[str, JsonObject]", schema.get("$defs", {})).values()


def test_something_was_released() -> None:
    assert RELEASED


@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.stem)
def test_every_event_still_keeps_what_its_release_promised(file: Path) -> None:
    assert broken_events(released_schemas(file), SCHEMAS) == {}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda s: at(s, "properties").pop("store"), "/store: the field is gone"),
        (lambda s: at(s, "$defs", "PurchaseLine", "properties").pop("sku"), "/lines/*/sku: the field is gone"),
        (lambda s: at(s, "$defs", "Balance", "properties").pop("debt"), "/balance/debt: the field is gone"),
        (lambda s: at(s, "properties", "total_minor").update(type="string"), "/total_minor: type was 'integer'"),
        (lambda s: at(s, "properties", "earned").update(minimum=1), "/earned: minimum was 0"),
        (lambda s: at(s, "properties", "earned").pop("maximum"), "/earned: maximum was"),
        (lambda s: at(s, "properties", "currency").update(pattern="^[a-z]{3}$"), "/currency: pattern was"),
        (lambda s: at(s, "properties", "occurred_at").update(format="date"), "/occurred_at: format was"),
        (lambda s: at(s, "properties", "store").update(enum=["koeln-1"]), "/store: enum was None"),
        (lambda s: at(s, "properties", "late").update(default=True), "/late: default was False"),
        (lambda s: at(s, "properties", "late").pop("default"), "/late: default was False"),
        (lambda s: cast("list[str]", s["required"]).append("channel"), "/: channel must be sent now"),
        (lambda s: cast("list[str]", s["required"]).remove("store"), "/: store may be left out now"),
        (lambda s: at(s, "properties", "customer_id").update(anyOf=[{"type": "null"}]), "/customer_id: 2 possible"),
        (lambda s: at(s, "properties", "lines").update(items={"type": "string"}), "/lines/*: type was 'object'"),
        (lambda s: at(s, "properties", "lines").pop("items"), "/lines/*: "),
        (lambda s: s.update(additionalProperties=False), "/*: None became False"),
    ],
)
def test_a_planted_break_is_found(change: Callable[[JsonObject], object], complaint: str) -> None:
    found = breaking_changes(PURCHASE, changed(change))
    assert any(line.startswith(complaint) for line in found), found


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_field_of_any_event_can_go_or_change_its_type_unseen(name: str) -> None:
    schema = SCHEMAS[name]
    tried = 0
    for place, shape in enumerate(objects_of(schema)):
        for field in cast(JsonObject, shape["properties"]):
            gone, retyped = copy.deepcopy(schema), copy.deepcopy(schema)
            del at(list(objects_of(gone))[place], "properties")[field]
            at(list(objects_of(retyped))[place], "properties")[field] = {"type": "number"}
            assert breaking_changes(schema, gone), f"{field} went unseen"
            assert breaking_changes(schema, retyped), f"{field} was retyped unseen"
            tried += 1
    assert tried


def test_an_enumeration_neither_loses_nor_gains_a_value() -> None:
    old: JsonObject = {"type": "string", "enum": ["a", "b"]}
    assert breaking_changes(old, old | {"enum": ["a"]}) == ["/: enum was ['a', 'b'] and is ['a']"]
    assert breaking_changes(old, old | {"enum": ["a", "b", "c"]})


def test_an_event_that_is_gone_is_a_break() -> None:
    assert broken_events({"loyalty.tier_changed.v1": PURCHASE}, {}) == {
        "loyalty.tier_changed.v1": ["/: the event is gone"]
    }


def test_a_model_that_loses_a_field_is_found_through_its_schema() -> None:
    class TierChangedWithoutReason(Event):
        customer_id: Text

    found = breaking_changes(data_schema(TierChanged), TierChangedWithoutReason.model_json_schema())
    assert "/reason: the field is gone" in found


@pytest.mark.parametrize(
    "change",
    [
        lambda s: at(s, "properties").update(weather={"type": "string", "default": "dry"}),
        lambda s: at(s, "$defs", "PurchaseLine", "properties").update(shelf={"type": "integer"}),
        lambda s: s.update(description="Said better."),
        lambda s: at(s, "properties", "store").update(description="Where it was bought."),
        lambda s: cast("list[str]", s["required"]).reverse(),
    ],
)
def test_an_event_may_gain_a_field_that_nobody_must_send(change: Callable[[JsonObject], object]) -> None:
    assert breaking_changes(PURCHASE, changed(change)) == []


def test_a_part_of_an_event_may_be_renamed_while_it_says_the_same() -> None:
    renamed = json.loads(json.dumps(PURCHASE).replace("PurchaseLine", "ReceiptLine"))
    assert renamed != PURCHASE
    assert breaking_changes(PURCHASE, renamed) == []


def test_a_new_event_breaks_nobody() -> None:
    assert broken_events({}, SCHEMAS) == {}
