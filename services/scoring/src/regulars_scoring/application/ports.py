"""What the use cases ask of the world: stores in one transaction, facts announced in the same commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from regulars_kit.values import Clock, CustomerId
from regulars_scoring.domain.affinity import Category, Counted, Offer, Product, Rule
from regulars_scoring.domain.facts import CustomerScored, Fact
from regulars_scoring.domain.goods import NOT_GOODS, Receipt
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.profit import Past
from regulars_scoring.domain.rfm import Recent
from regulars_scoring.domain.rfm_settings import RfmSettings
from regulars_scoring.domain.runs import Run, Wanted
from regulars_scoring.domain.scoring import Bands, Figures
from regulars_scoring.domain.segment_profit import CellProfit
from regulars_scoring.domain.state import BuyingState, Entry


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as stored. `figures` are those last published under this id, None before the first; `version` counts
    the states. For whom another id stands has nothing in their state."""

    id: CustomerId
    state: BuyingState
    figures: Figures | None
    version: int


@dataclass(frozen=True, slots=True)
class Drafted:
    """A customer whom a run has not published yet, with the figures it drafted; None when they fit no more."""

    customer: Customer
    draft: Figures | None


@dataclass(frozen=True, slots=True)
class CellCount:
    """How many customers share two or three scores; their total net and expected value in the reporting currency."""

    recency: int
    frequency: int
    monetary: int
    customers: int
    total_minor: int
    clv_major: int


@dataclass(frozen=True, slots=True)
class DecileCount:
    """As `CellCount`, of those who share a decile and a churn band."""

    decile: int
    churn_band: str
    customers: int
    total_minor: int
    clv_major: int


Insight = Mapping[str, object]
"""What a run's worker has found out about everybody, as JSON, with the `run_id` and its `as_of`."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change of the published figures. `place` orders the entries of a customer."""

    place: int
    scored: CustomerScored


class CustomerReads(Protocol):
    async def ids_of(self, customer_id: CustomerId) -> Sequence[CustomerId]:
        """All ids of the customer who answers to this one, the surviving one first; none: nobody does."""

    async def ledger(self, customer_id: CustomerId, until: date | None = None) -> Mapping[date, Entry]:
        """The customer's days, up to and including `until`."""

    async def history(self, ids: Sequence[CustomerId], before: int | None, limit: int) -> Sequence[HistoryEntry]:
        """The changes of the figures published under these ids before that place, the newest first."""

    async def recent(self, until: Mapping[CustomerId, date], window_days: int) -> Mapping[CustomerId, Recent]:
        """What lies in a window of so many days, the last of which is given for each customer."""

    async def cells(self) -> Sequence[CellCount]:
        """Customers by their published cells."""

    async def deciles(self) -> Sequence[DecileCount]:
        """Customers by their published deciles and churn bands, the best decile first."""


class CustomerStore(CustomerReads, Protocol):
    async def publish(self, scored: Sequence[CustomerScored]) -> None:
        """Keep the figures as published, and those that differ from the last in the history."""

    async def lock_unpublished(self, run_id: UUID, after: CustomerId | None, limit: int) -> Sequence[Drafted]:
        """The next customers by id, locked, who have no score of this run yet."""


class RunReads(Protocol):
    async def find(self, run_id: UUID) -> Run | None: ...

    async def page(self, before: UUID | None, limit: int) -> Sequence[Run]:
        """Runs begun before that one, the newest first."""


class RunStore(RunReads, Protocol):
    async def open(self, run_id: UUID, wanted: Wanted, client: str) -> Run | None:
        """Begin a run and queue its job; None while another has not ended."""

    async def begin(self, run_id: UUID) -> None:
        """It is being worked at."""

    async def count(self, run_id: UUID, *, published: int, alarms: int) -> None:
        """Add to what the run has published."""

    async def complete(self, run_id: UUID, at: datetime) -> bool:
        """Everybody is published; False when that was known before."""

    async def fail(self, run_id: UUID, code: str, detail: str, at: datetime) -> None: ...


class MoneyReads(Protocol):
    """Sums in `currency`, priced by the terms known now."""

    async def past(self, ids: Sequence[CustomerId], currency: str, until: date) -> Past:
        """Of the customer whose ids these are, up to and including that day."""

    async def by_cell(self, currency: str, first: date, last: date) -> Sequence[CellProfit]:
        """By calendar month and published cell, both days included."""

    async def buyers(self, first: date, last: date) -> Sequence[tuple[int | None, int | None, int]]:
        """How many customers have an occasion on one of these days, by recency and frequency; None: not scored yet."""


class AffinityReads(Protocol):
    """What the last run that counted baskets has found; each collection of skus may be long."""

    async def counted(self) -> Counted | None:
        """None before the first such run."""

    async def product(self, sku: str) -> Product | None:
        """None: no counted basket holds it."""

    async def rules(self, sku: str, limit: int) -> Sequence[Rule]:
        """Rules of baskets with that product, the one of the greatest `lift_low` first."""

    async def receipts(self, ids: Sequence[CustomerId]) -> Sequence[Receipt]:
        """All receipts of the customer whose ids these are that were not voided, by day."""

    async def next_best(self, owned: Collection[str], known: Collection[str], limit: int) -> Sequence[Offer]:
        """Of rules from an owned to an unknown product the surest for each; what is good for most comes first."""

    async def best_sellers(self, known: Collection[str], limit: int) -> Sequence[Product]:
        """Products beside the known ones, the one in most baskets first."""

    async def categories(self, known: Collection[str], told: Collection[str], limit: int) -> Sequence[Category]:
        """Categories beside those told, and that no known product is of; the one most often sold first."""


class Reading(Protocol):
    """A transaction that only reads."""

    @property
    def money(self) -> MoneyReads: ...

    @property
    def customers(self) -> CustomerReads: ...

    @property
    def runs(self) -> RunReads: ...

    @property
    def affinity(self) -> AffinityReads: ...

    async def model(self) -> Model | None:
        """What the last run that was fitted left; None before the first."""

    async def known_since(self) -> datetime | None:
        """When the first purchase was heard of."""

    async def rfm_settings(self) -> RfmSettings:
        """Those of the shop, or the defaults."""

    async def insight(self, name: str) -> Insight | None:
        """What the run that serves has found out under this name; None when it looked for no such thing."""


class Unit(Protocol):
    """A unit of work: all of it is committed, or none."""

    @property
    def customers(self) -> CustomerStore: ...

    @property
    def runs(self) -> RunStore: ...

    async def model(self) -> Model | None:
        """As in `Reading`."""

    async def known_since(self) -> datetime | None:
        """As in `Reading`."""

    async def keep_rfm_settings(self, settings: RfmSettings) -> None: ...

    async def announce(self, facts: Sequence[Fact]) -> None:
        """Tell the other services, in this commit and in this order."""

    async def once(self, call: Call, work: Callable[[], Awaitable[Run]]) -> Started:
        """Do the work, or answer as the first time when the call was made before."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may come twice: who calls, the key they chose for it, the hash of what it asks."""

    client: str
    key: str
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Started:
    """The answer to a request for a run."""

    run_id: UUID
    job_id: str
    as_of: date
    is_replayed: bool = False


@dataclass(frozen=True, slots=True)
class House:
    """The installation's own: its clock, the zone its days are reckoned in, its churn bands, and the categories of
    what stands on receipts beside goods."""

    now: Clock
    zone: ZoneInfo
    bands: Bands
    not_goods: Collection[str] = NOT_GOODS

    def today(self) -> date:
        return self.now().astimezone(self.zone).date()


Transactions = Callable[[], AbstractAsyncContextManager[Unit]]
Reads = Callable[[], AbstractAsyncContextManager[Reading]]

Progress = Callable[[int, int | None], Awaitable[None]]
"""Told how many of how many (None: not known yet) are done; raises when the work is to stop."""

Fit = Callable[[UUID, Callable[[], Awaitable[None]]], Awaitable[None]]
"""Fits the models and drafts everybody's figures for a run, calling the second argument now and then.

Raises `FitFailed`. A run that was fitted before is left as it is.
"""
