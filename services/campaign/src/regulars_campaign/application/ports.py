"""What the use cases ask of the world: stores in one transaction, facts announced in the same commit, and peers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from regulars_campaign.domain.calendar import Moment
from regulars_campaign.domain.campaigns import Campaign, Trigger
from regulars_campaign.domain.facts import Fact
from regulars_campaign.domain.gathering import SpokenOf
from regulars_campaign.domain.heard import Balance, Consent, Heard, Return, Score, Stage, Tier, Traits
from regulars_campaign.domain.messages import Claimed, Contact, Known, Message, Outcome
from regulars_campaign.domain.rules import Facet, Rule
from regulars_campaign.domain.segments import Segment, SegmentId
from regulars_campaign.domain.templates import Template, Text
from regulars_kit.values import CustomerId

Now = Callable[[], Moment]
"""The present, with its day in the shop's zone."""

Membership = tuple[SegmentId, CustomerId]


class Projection(Protocol):
    """What is known of customers, from events in any order. Whatever is older than what is kept changes nothing."""

    async def take(self, ids: Sequence[CustomerId]) -> Collection[CustomerId]:
        """Lock the customers, whom nobody else changes or judges before this transaction ends; those who are new.

        `ids` are sorted. Until then no segment appears either, see `Segments.block_events`.
        """

    async def put_traits(self, told: Sequence[Traits]) -> None:
        """Like all of these: keep what is newer than what is kept; of one customer (and way, programme) one at most."""

    async def put_consents(self, told: Sequence[Consent]) -> None: ...

    async def put_stages(self, told: Sequence[Stage]) -> None: ...

    async def put_tiers(self, told: Sequence[Tier]) -> None: ...

    async def put_balances(self, told: Sequence[Balance]) -> None: ...

    async def put_scores(self, told: Sequence[Score]) -> None: ...

    async def known(self, ids: Collection[CustomerId]) -> Mapping[CustomerId, Known]:
        """What templates may say; customers of whom nothing was heard are missing."""


class Deeds(Protocol):
    """Purchases and returns as they were told, and the roll-ups that rules ask. Days are of the shop's zone.

    A purchase's row is locked before its customer's: whoever comes second sees what the first has written.
    """

    async def keep_purchases(self, spoken_of: Sequence[SpokenOf]) -> Collection[CustomerId]:
        """Store what is said of them (sorted by id), and lock them; whose they are.

        Once void they stay so, and once owned too, whether by a claim that was heard before them or otherwise.
        """

    async def keep_returns(self, returns: Sequence[Return]) -> None:
        """Store them; told twice, they are stored once."""

    async def roll_up(
        self, customers: Sequence[CustomerId], returns: Sequence[Return], purchases: Sequence[UUID]
    ) -> None:
        """Reckon again what the customers did on the days of these returns, and of the purchases and their returns."""


class Segments(Protocol):
    async def block_events(self) -> None:
        """Wait for the customers in hand, and let nobody take one before this transaction ends."""

    async def add(self, segment: Segment) -> bool:
        """False when its code is taken."""

    async def count(self) -> int: ...

    async def load(self, segment_id: SegmentId) -> Segment | None: ...

    async def by_code(self, code: str) -> Segment | None: ...

    async def page(self, *, after: SegmentId | None, limit: int) -> Sequence[Segment]: ...

    async def told_apart(self, facets: Collection[Facet]) -> tuple[Sequence[Segment], Sequence[Segment]]:
        """Those whose rules look at one of the facets, and all others."""

    async def unswept(self, today: date) -> Sequence[SegmentId]:
        """Those that nobody was judged for yet, or whose verdicts a new day may have changed since."""

    async def mark_swept(self, segment_id: SegmentId, day: date) -> None: ...

    async def sizes(self, ids: Collection[SegmentId]) -> Mapping[SegmentId, int]:
        """How many members each has; those without any are missing."""

    async def members(
        self, segment_id: SegmentId, *, after: CustomerId | None, limit: int
    ) -> Sequence[tuple[CustomerId, datetime]]:
        """Members by id, and since when they are."""

    async def is_member(self, segment_id: SegmentId, customer_id: CustomerId) -> bool: ...

    async def enter(self, memberships: Sequence[Membership], at: datetime) -> None: ...

    async def leave(self, memberships: Sequence[Membership]) -> None: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who of some customers fulfils a segment's rule and is no member, and who is one and does not; by their ids."""

    segment: Segment
    came: Sequence[CustomerId]
    went: Sequence[CustomerId]


class Judge(Protocol):
    """Rules put to the projection, all by one compiler."""

    async def judge(
        self, segments: Sequence[Segment], customers: Collection[CustomerId], today: date
    ) -> Sequence[Verdict]:
        """Who of the customers came to each of the segments, in their order, and who went."""

    async def out_of_step(self, segment: Segment, today: date) -> Sequence[CustomerId]:
        """Everybody whose membership is not what the rule says."""

    async def preview(self, rule: Rule, today: date, limit: int) -> tuple[int, Sequence[CustomerId]]:
        """How many fulfil the rule, and the first `limit` (one or more) of them by their ids."""

    async def explain(self, rule: Rule, customer_id: CustomerId, today: date) -> Mapping[str, bool] | None:
        """The verdict of each node, by its pointer; None when nothing was ever heard of the customer."""


class Templates(Protocol):
    async def add_version(self, template_id: UUID, code: str, text: Text, at: datetime) -> Template:
        """Store the next version of the template with this code; `template_id` is the id of a new one."""

    async def newest(self, template_id: UUID) -> Template | None: ...

    async def newest_by_code(self, code: str) -> Template | None: ...

    async def versions(self, wanted: Collection[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], Template]: ...

    async def page(self, *, after: UUID | None, limit: int) -> Sequence[Template]:
        """The newest version of each, in the order in which they were made."""


class Campaigns(Protocol):
    async def add(self, campaign: Campaign) -> bool:
        """False when its code is taken."""

    async def load(self, campaign_id: UUID, *, for_update: bool = False) -> Campaign | None: ...

    async def page(self, *, after: UUID | None, limit: int) -> Sequence[Campaign]: ...

    async def store(self, campaign: Campaign) -> None:
        """Its state, and what the launch settled."""

    async def triggered(self, trigger: Trigger, segments: Collection[SegmentId] = ()) -> Sequence[Campaign]:
        """Those that run and wait for this; for `segment_entered`, for one of the segments."""


class Messages(Protocol):
    async def add_due(self, messages: Sequence[Message]) -> int:
        """Store those whose campaign, step and customer have no message yet; how many those were."""

    async def claim(self, limit: int, lease: timedelta) -> Sequence[Claimed]:
        """Take messages of running campaigns that are due, or that a sender held longer than its lease."""

    async def put_back(self, message: Claimed, wait: timedelta) -> None:
        """Nothing became of this try; as it is where the claim is another's by now."""

    async def finish(self, outcomes: Sequence[Outcome], at: datetime) -> Collection[UUID]:
        """Store what became of them; answers with those whose claim was still the sender's, and the others stay."""

    async def page(
        self, *, customer_id: CustomerId | None, campaign_id: UUID | None, after: UUID | None, limit: int
    ) -> Sequence[Message]: ...

    async def counts(self, campaign_ids: Collection[UUID]) -> Mapping[UUID, Mapping[tuple[str, str | None], int]]:
        """How many messages of each campaign are in which state, for which reason."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may come twice: who calls, the key they chose for it, the hash of what it asks."""

    client: str
    key: str
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Made:
    """What a request made; the version counts for templates alone."""

    id: UUID
    version: int = 1
    is_replayed: bool = False


class Unit(Protocol):
    """A unit of work: all of it is committed, or none."""

    @property
    def customers(self) -> Projection: ...

    @property
    def deeds(self) -> Deeds: ...

    @property
    def segments(self) -> Segments: ...

    @property
    def judge(self) -> Judge: ...

    @property
    def templates(self) -> Templates: ...

    @property
    def campaigns(self) -> Campaigns: ...

    @property
    def messages(self) -> Messages: ...

    async def announce(self, facts: Sequence[Fact]) -> None:
        """Tell the other services, in this commit and in this order."""

    async def once(self, call: Call, work: Callable[[], Awaitable[Made]]) -> Made:
        """Do the work, or answer as the first time when the call was made before.

        Raises a refusal with the code `idempotency_key_conflict` when the key was used for something else.
        """

    async def ask_for_build(self, segment_id: SegmentId, client: str) -> None:
        """Queue the job that judges everybody for a new segment."""


class Listening(Unit, Protocol):
    """The unit of what is heard: events note what they tell, and it is followed at once before the commit."""

    @property
    def noted(self) -> Sequence[Heard]: ...

    def note(self, heard: Sequence[Heard]) -> None: ...


Transactions = Callable[[], AbstractAsyncContextManager[Unit]]
Listens = Callable[[], AbstractAsyncContextManager[Listening]]


class Contacts(Protocol):
    async def resolve(
        self, customers: Sequence[CustomerId], *, purpose: str, channel: str
    ) -> Mapping[CustomerId, Contact]:
        """Whether, where and by what name each may be written to at this moment.

        Raises an `Unavailable` when nobody can tell: then nobody is written to.
        """


class Provider(Protocol):
    async def send(self, message_id: UUID, address: str, text: Text) -> None:
        """Hand a message over; the same id again changes nothing. Raises `Unavailable` when it can be tried again."""


class Renderer(Protocol):
    def check(self, text: Text) -> None:
        """Raises `InvalidTemplate` or `UnknownVariable`, pointing at subject or body."""

    def render(self, text: Text, values: Mapping[str, str | int | None]) -> Text:
        """Fill in the values. Raises `InvalidTemplate` when it asks for more than a template may."""
