"""What the use cases ask of the world: stores in one transaction, facts announced in the same commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from regulars_customer.domain.consents import Consent
from regulars_customer.domain.customer import Customer
from regulars_customer.domain.facts import Fact
from regulars_customer.domain.identifiers import Held, Identifier
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


class Reading(Protocol):
    """A transaction that only reads."""

    @property
    def customers(self) -> CustomerReads: ...


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
