"""What following the events asks of the world: stores for many at once, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from regulars_kit.values import CustomerId
from regulars_scoring.application.people import People
from regulars_scoring.application.ports import Customer
from regulars_scoring.domain.costs import Cost, PointsMoved, Terms
from regulars_scoring.domain.facts import CustomerScored, Fact
from regulars_scoring.domain.goods import Goods
from regulars_scoring.domain.heard import Heard
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.purchases import Posting, Purchase, Return
from regulars_scoring.domain.rfm import Recent
from regulars_scoring.domain.state import DayChange, Entry


@dataclass(frozen=True, slots=True)
class Posted:
    """A customer as they were, and what became of some of their days."""

    customer: Customer
    changes: Sequence[DayChange]


class Listening(Protocol):
    """A unit of work that follows what is heard: many events share its commit, or one has it to itself."""

    @property
    def noted(self) -> Sequence[Heard]:
        """What was noted, in its order."""

    @property
    def people(self) -> People: ...

    def note(self, heard: Heard) -> None: ...

    async def reporting_currency(self, seen: str | None) -> str | None:
        """The currency that money is counted in: from the first purchase on, `seen` unless one is set; None before."""

    async def keep_returns(self, returns: Sequence[Return]) -> Sequence[Return]:
        """Keep returns with different keys; answers with those that were not kept before."""

    async def keep_purchases(self, told: Mapping[UUID, Purchase]) -> Mapping[UUID, Purchase]:
        """Join what is told of purchases to what was known of them, and answer with that; new ones are missing."""

    async def keep_goods(self, told: Mapping[tuple[UUID, UUID | None], Goods]) -> None:
        """Keep what was sold and came back, as `goods_told` names it; what is kept already is left as it is."""

    async def keep_costs(self, costs: Sequence[Cost]) -> None:
        """Keep those that were not kept before."""

    async def keep_points(self, moved: Sequence[PointsMoved]) -> None:
        """Keep those that were not kept before."""

    async def keep_terms(self, terms: Sequence[Terms]) -> None:
        """Keep those that were not kept before."""

    async def lock(self, registered: Mapping[CustomerId, datetime | None]) -> None:
        """Know these customers, whom nobody else changes before this transaction ends.

        The value is when they registered; None: nothing was told of that.
        """

    async def post(self, postings: Sequence[Posting]) -> Sequence[Posted]:
        """Add to days of locked customers, each day named once."""

    async def recent(self, until: Mapping[CustomerId, date], window_days: int) -> Mapping[CustomerId, Recent]:
        """As in `CustomerReads`."""

    async def ledgers(self, ids: Collection[CustomerId]) -> Mapping[CustomerId, Mapping[date, Entry]]:
        """The days of customers who have any."""

    async def store(self, customers: Sequence[Customer]) -> None:
        """Keep the states of locked customers."""

    async def model(self) -> Model | None:
        """As in `Reading`."""

    async def publish(self, scored: Sequence[CustomerScored]) -> None:
        """As in `CustomerStore`."""

    async def announce(self, facts: Sequence[Fact]) -> None:
        """As in `Unit`."""


Listens = Callable[[], AbstractAsyncContextManager[Listening]]
