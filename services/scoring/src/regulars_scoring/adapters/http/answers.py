"""What clients get. Values and spend are in major units of `currency`, sums of past sales in minor ones."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from regulars_scoring.adapters.http.profits import NetValueOut, ProfitOut
from regulars_scoring.adapters.http.shape import Answer
from regulars_scoring.application.ports import HistoryEntry, Started
from regulars_scoring.application.read_score import LiveScore
from regulars_scoring.domain.choice import Asked
from regulars_scoring.domain.cycle import LimitOf, OwnCycle
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.rfm import Cell
from regulars_scoring.domain.runs import Report, Run, RunState
from regulars_scoring.domain.scoring import hundredths
from regulars_scoring.domain.state import BuyingState


class StateOut(Answer):
    """What the customer's purchases amount to. An occasion is a day with a purchase that was not wholly returned."""

    occasions: int
    first_day: date | None
    last_day: date | None
    total_minor: int

    @classmethod
    def of(cls, state: BuyingState) -> Self:
        return cls(
            occasions=state.occasions, first_day=state.first_day, last_day=state.last_day, total_minor=state.total_minor
        )


class CellOut(Answer):
    recency: int
    frequency: int
    monetary: int

    @classmethod
    def of(cls, cell: Cell) -> Self:
        return cls(recency=cell.recency, frequency=cell.frequency, monetary=cell.monetary)


class OwnCycleOut(Answer):
    """Whether the customer has stayed away for longer than usual: than nine tenths of the gaps between occasions were.

    Of their own gaps; with fewer than three, of all gaps of their segment's customers in the last run (`segment`);
    where the segment has none, of all customers' (`everybody`).
    """

    is_overdue: bool
    silence_days: int
    """Since the last occasion."""
    limit_days: int
    """The 90th percentile of the gaps; overdue is whose silence is longer."""
    limit_of: LimitOf

    @classmethod
    def of(cls, cycle: OwnCycle) -> Self:
        return cls(is_overdue=cycle.is_overdue, **asdict(cycle))


class ScoreOut(Answer):
    customer_id: UUID
    """The one that was asked for, or that which stands for it now."""
    as_of: date
    """The day at whose end the customer is looked at."""
    run_id: UUID
    """The run whose parameters, cuts and bounds were used."""
    model: str
    spend_model: str
    currency: str
    value_of: str = "revenue"
    """What `clv` counts."""
    state: StateOut
    rfm: CellOut
    rfm_segment: str
    decile: int
    """By expected value; 1 is the best tenth."""
    churn_band: str
    churn_90: float
    """Of no purchase within the next 90 days."""
    p_alive: float
    """Of not having left for good; where a baseline serves, of a purchase within 90 days."""
    horizon_days: int
    churn_horizon: float
    """Of no purchase within `horizon_days`."""
    expected_purchases: float
    """Within `horizon_days`."""
    expected_spend: float
    """On an occasion."""
    clv: float
    """Expected value over the next 12 months of 30 days, discounted by 1 % a month."""
    residual_value: float | None
    """Of all purchases to come, discounted at the same rate; null where a baseline serves."""
    own_cycle: OwnCycleOut | None
    """Null where nobody ever came twice."""
    historic: ProfitOut
    """What the customer has brought and cost until that day."""
    net_value: NetValueOut
    """What they are expected to bring once all of it is paid for."""

    @classmethod
    def of(cls, live: LiveScore) -> Self:
        score, model = live.score, live.model
        return cls(
            customer_id=live.customer_id,
            as_of=score.as_of,
            run_id=model.run_id,
            model=model.name,
            spend_model=model.spend_model,
            currency=model.currency,
            state=StateOut.of(live.state),
            rfm=CellOut.of(score.cell),
            rfm_segment=live.figures.segment,
            decile=score.decile,
            churn_band=live.figures.churn_band,
            churn_90=score.churn_90,
            p_alive=score.p_alive,
            horizon_days=model.horizon_days,
            churn_horizon=score.churn,
            expected_purchases=score.expected_purchases,
            expected_spend=score.expected_spend,
            clv=score.clv,
            residual_value=live.residual_value,
            own_cycle=None if live.own_cycle is None else OwnCycleOut.of(live.own_cycle),
            historic=ProfitOut.of(live.past.profit),
            net_value=NetValueOut.of(live.net_value),
        )


class PublishedOut(Answer):
    """Figures as they were published, rounded; probabilities as text."""

    customer_id: UUID
    """The id of the customer that they were published under."""
    scored_at: datetime
    as_of: date
    run_id: UUID
    model: str
    rfm: CellOut
    rfm_segment: str
    decile: int
    churn_band: str
    churn_90: str
    p_alive: str
    clv_major: int
    currency: str

    @classmethod
    def of(cls, entry: HistoryEntry) -> Self:
        scored, figures = entry.scored, entry.scored.figures
        return cls(
            customer_id=scored.customer_id,
            scored_at=scored.at,
            as_of=scored.as_of,
            run_id=scored.run_id,
            model=scored.model,
            rfm=CellOut.of(figures.cell),
            rfm_segment=figures.segment,
            decile=figures.decile,
            churn_band=figures.churn_band,
            churn_90=hundredths(figures.churn_hundredths),
            p_alive=hundredths(figures.alive_hundredths),
            clv_major=figures.clv_major,
            currency=scored.currency,
        )


class HistoryOut(Answer):
    items: list[PublishedOut]
    next_cursor: str | None = None


class StartedOut(Answer):
    """`GET /v1/jobs/{job_id}` tells how far it is, `GET /v1/scoring/runs/{run_id}` what came of it."""

    run_id: UUID
    job_id: str
    as_of: date

    @classmethod
    def of(cls, started: Started) -> Self:
        return cls(run_id=started.run_id, job_id=started.job_id, as_of=started.as_of)


class FailureOut(Answer):
    code: str
    detail: str


class RunOut(Answer):
    id: UUID
    job_id: str
    state: RunState
    as_of: date
    horizon_days: int
    asked_model: Asked
    created_at: datetime
    completed_at: datetime | None
    customers: int | None
    """Customers with a score; null until the models are fitted."""
    published: int
    """Customers whose published figures changed."""
    alarms: int
    """Customers who entered the high churn band."""
    failure: FailureOut | None
    """Why the previous scores were kept."""
    report: dict[str, Any] | None

    @classmethod
    def of(cls, run: Run) -> Self:
        failed = run.failure_code is not None
        return cls(
            id=run.id,
            job_id=run.job_id,
            state=run.state,
            as_of=run.as_of,
            horizon_days=run.horizon_days,
            asked_model=run.asked_model,
            created_at=run.created_at,
            completed_at=run.completed_at,
            customers=run.customers,
            published=run.published,
            alarms=run.alarms,
            failure=FailureOut(code=run.failure_code or "", detail=run.failure_detail or "") if failed else None,
            report=None if run.report is None else dict(run.report),
        )


class RunsOut(Answer):
    items: list[RunOut]
    next_cursor: str | None = None


class ModelOut(Answer):
    """What serves. Parameters in days and in major units; `null` among cuts and bounds: nobody is placed there."""

    run_id: UUID
    as_of: date
    model: str
    asked_model: Asked
    reason: str | None
    """Why it serves: `asked`, `evaluation`, `too_few_to_compare`, or `degenerate`: what else would have served is."""
    parameters: dict[str, float | int | list[float] | list[int]]
    standard_errors: dict[str, float] | None
    """Of the parameters; null of baselines."""
    is_degenerate: bool
    spend_model: str
    spend_parameters: dict[str, float]
    horizon_days: int
    currency: str
    rfm_cuts: dict[str, list[int | None]]
    """Least value that scores 2, 3, 4, 5 on each axis; recency in days since the last occasion, negated."""
    rfm_nested_cuts: dict[str, Any] | None
    """In force instead where RFM is nested: of frequency by recency's score, of monetary value by both scores."""
    decile_bounds: list[float | None]
    fits: dict[str, Any] | None
    """Every model fitted: parameters, standard errors, and the boundaries its fit ended at, if any."""
    evaluation: dict[str, Any] | None
    """How models and baselines did in rolling hold-outs, the best first: of everybody, and of one-time buyers."""

    @classmethod
    def of(cls, model: Model, run: Run) -> Self:
        spending, cuts, report = model.spending, model.cuts, run.report or {}
        buying, choice = _part(report, "buying") or {}, _part(report, "choice") or {}
        return cls(
            run_id=model.run_id,
            as_of=model.as_of,
            model=model.name,
            asked_model=run.asked_model,
            reason=choice.get("reason"),
            parameters=_listed(asdict(model.buying)),
            standard_errors=buying.get("standard_errors"),
            is_degenerate=bool(buying.get("is_degenerate")),
            spend_model=model.spend_model,
            spend_parameters={"p": spending.p, "q": spending.q, "v": spending.v},
            horizon_days=model.horizon_days,
            currency=model.currency,
            rfm_cuts={axis: list(getattr(cuts, axis)) for axis in ("recency", "frequency", "monetary")},
            rfm_nested_cuts=None if cuts.nested is None else asdict(cuts.nested),
            decile_bounds=list(model.decile_bounds),
            fits=_part(report, "fits"),
            evaluation=_part(report, "evaluation"),
        )


def _part(report: Report, name: str) -> dict[str, Any] | None:
    """A part of the report; None in those of earlier versions, which had fewer."""
    part = report.get(name)
    return part if isinstance(part, dict) else None


def _listed(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in parameters.items()}
