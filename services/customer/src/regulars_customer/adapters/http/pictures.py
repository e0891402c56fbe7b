"""The picture of a customer as it is answered: each part with its age, or with the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, Literal, Self, TypedDict, TypeVar
from uuid import UUID

from pydantic import BaseModel

from regulars_customer.adapters.http.answers import ConsentOut, ConsentsOut, CustomerOut
from regulars_customer.application.ports import KnownPart
from regulars_customer.application.read_360 import Picture
from regulars_customer.domain.customer import Customer
from regulars_customer.domain.heard import PartKind
from regulars_customer.domain.life_cycle import LifeCycle, Stage
from regulars_customer.domain.timeline import Entry, Kind

Reason = Literal["no_purchase_yet", "no_points_yet", "no_tier_yet", "not_scored_yet", "in_no_segment_yet", "none_yet"]

Value = TypeVar("Value")


class _Age(TypedDict):
    as_of: datetime
    updated_at: datetime | None
    age_s: int


class PartOut(BaseModel, Generic[Value]):
    """`value` None: nobody has told of it yet, for the `reason`; nothing is made up.

    `as_of`: when the newest event about it was recorded where it happened; `updated_at`: when it reached us; `age_s`:
    whole seconds since `as_of`.
    """

    value: Value | None = None
    reason: Reason | None = None
    as_of: datetime | None = None
    updated_at: datetime | None = None
    age_s: int | None = None


class StageOut(BaseModel):
    """`since` in business time: of the purchase that led into the stage, or when the silence was long enough."""

    stage: Stage
    since: datetime


class PurchasesOut(BaseModel):
    """`net_minor` by currency: what was paid less what was given back. Voided purchases are not counted."""

    count: int
    net_minor: dict[str, int]
    first_at: datetime | None
    last_at: datetime | None


class BalanceOut(BaseModel):
    programme: str
    wallet: str
    spendable: int
    pending: int
    held: int
    debt: int


class TierOut(BaseModel):
    programme: str
    tier: str
    since: datetime
    kept_until: datetime | None


class RfmOut(BaseModel):
    recency: int
    frequency: int
    monetary: int


class ScoreOut(BaseModel):
    """RFM cell and segment, value (`decile`, `clv_major` over twelve months), churn; as scoring published them."""

    as_of: str
    model: str
    rfm: RfmOut
    rfm_segment: str
    decile: int
    churn_band: str
    churn_90: str
    p_alive: str
    clv_major: int
    currency: str


class SegmentOut(BaseModel):
    segment_id: UUID
    segment: str
    since: datetime


class EntryOut(BaseModel):
    """One line of the timeline. `figures` are those that the event published."""

    event_id: UUID
    kind: Kind
    occurred_at: datetime
    recorded_at: datetime
    figures: dict[str, Any]

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls(
            event_id=entry.event_id,
            kind=entry.kind,
            occurred_at=entry.occurred_at,
            recorded_at=entry.recorded_at,
            figures=dict(entry.figures),
        )


class TimelineOut(BaseModel):
    items: list[EntryOut]
    next_cursor: str | None = None


class PictureOut(BaseModel):
    """A customer from all sides."""

    customer: CustomerOut
    consents: list[ConsentOut]
    stage: PartOut[StageOut]
    purchases: PartOut[PurchasesOut]
    balances: PartOut[list[BalanceOut]]
    tiers: PartOut[list[TierOut]]
    score: PartOut[ScoreOut]
    segments: PartOut[list[SegmentOut]]
    messages: PartOut[list[EntryOut]]
    touches: PartOut[list[EntryOut]]

    @classmethod
    def of(cls, picture: Picture, now: datetime) -> Self:
        of_kind = {kind: [known for known in picture.parts if known.part.kind is kind] for kind in PartKind}
        told = _Telling(now)
        return cls(
            customer=CustomerOut.of(picture.customer),
            consents=ConsentsOut.of(picture.customer.consents).items,
            stage=told.stage(picture.customer, picture.life_cycle),
            purchases=told.purchases(picture.life_cycle),
            balances=told.all_of(BalanceOut, of_kind[PartKind.BALANCE], "no_points_yet"),
            tiers=told.all_of(TierOut, of_kind[PartKind.TIER], "no_tier_yet"),
            score=told.score(of_kind[PartKind.SCORE]),
            segments=told.segments(of_kind[PartKind.SEGMENT]),
            messages=told.entries(picture.messages),
            touches=told.entries(picture.touches),
        )


class _Telling:
    """Parts as they are told at one instant."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def stage(self, customer: Customer, life_cycle: LifeCycle | None) -> PartOut[StageOut]:
        """Whoever registered and bought nothing is a prospect since then: that much we know ourselves."""
        registered_at = customer.registered_at
        if life_cycle is None:
            value = StageOut(stage=Stage.PROSPECT, since=registered_at)
            return PartOut[StageOut](value=value, **self._age(registered_at, registered_at))
        value = StageOut(stage=life_cycle.stage, since=life_cycle.since or registered_at)
        return PartOut[StageOut](value=value, **self._age(life_cycle.as_of, life_cycle.updated_at))

    def purchases(self, life_cycle: LifeCycle | None) -> PartOut[PurchasesOut]:
        if life_cycle is None:
            return PartOut[PurchasesOut](reason="no_purchase_yet")
        history = life_cycle.history
        value = PurchasesOut(
            count=history.purchases,
            net_minor=dict(history.net_minor),
            first_at=history.first_at,
            last_at=history.last_at,
        )
        return PartOut[PurchasesOut](value=value, **self._age(life_cycle.as_of, life_cycle.updated_at))

    def score(self, parts: Sequence[KnownPart]) -> PartOut[ScoreOut]:
        if not parts:
            return PartOut[ScoreOut](reason="not_scored_yet")
        value = ScoreOut.model_validate(parts[0].part.figures)
        return PartOut[ScoreOut](value=value, **self._newest(parts))

    def segments(self, parts: Sequence[KnownPart]) -> PartOut[list[SegmentOut]]:
        """Those the customer is in now; an empty list when they have left all they were in."""
        if not parts:
            return PartOut[list[SegmentOut]](reason="in_no_segment_yet")
        value = [SegmentOut.model_validate(each.part.figures) for each in parts if each.part.figures["is_in"]]
        return PartOut[list[SegmentOut]](value=value, **self._newest(parts))

    def all_of(self, shape: type[Value], parts: Sequence[KnownPart], reason: Reason) -> PartOut[list[Value]]:
        if not parts:
            return PartOut(reason=reason)
        return PartOut(value=[shape(**each.part.figures) for each in parts], **self._newest(parts))

    def entries(self, entries: Sequence[Entry]) -> PartOut[list[EntryOut]]:
        if not entries:
            return PartOut[list[EntryOut]](reason="none_yet")
        told_at = max(entry.recorded_at for entry in entries)
        return PartOut[list[EntryOut]](value=[EntryOut.of(entry) for entry in entries], **self._age(told_at, None))

    def _newest(self, parts: Sequence[KnownPart]) -> _Age:
        return self._age(max(each.part.as_of for each in parts), max(each.updated_at for each in parts))

    def _age(self, as_of: datetime, updated_at: datetime | None) -> _Age:
        # Another machine's clock may be a little ahead of ours; nothing is younger than now.
        age_s = max(0, int((self._now - as_of).total_seconds()))
        return {"as_of": as_of, "updated_at": updated_at, "age_s": age_s}
