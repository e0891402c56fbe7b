"""What the use cases ask of the world: stores in one transaction, facts announced in the same commit, a way out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from regulars_gateway.domain.attempts import Attempt, State, Step
from regulars_gateway.domain.deliveries import Claimed, Delivery, Event, Lane, LaneReport, Numbered
from regulars_gateway.domain.endpoints import Endpoint, Secret
from regulars_gateway.domain.facts import EndpointDisabled
from regulars_gateway.domain.health import Health
from regulars_gateway.domain.keys import ApiKey, Grant


class KeyStore(Protocol):
    async def grant(self, digest: bytes, at: datetime) -> Grant | None:
        """What the key with this digest opens, None when there is no live one. Notes its use, to the minute."""

    async def add(self, key: ApiKey, digest: bytes) -> None: ...

    async def add_administrator(self, key: ApiKey, digest: bytes) -> None:
        """As `add`, unless there is a key with this digest. Other keys that came from the settings are revoked."""

    async def load(self, key_id: UUID, *, lock: bool = False) -> ApiKey | None: ...

    async def page(self, *, before: UUID | None, limit: int) -> Sequence[ApiKey]:
        """The newest first; `before` is the last one seen."""

    async def end(self, key_id: UUID, *, expires_at: datetime | None, revoked_at: datetime | None) -> None:
        """Store when the key ends, or ended."""


class EndpointStore(Protocol):
    async def add(self, endpoint: Endpoint) -> None: ...

    async def load(self, endpoint_id: UUID, *, lock: bool = False) -> Endpoint | None:
        """None as well for one that was removed."""

    async def page(self, *, after: UUID | None, limit: int) -> Sequence[Endpoint]: ...

    async def count(self) -> int:
        """How many there are. Nobody else adds one before this transaction ends."""

    async def save(self, endpoint: Endpoint) -> None: ...

    async def remove(self, endpoint_id: UUID, at: datetime) -> None:
        """It is no more: what was pending is cancelled; its deliveries stay to be read until they are old."""

    async def health(self, endpoint_ids: Collection[UUID], failed: Collection[UUID]) -> Mapping[UUID, Health]:
        """Of those that are enabled and are among `failed` or have failed before, locked in one order."""

    async def save_health(self, endpoint_id: UUID, health: Health) -> None: ...

    async def give_up(self, endpoint_id: UUID, health: Health, reason: str, at: datetime) -> None:
        """Disable it."""


class DeliveryStore(Protocol):
    async def take(self, events: Sequence[Event], at: datetime) -> None:
        """Store new events in their order, with a delivery of each for every endpoint that wants it."""

    async def page(
        self, *, endpoint_id: UUID | None, state: State | None, before: UUID | None, limit: int
    ) -> Sequence[Delivery]:
        """The newest first; `before` is the last one seen."""

    async def load(self, delivery_id: UUID) -> Delivery | None: ...

    async def resend(self, delivery: Delivery, at: datetime) -> None:
        """Pending from now on, due at once, its schedule begun anew."""


class ClaimStore(Protocol):
    async def claim(self, terms: Terms, at: datetime, room: int) -> Sequence[Claimed]:
        """At most `room` lanes that are due, ours until `terms.lease` has passed, the longest due first."""

    async def next_due(self) -> Mapping[UUID, datetime]:
        """When the next lane of each endpoint becomes due that anything waits for."""

    async def held(self, reports: Sequence[LaneReport]) -> Set[UUID]:
        """The claims that are still ours, their lanes locked until the end of the transaction."""

    async def record(self, outcomes: Sequence[Outcome], lanes: Mapping[Lane, datetime | None], at: datetime) -> None:
        """Store what came of the tries, and give the lanes back: due at their instants; None: when anything is left."""


class FeedStore(Protocol):
    async def number(self, limit: int) -> int:
        """Give the next sequence numbers to events that have none; how many. 0 too while another process does."""

    async def ends(self) -> tuple[int, int]:
        """(Up to where the feed is forgotten, its last number)."""

    async def read(self, *, after: int, up_to: int, types: frozenset[str] | None, limit: int) -> Sequence[Numbered]: ...

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete the oldest events that came before the instant, at most `limit`; how many."""


@dataclass(frozen=True, slots=True)
class Outcome:
    delivery_id: UUID
    step: Step
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Terms:
    """How deliveries are made. `schedule`: the waits between attempts; `jitter`: by what share they are lengthened at
    most; `per_endpoint`, `at_once`: lanes in flight per endpoint and in this process."""

    schedule: Sequence[timedelta]
    jitter: float
    lease: timedelta
    per_endpoint: int
    at_once: int

    @property
    def probe_every(self) -> timedelta:
        return self.schedule[0] if self.schedule else timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may come twice: who calls, the key they chose for it, the hash of what it asks."""

    client: str
    key: str
    content_hash: bytes


class Unit(Protocol):
    """A unit of work: all of it is committed, or none. `noted` are events heard and not stored yet."""

    @property
    def noted(self) -> list[Event]: ...

    @property
    def keys(self) -> KeyStore: ...

    @property
    def endpoints(self) -> EndpointStore: ...

    @property
    def deliveries(self) -> DeliveryStore: ...

    @property
    def claims(self) -> ClaimStore: ...

    @property
    def feed(self) -> FeedStore: ...

    async def announce(self, facts: Sequence[EndpointDisabled]) -> None:
        """Tell the other services, in this commit and in this order."""

    async def once(self, call: Call, work: Callable[[], Awaitable[UUID]]) -> tuple[UUID, bool]:
        """Do the work and return the id it made, or the id of the first time with True.

        Raises a refusal with the code `idempotency_key_conflict` when the key was used for something else.
        """


Begin = Callable[[], AbstractAsyncContextManager[Unit]]

Send = Callable[[str, UUID, bytes, Sequence[Secret]], Awaitable[Attempt]]
"""Posts one signed webhook (url, delivery id, body, secrets). Never raises for what a receiver does."""

Sign = Callable[[Grant, frozenset[str], str], str]
"""Signs a principal with these scopes for a service."""


class Neighbours(Protocol):
    """The services behind the door, and the scopes that their routes ask for."""

    @property
    def names(self) -> frozenset[str]: ...

    async def scopes_of(self, service: str) -> frozenset[str]:
        """Raises `Unavailable` while that service has not been reached yet."""

    async def all_scopes(self) -> tuple[frozenset[str], bool]:
        """The scopes of all services, and whether all of them were reached."""
