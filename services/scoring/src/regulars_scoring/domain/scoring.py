"""A customer's score: what the models of the last run say of their buying state on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from regulars_kit.values import currency_exponent
from regulars_scoring.domain.gamma_gamma import expected_spend
from regulars_scoring.domain.model import Model, decile_of
from regulars_scoring.domain.rfm import Cell, Recent, cell_of
from regulars_scoring.domain.serving import (
    churn,
    expected_purchases,
    p_alive,
    purchases_forever,
    purchases_within_a_year,
)
from regulars_scoring.domain.state import BuyingState, Summary, summary_of

PUBLISHED_HORIZON_DAYS = 90
_LARGEST_MAJOR = 10**12


@dataclass(frozen=True, slots=True)
class Bands:
    """Churn below `medium` is low, from `high` on it is high."""

    medium: float = 0.3
    high: float = 0.6

    def of(self, churn_hundredths: int) -> str:
        """`low`, `medium` or `high`, by the figure as it is published."""
        if churn_hundredths >= round(100 * self.high):
            return HIGH
        return MEDIUM if churn_hundredths >= round(100 * self.medium) else LOW


LOW, MEDIUM, HIGH = BANDS = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Figures:
    """A score as it is published; it is said again when any of these changes. Probabilities in hundredths."""

    cell: Cell
    decile: int
    churn_band: str
    churn_hundredths: int
    alive_hundredths: int
    clv_major: int
    segment: str

    @property
    def is_high_risk(self) -> bool:
        return self.churn_band == HIGH


@dataclass(frozen=True, slots=True)
class Score:
    """A score in full. Spend and value in major units of the model's currency; `churn` is P(no purchase in H days)."""

    as_of: date
    cell: Cell
    segment: str
    decile: int
    p_alive: float
    churn_90: float
    churn: float
    expected_purchases: float
    expected_spend: float
    clv: float


def score(state: BuyingState, model: Model, as_of: date, recent: Recent | None = None) -> Score | None:
    """The customer's score on that day, or on their last occasion when that is later; None without occasions.

    `recent` is what lies in the window of a model whose RFM has one, up to the day of the score.
    """
    summary = summary_of(state, as_of)
    if summary is None:
        return None
    x, t_x, T = summary.x, summary.t_x, summary.T
    spend = _spend(summary, model)
    value = spend * purchases_within_a_year(model.buying, x, t_x, T)
    cell = _cell(summary, model, recent)
    return Score(
        as_of=max(as_of, state.last_day or as_of),
        cell=cell,
        segment=model.grid.segment_of(cell.recency, cell.frequency),
        decile=decile_of(model.decile_bounds, value),
        p_alive=p_alive(model.buying, x, t_x, T),
        churn_90=churn(model.buying, x, t_x, T, PUBLISHED_HORIZON_DAYS),
        churn=churn(model.buying, x, t_x, T, model.horizon_days),
        expected_purchases=expected_purchases(model.buying, x, t_x, T, model.horizon_days),
        expected_spend=spend,
        clv=value,
    )


def residual_value(state: BuyingState, model: Model, as_of: date) -> float | None:
    """Value of all purchases to come, discounted by 1 % a month, in major units; None where a baseline serves.

    Of the last occasion's day when that is later than `as_of`; None without occasions.
    """
    summary = summary_of(state, as_of)
    if summary is None:
        return None
    purchases = purchases_forever(model.buying, summary.x, summary.t_x, summary.T)
    return None if purchases is None else _spend(summary, model) * purchases


def figures_of(score: Score, bands: Bands) -> Figures:
    """The score rounded as it is published: probabilities to 0.01, value to whole major units."""
    churn_hundredths = round(100 * score.churn_90)
    return Figures(
        cell=score.cell,
        decile=score.decile,
        churn_band=bands.of(churn_hundredths),
        churn_hundredths=churn_hundredths,
        alive_hundredths=round(100 * score.p_alive),
        clv_major=min(round(score.clv), _LARGEST_MAJOR),
        segment=score.segment,
    )


def major(minor: int, currency: str) -> float:
    """Minor units as major ones: 1999 in EUR is 19.99."""
    return float(minor / 10 ** currency_exponent(currency))


def hundredths(number: int) -> str:
    """A probability as it is published: 42 is "0.42"."""
    return f"{number // 100}.{number % 100:02d}"


def _spend(summary: Summary, model: Model) -> float:
    return expected_spend(model.spending, summary.x, major(summary.repeat_minor, model.currency))


def _cell(summary: Summary, model: Model, recent: Recent | None) -> Cell:
    if model.window_days is None:
        recent = Recent(summary.x + 1, summary.total_minor)
    assert recent is not None
    return cell_of(model.cuts, summary.T - summary.t_x, recent.occasions, recent.net_minor)
