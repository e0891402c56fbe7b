"""Facts as the other services hear them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from regulars_contracts.envelope import encode, source_of
from regulars_contracts.events import Event
from regulars_contracts.events import scoring as said
from regulars_kit import outbox
from regulars_kit.bus import Message
from regulars_kit.values import new_id
from regulars_scoring.domain import facts
from regulars_scoring.domain.scoring import hundredths

SERVICE = "scoring"
TOPIC = "regulars.scoring"

Data = dict[str, object]


def message_of(fact: facts.Fact) -> Message:
    """The fact as an event on its way, keyed by its customer, a run by itself; each call makes another event id."""
    if isinstance(fact, facts.CustomerScored):
        return _message(said.CustomerScored, fact.customer_id, fact.at, _customer_scored(fact))
    if isinstance(fact, facts.ChurnRiskRaised):
        return _message(said.ChurnRiskRaised, fact.customer_id, fact.at, _churn_risk_raised(fact))
    if isinstance(fact, facts.ErasureCompleted):
        return _message(said.ErasureCompleted, fact.customer_id, fact.at, _erasure_completed(fact))
    return _message(said.RunCompleted, fact.run_id, fact.at, _run_completed(fact))


def _message(event: type[Event], key: UUID, at: datetime, data: Data) -> Message:
    event_id = new_id()
    # Written unchecked: a run says as much as all customers at once, and checking takes five times as long.
    body = encode(type=event.type, source=source_of(SERVICE), subject=key, id=event_id, time=at, data=data)
    return Message(event_id, event.type, str(key), body)


def _customer_scored(fact: facts.CustomerScored) -> Data:
    figures = fact.figures
    cell = figures.cell
    return {
        "customer_id": fact.customer_id,
        "run_id": fact.run_id,
        "as_of": fact.as_of,
        "scored_at": fact.at,
        "model": fact.model,
        "rfm": {"recency": cell.recency, "frequency": cell.frequency, "monetary": cell.monetary},
        "rfm_segment": figures.segment,
        "decile": figures.decile,
        "churn_band": figures.churn_band,
        "churn_90": hundredths(figures.churn_hundredths),
        "p_alive": hundredths(figures.alive_hundredths),
        "clv_major": figures.clv_major,
        "currency": fact.currency,
    }


def _churn_risk_raised(fact: facts.ChurnRiskRaised) -> Data:
    return {
        "customer_id": fact.customer_id,
        "run_id": fact.run_id,
        "churn_90": hundredths(fact.churn_hundredths),
        "raised_at": fact.at,
    }


def _run_completed(fact: facts.RunCompleted) -> Data:
    return {
        "run_id": fact.run_id,
        "as_of": fact.as_of,
        "model": fact.model,
        "customers": fact.customers,
        "completed_at": fact.at,
    }


def _erasure_completed(fact: facts.ErasureCompleted) -> Data:
    return {
        "customer_id": fact.customer_id,
        "completed_at": fact.at,
        "events_kept_days": outbox.KEEP_DAYS,
    }
