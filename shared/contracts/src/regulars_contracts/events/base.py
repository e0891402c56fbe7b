"""What all events have in common."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A piece of an event. Frozen; a reader ignores fields that it does not know, so that a writer may add some."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Event(Part):
    """A fact that a service announces: the `data` of a CloudEvent whose `type` is the class's."""

    type: ClassVar[str]
