"""Our envelope against the CloudEvents project's own library: each reads what the other wrote."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent as TheirEvent

from contracts.any_event import AN_ID, EXAMPLES, NOON
from regulars_contracts.envelope import CONTENT_TYPE, encode, parse

every_example = pytest.mark.parametrize("type", EXAMPLES)


def their_reading(body: bytes) -> TheirEvent:
    event = JSONFormat().read(None, body)
    assert isinstance(event, TheirEvent)
    return event


@every_example
def test_the_library_reads_what_we_write(type: str) -> None:
    ours = parse(json.dumps(EXAMPLES[type]).encode())
    theirs = their_reading(ours.to_bytes())
    assert theirs.get_specversion() == "1.0"
    assert theirs.get_id() == str(ours.id)
    assert theirs.get_source() == ours.source
    assert theirs.get_type() == type
    assert theirs.get_subject() == ours.subject
    assert theirs.get_time() == ours.time
    assert theirs.get_datacontenttype() == "application/json"
    assert theirs.get_data() == ours.data


@every_example
def test_we_read_what_the_library_writes(type: str) -> None:
    ours = parse(json.dumps(EXAMPLES[type]).encode())
    attributes = {name: value for name, value in EXAMPLES[type].items() if name != "data"}
    attributes["time"] = datetime.fromisoformat(str(attributes["time"]))
    theirs = TheirEvent(attributes, ours.data)
    assert parse(JSONFormat().write(theirs)) == ours


def test_the_library_reads_what_the_quick_way_writes() -> None:
    quick = encode(type="loyalty.x.v1", source="/regulars/loyalty", subject=AN_ID, id=AN_ID, time=NOON, data={"n": 1})
    theirs = their_reading(quick)
    assert (theirs.get_time(), theirs.get_subject(), theirs.get_data()) == (NOON, str(AN_ID), {"n": 1})


def test_the_quick_way_writes_integers_of_any_size() -> None:
    data = {"trait": -(2**63) - 1}
    quick = encode(type="customer.x.v1", source="/regulars/customer", subject=AN_ID, id=AN_ID, time=NOON, data=data)
    assert json.loads(quick)["data"] == data


def test_the_media_type_is_the_librarys() -> None:
    assert JSONFormat().get_content_type() == CONTENT_TYPE
