"""Topics, schemas and the AsyncAPI document say what the models say, and no event names a person."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import ValidationError

from contracts.any_event import EXAMPLES, an_example
from regulars_contracts.envelope import parse
from regulars_contracts.events import ALL_EVENTS, event_for
from regulars_contracts.generate import ASYNCAPI, out_of_date, release, write
from regulars_contracts.personal_data import is_personal
from regulars_contracts.schemas import JsonObject, all_schemas
from regulars_contracts.topics import CONTRACTS, PARTITIONS, Topic, read_topics, topic_of

SCHEMAS = all_schemas()
TOPICS = read_topics()
DOCUMENT = json.loads((CONTRACTS / ASYNCAPI).read_text("utf-8"))


@pytest.fixture
def own_copy(tmp_path: Path) -> Path:
    """The contracts' files, to be spoiled."""
    no_code = shutil.ignore_patterns("*.py", "__pycache__")
    return Path(shutil.copytree(CONTRACTS, tmp_path / "contracts", ignore=no_code))


def keys_of(value: object) -> Iterator[str]:
    match value:
        case dict():
            yield from value
            for below in value.values():
                yield from keys_of(below)
        case list():
            for below in value:
                yield from keys_of(below)


def fields_of(schema: object) -> Iterator[str]:
    """The names of all fields a schema describes, at any depth."""
    match schema:
        case dict():
            properties = schema.get("properties")
            if isinstance(properties, dict):
                yield from properties
            for below in schema.values():
                yield from fields_of(below)
        case list():
            for below in schema:
                yield from fields_of(below)


def references_of(value: object) -> Iterator[str]:
    match value:
        case dict():
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for below in value.values():
                yield from references_of(below)
        case list():
            for below in value:
                yield from references_of(below)


def resolve(reference: str) -> object:
    found: object = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        assert isinstance(found, dict)
        found = found[step]
    return found


def test_the_generated_files_are_up_to_date() -> None:
    assert out_of_date() == [], "run python -m regulars_contracts.generate"


def test_a_generated_file_that_was_edited_lost_or_left_behind_is_noticed_and_put_right(own_copy: Path) -> None:
    edited, lost, left = (f"schemas/loyalty.{name}.v1.json" for name in ["points_spent", "tier_changed", "long_gone"])
    (own_copy / edited).write_text("{}")
    (own_copy / lost).unlink()
    (own_copy / left).write_text("{}")
    (own_copy / ASYNCAPI).write_text("{}")
    assert out_of_date(own_copy) == sorted([ASYNCAPI, edited, left, lost])
    write(own_copy)
    assert out_of_date(own_copy) == []
    assert not (own_copy / left).exists()


def test_a_release_keeps_all_schemas_and_is_never_rewritten(own_copy: Path) -> None:
    release("99.0.0", own_copy)
    assert json.loads((own_copy / "released" / "99.0.0.json").read_text("utf-8")) == SCHEMAS
    with pytest.raises(FileExistsError):
        release("99.0.0", own_copy)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


def test_every_event_travels_on_the_one_topic_of_its_service() -> None:
    travelling = [kind for topic in TOPICS for kind in topic.types]
    assert sorted(travelling) == sorted(event.type for event in ALL_EVENTS)
    for topic in TOPICS:
        assert topic.topic == topic_of(topic.owner)
        assert {topic_of(kind) for kind in topic.types} == {topic.topic}
        assert topic.partitions == PARTITIONS


def test_a_topic_file_that_says_something_else_is_refused() -> None:
    with pytest.raises(ValidationError):
        Topic.model_validate(TOPICS[0].model_dump() | {"retention_hours": 720})
    with pytest.raises(ValidationError):
        Topic.model_validate(TOPICS[0].model_dump() | {"types": ["customer.registered"]})


@pytest.mark.parametrize("type", EXAMPLES)
def test_an_event_is_keyed_by_its_customer_or_else_by_what_it_is_about(type: str) -> None:
    example = parse(json.dumps(EXAMPLES[type]).encode())
    said = an_example(type)
    assert example.subject == next(said[key] for key in ("customer_id", "code", "run_id", "endpoint_id") if key in said)


def test_the_asyncapi_document_has_every_topic_event_and_example() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    assert DOCUMENT["channels"].keys() == {topic.topic for topic in TOPICS}
    messages = DOCUMENT["components"]["messages"]
    assert messages.keys() == {event.type for event in ALL_EVENTS}
    for topic in TOPICS:
        channel = DOCUMENT["channels"][topic.topic]
        assert channel["address"] == topic.topic
        assert list(channel["messages"]) == topic.types
        assert channel["bindings"]["kafka"]["partitions"] == topic.partitions
    for kind, message in messages.items():
        assert message["examples"][0]["payload"] == EXAMPLES[kind]


def test_the_asyncapi_document_says_who_sends_and_who_receives() -> None:
    said = {
        name: (operation["action"], operation["channel"]["$ref"]) for name, operation in DOCUMENT["operations"].items()
    }
    for topic in TOPICS:
        channel = f"#/channels/{topic.topic}"
        assert said.pop(f"{topic.owner}-sends") == ("send", channel)
        for service in topic.consumers:
            assert said.pop(f"{service}-receives-{topic.owner}") == ("receive", channel)
    assert not said


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    references = list(references_of(DOCUMENT))
    assert references
    for reference in references:
        assert isinstance(resolve(reference), dict)


def test_every_example_fits_the_payload_that_the_asyncapi_document_describes() -> None:
    for kind, message in DOCUMENT["components"]["messages"].items():
        payload = message["payload"] | {"components": DOCUMENT["components"]}
        Draft202012Validator(payload).validate(EXAMPLES[kind])
        assert not Draft202012Validator(payload).is_valid(EXAMPLES[kind] | {"data": {}})


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_event_has_a_field_for_personal_data(name: str) -> None:
    fields = set(fields_of(SCHEMAS[name]))
    assert fields
    assert [field for field in fields if is_personal(field)] == []


@pytest.mark.parametrize("type", EXAMPLES)
def test_no_example_shows_personal_data(type: str) -> None:
    assert [key for key in keys_of(EXAMPLES[type]) if is_personal(key)] == []
    assert "@" not in json.dumps(EXAMPLES[type])


PERSONAL = ["name", "first_name", "lastName", "email", "e_mail", "phone_number", "mobile", "home-address", "street"]
PERSONAL += ["zip_code", "birth_date", "dateOfBirth", "birthday", "iban", "ip_address", "card_number", "free_text"]


@pytest.mark.parametrize("field", PERSONAL)
def test_a_planted_field_for_personal_data_is_found(field: str) -> None:
    planted: JsonObject = {"properties": {"lines": {"items": {"properties": {field: {}}}}}}
    assert any(is_personal(name) for name in fields_of(planted))


@pytest.mark.parametrize(
    "field", ["store", "city", "country", "language", "birth_month", "tags", "emailed", "nameless"]
)
def test_what_names_nobody_is_no_personal_data(field: str) -> None:
    assert not is_personal(field)


def test_a_trait_that_names_a_person_is_refused() -> None:
    registered = an_example("customer.registered.v1")
    with pytest.raises(ValidationError, match="must not identify a person"):
        event_for("customer.registered.v1").model_validate(registered | {"traits": {"first_name": "Ann"}})


def test_an_identifier_in_the_clear_is_refused() -> None:
    clear = an_example("customer.identifier_linked.v1") | {"hash": "ann@example.com"}
    with pytest.raises(ValidationError):
        event_for("customer.identifier_linked.v1").model_validate(clear)
