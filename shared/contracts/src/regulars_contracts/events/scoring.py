"""What the scoring service announces: figures as they are published, rounded; models stay inside the service."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from annotated_types import Ge, Le
from pydantic import Strict

from regulars_contracts.events.base import Event, Part
from regulars_contracts.fields import Code, Currency, Day, Instant, Probability, Score, SequenceNo, Text

Decile = Annotated[int, Strict(), Ge(1), Le(10)]
KeptDays = Annotated[int, Strict(), Ge(0), Le(3650)]
WholeMajor = Annotated[int, Strict(), Ge(-(10**12)), Le(10**12)]


class RunCompleted(Event):
    """Everybody was scored anew. Keyed by the run's own id."""

    type: ClassVar[str] = "scoring.run_completed.v1"
    run_id: UUID
    as_of: Day
    """Purchases after this day were ignored."""
    model: Code
    """What serves from now on: `mbg_nbd`, or a baseline."""
    customers: SequenceNo
    """How many customers have a score."""
    completed_at: Instant


class RfmCell(Part):
    """A customer's place among all customers."""

    recency: Score
    frequency: Score
    monetary: Score


class CustomerScored(Event):
    """The published figures of a customer, said again whenever one of them changes."""

    type: ClassVar[str] = "scoring.customer_scored.v1"
    customer_id: UUID
    run_id: UUID
    """The run whose cuts and parameters were used."""
    as_of: Day
    scored_at: Instant
    model: Code
    rfm: RfmCell
    rfm_segment: Text
    """The segment of the RFM cell, as the grid names it: `champions`, `at risk`."""
    decile: Decile
    """By expected value; 1 is the best tenth."""
    churn_band: Code
    """`low`, `medium` or `high`."""
    churn_90: Probability
    """Of no purchase within the next 90 days."""
    p_alive: Probability
    clv_major: WholeMajor
    """Expected value over the next twelve months in whole units of `currency`."""
    currency: Currency


class ChurnRiskRaised(Event):
    """A customer entered the high churn band. Said again only after they have left it."""

    type: ClassVar[str] = "scoring.churn_risk_raised.v1"
    customer_id: UUID
    run_id: UUID
    churn_90: Probability
    raised_at: Instant


class ErasureCompleted(Event):
    """The receipt of an erasure: of what scoring keeps, nothing bears the customer's id, and nothing will, but for the
    list of ids that it takes no more of.
    """

    type: ClassVar[str] = "scoring.erasure_completed.v1"
    customer_id: UUID
    completed_at: Instant
    events_kept_days: KeptDays
    """What was said of the customer before is in the outbox and on the topic for so many days more at the most; an
    event that could not be handled is among the dead letters for as long from the day it came.
    """


EVENTS: tuple[type[Event], ...] = (RunCompleted, CustomerScored, ChurnRiskRaised, ErasureCompleted)
