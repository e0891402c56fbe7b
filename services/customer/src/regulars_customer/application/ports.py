"""What the use cases ask of the world: stores in one transaction, facts announced in the same commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from regulars_customer.domain.consents import Consent
from regulars_customer.domain.customer import Customer
from regulars_customer.domain.facts import Fact
from regulars_customer.domain.heard import Heard, Part, PartKey, Sale
from regulars_customer.domain.identifiers import Held, Identifier
from regulars_customer.domain.life_cycle import LifeCycle
from regulars_customer.domain.timeline import Entry, Figures, Kind, Place
from regulars_kit.values import CustomerId

IdentifierKey = tuple[str, str]
"""`Identifier.key`: kind and value."""


class CustomerReads(Protocol):
    async def holders(self, identifiers: Sequence[Identifier]) -> Mapping[IdentifierKey, CustomerId]:
        """Who holds which of the identifiers; those nobody holds are missing."""

    async def load(self, ids: Collection[CustomerId]) -> Mapping[CustomerId, Customer]:
        """The customers with these ids; unknown ones are missing."""

    async def page(self, *, tag: str | None, after: CustomerId | None, limit: int) -> Sequence[Customer]:
        """The next `limit` customers after that id, in the order they were registered."""


class CustomerStore(CustomerReads, Protocol):
    async def lock(self, ids: Collection[CustomerId]) -> Mapping[CustomerId, Customer]:
        """As `load`, and nobody else changes them before this transaction ends."""

    async def add(self, customers: Sequence[Customer]) -> None:
        """Store new customers, without their identifiers and consents."""

    async def update(self, customers: Sequence[Customer]) -> None:
        """Store profile and version of customers this transaction has locked."""

    async def link(self, links: Sequence[tuple[CustomerId, Held]]) -> frozenset[IdentifierKey]:
        """Link identifiers that nobody holds. Answers with those that somebody did: they were not linked."""

    async def mark(self, link: Held) -> None:
        """Store whether a linked identifier is verified."""

    async def unlink(self, link: Held) -> None:
        """Forget the identifier."""

    async def record(self, records: Sequence[tuple[CustomerId, Consent]]) -> None:
        """Append to the ledger of consents."""


class PictureReads(Protocol):
    """What is known of a customer from others."""

    async def life_cycle(self, customer_id: CustomerId) -> LifeCycle | None:
        """None: no purchase of theirs was ever told."""

    async def parts(self, customer_id: CustomerId) -> Sequence[KnownPart]:
        """All parts that were ever told."""

    async def timeline(
        self, customer_id: CustomerId, kinds: Collection[Kind], before: Place | None, limit: int
    ) -> Sequence[Entry]:
        """The newest `limit` entries of these kinds that stand before a place (None: all do), newest first."""


class Reading(Protocol):
    """A transaction that only reads."""

    @property
    def customers(self) -> CustomerReads: ...

    @property
    def picture(self) -> PictureReads: ...


class Unit(Protocol):
    """A unit of work: all of it is committed, or none."""

    @property
    def customers(self) -> CustomerStore: ...

    async def announce(self, facts: Sequence[Fact]) -> None:
        """Tell the other services, in this commit and in this order."""

    async def once(self, call: Call, work: Callable[[], Awaitable[Registered]]) -> Registered:
        """Do the work, or answer as the first time when the call was made before.

        Raises a refusal with the code `idempotency_key_conflict` when the key was used for something else.
        """


class Listening(Protocol):
    """A unit of work of what is heard: noted event by event, followed all at once before its commit."""

    @property
    def noted(self) -> Sequence[Heard]: ...

    def note(self, heard: Heard) -> None:
        """Remember it until the end of the transaction."""

    async def keep_sales(self, sales: Sequence[Sale]) -> Mapping[UUID, CustomerId]:
        """Join them with what is known, each id once and in the order of ids. Answers whose they are, where known."""

    async def lock_life_cycles(self, ids: Collection[CustomerId], at: datetime) -> Sequence[LifeCycle]:
        """Those of these customers, made where there was none; nobody else changes them before this commit.

        Their histories are read after the locks are ours.
        """

    async def due(self, silent_since: datetime, limit: int) -> Sequence[LifeCycle]:
        """Up to `limit` that are silent since then and not lapsed, locked; those another transaction holds are not."""

    async def keep_life_cycles(self, life_cycles: Sequence[LifeCycle]) -> None:
        """Store those that this transaction has locked."""

    async def keep_parts(self, parts: Sequence[Part], at: datetime) -> Mapping[PartKey, Figures | None]:
        """Keep each, unless a newer one is known. Answers with what those kept were before; None: not known."""

    async def add_entries(self, entries: Sequence[Entry]) -> None:
        """Put them on the timeline, and with their customer those that waited for the same purchase's."""

    async def announce(self, facts: Sequence[Fact]) -> None:
        """Tell the other services, in this commit and in this order."""


@dataclass(frozen=True, slots=True)
class KnownPart:
    """A part of the picture, and when we came to know it."""

    part: Part
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may come twice: who calls, the key they chose for it, the hash of what it asks."""

    client: str
    key: str
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Registered:
    """The answer to a registration. It is kept with the idempotency key, so it names nobody."""

    customer_id: CustomerId
    registered_at: datetime
    version: int
    is_replayed: bool = False


Transactions = Callable[[], AbstractAsyncContextManager[Unit]]
Reads = Callable[[], AbstractAsyncContextManager[Reading]]
Listens = Callable[[], AbstractAsyncContextManager[Listening]]
