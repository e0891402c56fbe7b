"""What the customer service announces, keyed by customer id. No event names a person."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, Field, Strict

from regulars_contracts.events.base import Event, Part
from regulars_contracts.fields import Code, Currency, Flag, Instant, KeyedHash, Minor, Text
from regulars_contracts.personal_data import is_personal


def _not_personal(traits: dict[str, TraitValue]) -> dict[str, TraitValue]:
    if any(is_personal(trait) for trait in traits):
        raise ValueError("a trait must not identify a person")
    return traits


TraitValue = Text | Annotated[int, Strict()] | Flag | tuple[Text, ...]
Traits = Annotated[dict[Code, TraitValue], AfterValidator(_not_personal)]
"""Attributes declared as not identifying: city, country, language, birth_month, tags, and the business's own."""


class IdentifierHash(Part):
    """An identifier that others can recognise and nobody can read."""

    kind: Code
    """card, phone, email or external."""
    hash: KeyedHash


class Registered(Event):
    """A customer exists from now on."""

    type: ClassVar[str] = "customer.registered.v1"
    customer_id: UUID
    registered_at: Instant
    identifiers: tuple[IdentifierHash, ...] = ()
    source: Text
    """Where the customer came from: `web`, `till`, `import`, a campaign's code."""
    acquisition_cost_minor: Minor | None = None
    """What winning the customer cost, in `currency`; None when nobody knows."""
    currency: Currency | None = None
    traits: Traits = Field(default_factory=dict)


class TraitsChanged(Event):
    """The traits as they stand now: what is missing here is gone."""

    type: ClassVar[str] = "customer.traits_changed.v1"
    customer_id: UUID
    traits: Traits
    occurred_at: Instant


class IdentifierLinked(Event):
    """An identifier belongs to the customer from now on; what was recorded under it unclaimed is theirs."""

    type: ClassVar[str] = "customer.identifier_linked.v1"
    customer_id: UUID
    kind: Code
    hash: KeyedHash
    occurred_at: Instant


class IdentifierUnlinked(Event):
    """An identifier belongs to the customer no longer; what was recorded under it stays theirs."""

    type: ClassVar[str] = "customer.identifier_unlinked.v1"
    customer_id: UUID
    kind: Code
    hash: KeyedHash
    occurred_at: Instant


class ConsentChanged(Event):
    """The customer allowed or withdrew one purpose on one channel."""

    type: ClassVar[str] = "customer.consent_changed.v1"
    customer_id: UUID
    purpose: Code
    channel: Code
    granted: Flag
    wording_version: Text | None = None
    """Which wording the customer agreed to; None at a withdrawal, which needs no wording."""
    source: Text
    """Where it was said: `web`, `till`, `call_centre`, `import`."""
    occurred_at: Instant


class StageChanged(Event):
    """The customer's life cycle moved on."""

    type: ClassVar[str] = "customer.stage_changed.v1"
    customer_id: UUID
    from_stage: Code | None = None
    """None at the first."""
    to_stage: Code
    """`prospect`, `customer`, `repeat`, `loyal`, `lapsed` or `won_back`."""
    reason: Code
    changed_at: Instant


class MergeEvent(Event):
    """Two ids, and whether one customer stands behind both. Said once to each of the two, with one `merge_id`: whoever
    hears either knows all of it, and the second tells nothing new.
    """

    customer_id: UUID
    """The one of the two that this is said to."""
    merge_id: UUID
    """Of version 7: of two merges the later one has the greater id."""
    surviving_id: UUID
    """Stands for the customer while the merge holds. It may be merged into another in its turn."""
    merged_id: UUID
    occurred_at: Instant


class Merged(MergeEvent):
    """Both ids are one customer from now on. Facts stay under the id they came with, also those still to come; readers
    count them as the surviving one's.
    """

    type: ClassVar[str] = "customer.merged.v1"


class Unmerged(MergeEvent):
    """A merge is undone, for ever: both ids are customers of their own again, each with the facts under their id. Two
    who are merged once more have another `merge_id`.
    """

    type: ClassVar[str] = "customer.unmerged.v1"


class Erased(Event):
    """The customer is forgotten. Said to each id that was theirs; who hears it takes the id off what they keep, and
    takes no more of it in.
    """

    type: ClassVar[str] = "customer.erased.v1"
    customer_id: UUID
    erased_at: Instant


EVENTS: tuple[type[Event], ...] = (
    Registered,
    TraitsChanged,
    IdentifierLinked,
    IdentifierUnlinked,
    ConsentChanged,
    StageChanged,
    Merged,
    Unmerged,
    Erased,
)
