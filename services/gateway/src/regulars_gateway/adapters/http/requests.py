"""What clients send."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from regulars_gateway.application.create_key import WantedKey
from regulars_gateway.application.register_endpoint import WantedEndpoint
from regulars_kit.models import NO_CONTROLS, Instant, StrictModel, Text

DAY_S = 86_400
OVERLAP_AT_MOST_S = 30 * DAY_S
SCOPES_AT_MOST = 100
STORES_AT_MOST = 1_000

Scope = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z_]*:[a-z][a-z_]*$")]
EventType = Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z]+\.[a-z][a-z0-9_]*\.v[1-9][0-9]*$")]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=NO_CONTROLS)]
Overlap = Annotated[int, Field(ge=0, le=OVERLAP_AT_MOST_S)]
"""Seconds for which the old one still holds: 0 ends it at once, 30 days are the most."""


class KeyIn(StrictModel):
    """`stores` left out: any. `expires_at` left out: the key has no end of its own."""

    name: Text
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=SCOPES_AT_MOST)]
    stores: Annotated[list[Text], Field(min_length=1, max_length=STORES_AT_MOST)] | None = None
    expires_at: Instant | None = None

    def wanted(self) -> WantedKey:
        stores = None if self.stores is None else frozenset(self.stores)
        return WantedKey(self.name, self.scopes, stores, self.expires_at)


class RotationIn(StrictModel):
    """A day of overlap unless said otherwise."""

    overlap_s: Overlap = DAY_S

    @property
    def overlap(self) -> timedelta:
        return timedelta(seconds=self.overlap_s)


Types = Annotated[list[EventType], Field(min_length=1, max_length=100)]
Description = Annotated[str, StringConstraints(max_length=255, pattern=NO_CONTROLS)]


class EndpointIn(StrictModel):
    """`types` left out: every event there is, those of later releases too."""

    url: Url
    types: Types | None = None
    description: Description = ""
    enabled: bool = True

    def wanted(self) -> WantedEndpoint:
        return WantedEndpoint(self.url, self.types, self.description, self.enabled)


class EndpointChangeIn(StrictModel):
    """JSON Merge Patch: what is missing stays as it is; `types` null means every event."""

    url: Url | None = None
    types: Types | None = None
    description: Description | None = None
    enabled: bool | None = None
