"""Events on their way: what is written is read again, by today's readers, yesterday's and tomorrow's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import ValidationError

from contracts.any_event import AN_ID, EXAMPLES, NOON, an_example, any_data
from regulars_contracts.envelope import encode, envelope, parse, source_of
from regulars_contracts.events import ALL_EVENTS, Event, UnknownEventType, event_for
from regulars_contracts.events.loyalty import PurchaseRecorded
from regulars_contracts.schemas import ENVELOPE, all_schemas

SCHEMAS = all_schemas()
PURCHASE = PurchaseRecorded.type

every_event = pytest.mark.parametrize("event", ALL_EVENTS, ids=lambda event: event.type)


def as_sent(event: Event) -> bytes:
    service = event.type.partition(".")[0]
    return envelope(event, source_service=service, subject=AN_ID, time=NOON, id=AN_ID).to_bytes()


@every_event
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(draw=st.data())
def test_any_event_is_read_as_it_was_written(event: type[Event], draw: st.DataObject) -> None:
    written = event.model_validate(draw.draw(any_data(event)))
    read = parse(as_sent(written))
    assert read.event() == written
    assert (read.id, read.subject, read.time, read.type) == (AN_ID, str(AN_ID), NOON, event.type)


@every_event
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(draw=st.data())
def test_the_quick_way_writes_the_same_bytes_as_the_checked_one(event: type[Event], draw: st.DataObject) -> None:
    written = event.model_validate(draw.draw(any_data(event)))
    quick = encode(
        type=event.type,
        source=source_of(event.type.partition(".")[0]),
        subject=AN_ID,
        id=AN_ID,
        time=NOON,
        data=written.model_dump(),
    )
    assert quick == as_sent(written)


@every_event
def test_every_example_is_read_and_written_as_it_stands(event: type[Event]) -> None:
    example = EXAMPLES[event.type]
    read = parse(json.dumps(example).encode())
    assert isinstance(read.event(), event)
    assert json.loads(read.to_bytes()) == example
    assert read.event().model_dump(mode="json") == example["data"]


@every_event
def test_every_example_fits_the_schemas(event: type[Event]) -> None:
    example = EXAMPLES[event.type]
    checker = Draft202012Validator.FORMAT_CHECKER
    Draft202012Validator(SCHEMAS[ENVELOPE], format_checker=checker).validate(example)
    Draft202012Validator(SCHEMAS[event.type], format_checker=checker).validate(example["data"])


def test_there_is_an_example_of_every_event_and_of_nothing_else() -> None:
    assert EXAMPLES.keys() == {event.type for event in ALL_EVENTS}


def test_a_reader_ignores_what_a_newer_writer_adds() -> None:
    newer = json.loads(json.dumps(EXAMPLES[PURCHASE]))
    newer["traceparent"] = "00-1-2-01"
    newer["data"]["mood"] = "cheerful"
    newer["data"]["lines"][0]["shelf"] = 7
    newer["data"]["balance"]["frozen"] = 0
    assert parse(json.dumps(newer).encode()).event() == event_for(PURCHASE).model_validate(an_example(PURCHASE))


def test_a_reader_does_without_what_an_older_writer_did_not_say() -> None:
    older = an_example(PURCHASE)
    for field in ["channel", "points_paid", "coupons", "offers", "late"]:
        del older[field]
    event = PurchaseRecorded.model_validate(older)
    assert (event.channel, event.points_paid, event.coupons, event.offers, event.late) == (None, 0, (), (), False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"total_minor": 19.99},
        {"total_minor": "1999"},
        {"total_minor": True},
        {"total_minor": 10**12 + 1},
        {"earned": -1},
        {"currency": "eur"},
        {"occurred_at": "2026-03-14T10:15:30"},
        {"occurred_at": 1773483330},
        {"business_date": 20000},
        {"store": ""},
        {"store": "s" * 256},
        {"late": 1},
        {"lines": [{"line_id": "1", "sku": "NUTS", "quantity": 0.25, "net_minor": 499, "points": 4}]},
        {"lines": [{"line_id": "1", "sku": "NUTS", "quantity": "1e3", "net_minor": 499, "points": 4}]},
    ],
    ids=str,
)
def test_a_writer_who_says_it_wrong_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PurchaseRecorded.model_validate(an_example(PURCHASE) | wrong)


@pytest.mark.parametrize("field", ["customer_id", "balance", "tier"])
def test_a_purchase_says_that_it_is_anonymous_rather_than_forgetting_its_customer(field: str) -> None:
    anonymous = an_example(PURCHASE) | {field: None}
    assert getattr(PurchaseRecorded.model_validate(anonymous), field) is None
    del anonymous[field]
    with pytest.raises(ValidationError):
        PurchaseRecorded.model_validate(anonymous)


def test_instants_are_held_and_sent_in_utc() -> None:
    in_cologne = datetime(2026, 3, 14, 13, tzinfo=timezone(timedelta(hours=1)))
    event = PurchaseRecorded.model_validate(an_example(PURCHASE) | {"occurred_at": in_cologne})
    assert event.occurred_at == NOON
    assert event.occurred_at.tzinfo == UTC
    assert b'"occurred_at":"2026-03-14T12:00:00Z"' in as_sent(event)


def test_an_event_of_a_later_version_is_unknown_rather_than_misread() -> None:
    later = EXAMPLES[PURCHASE] | {"type": "loyalty.purchase_recorded.v2"}
    read = parse(json.dumps(later).encode())
    with pytest.raises(UnknownEventType):
        read.event()


@pytest.mark.parametrize(
    "wrong",
    [
        {"specversion": "0.3"},
        {"id": ""},
        {"source": "https://elsewhere.example/loyalty"},
        {"source": "loyalty"},
        {"type": "PurchaseRecorded"},
        {"type": "loyalty.purchase_recorded"},
        {"subject": ""},
        {"time": None},
        {"time": "2026-03-14T10:15:31"},
        {"datacontenttype": "text/xml"},
        {"data": None},
        {"data": []},
    ],
    ids=str,
)
def test_an_envelope_that_is_none_of_ours_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        parse(json.dumps(EXAMPLES[PURCHASE] | wrong).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"\xff", b'{"id":"\\ud800"}'], ids=str)
def test_bytes_that_are_no_event_are_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="CloudEvent"):
        parse(body)
