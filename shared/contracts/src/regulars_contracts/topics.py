"""Which service owns which topic, and what travels on it: `topics/<topic>.yaml`, one file each."""

from __future__ import annotations

from pathlib import Path

import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field

from regulars_contracts.envelope import EventType
from regulars_contracts.fields import Code, Text

CONTRACTS = Path(__file__).parents[2]
"""The folder with topics/, schemas/, examples/ and released/. It is there in a checkout, not in an installed wheel."""

PARTITIONS = 12
"""Of every topic. Never changed in place, because a customer's events would lose their order."""


class Topic(BaseModel):
    """One topic: a single owner writes it, each consumer reads it as its own group."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    topic: str = Field(pattern=r"^regulars\.[a-z]+$")
    owner: Code
    description: str
    key: Text
    """What orders the topic: all events of one key are in order."""
    partitions: int = Field(ge=1)
    retention_days: int = Field(ge=1)
    """On Kafka; the embedded bus keeps less, and longer what some group has not read."""
    consumers: list[Code]
    types: list[EventType] = Field(min_length=1)


def topic_of(service_or_type: str) -> str:
    """The topic a service writes to: of `loyalty`, and of `loyalty.purchase_recorded.v1`, it is `regulars.loyalty`."""
    return f"regulars.{service_or_type.partition('.')[0]}"


def read_topics(folder: Path = CONTRACTS / "topics") -> list[Topic]:
    """All topics, by name. Raises ValidationError when a file says something else than a topic file may."""
    return [Topic.model_validate(yaml.safe_load(file.read_text("utf-8"))) for file in sorted(folder.glob("*.yaml"))]
