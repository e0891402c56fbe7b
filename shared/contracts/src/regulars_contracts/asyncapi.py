"""The AsyncAPI 3 document of the product's bus: every topic, its events, who sends and who receives.

One channel per topic. A message's payload is the whole CloudEvent: the envelope, with `data` as the event's schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from regulars_contracts.envelope import CONTENT_TYPE
from regulars_contracts.schemas import ENVELOPE, JsonObject
from regulars_contracts.topics import Topic

_DESCRIPTION = (
    "The published language of Regulars: CloudEvents 1.0 in structured JSON, one topic per service, at least once. "
    "Readers ignore fields they do not know; within a version nothing is removed or retyped. "
    "No event carries personal data."
)


def document(
    topics: Sequence[Topic], schemas: Mapping[str, JsonObject], examples: Mapping[str, JsonObject], version: str
) -> JsonObject:
    """Build the document. `schemas` and `examples` are by event type; raises KeyError when a topic's type has none."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Regulars",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic.topic: _channel(topic) for topic in topics},
        "operations": {name: operation for topic in topics for name, operation in _operations(topic).items()},
        "components": {
            "messages": {kind: _message(kind, schemas, examples) for topic in topics for kind in topic.types},
            "schemas": {
                part: shape for name, schema in schemas.items() for part, shape in _components(name, schema).items()
            },
        },
    }


def _channel(topic: Topic) -> JsonObject:
    return {
        "address": topic.topic,
        "description": f"{topic.description} Key: {topic.key}.",
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in topic.types},
        "bindings": {
            "kafka": {
                "topic": topic.topic,
                "partitions": topic.partitions,
                "topicConfiguration": {"retention.ms": topic.retention_days * 86_400_000},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations(topic: Topic) -> dict[str, JsonObject]:
    channel = {"$ref": f"#/channels/{topic.topic}"}
    sends: JsonObject = {"action": "send", "channel": channel, "summary": f"{topic.owner} announces its facts."}
    receives: dict[str, JsonObject] = {
        f"{service}-receives-{topic.owner}": {
            "action": "receive",
            "channel": channel,
            "summary": f"{service} reads as the group regulars-{service}.",
        }
        for service in topic.consumers
    }
    return {f"{topic.owner}-sends": sends} | receives


def _message(kind: str, schemas: Mapping[str, JsonObject], examples: Mapping[str, JsonObject]) -> JsonObject:
    return {
        "name": kind,
        "title": schemas[kind]["title"],
        "summary": schemas[kind]["description"],
        "contentType": CONTENT_TYPE,
        "payload": {
            "allOf": [
                {"$ref": f"#/components/schemas/{ENVELOPE}"},
                {"properties": {"type": {"const": kind}, "data": {"$ref": f"#/components/schemas/{kind}"}}},
            ]
        },
        "examples": [{"name": "example", "payload": examples[kind]}],
    }


def _components(name: str, schema: JsonObject) -> JsonObject:
    """The schema and its parts side by side, `<name>.<part>`: AsyncAPI's own schema dialect knows no `$defs`."""
    parts = {"": schema} | {f".{part}": shape for part, shape in cast(JsonObject, schema.get("$defs", {})).items()}
    return {name + suffix: _repointed(shape, f"#/components/schemas/{name}.") for suffix, shape in parts.items()}


def _repointed(value: object, prefix: str) -> object:
    if isinstance(value, list):
        return [_repointed(item, prefix) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: prefix + item.removeprefix("#/$defs/") if key == "$ref" else _repointed(item, prefix)
        for key, item in value.items()
        if key not in ("$id", "$schema", "$defs")
    }
