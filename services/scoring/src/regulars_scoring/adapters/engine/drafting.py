"""A run's work over everybody: fit, place, draft the figures, and report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from uuid import UUID

import numpy as np

from regulars_kit.values import currency_exponent
from regulars_scoring.adapters.engine import kernels
from regulars_scoring.adapters.engine.fitting import BuyingFit, SpendFit, fit_buying, fit_spend
from regulars_scoring.adapters.engine.population import Floats, Ints, Population
from regulars_scoring.domain.model import Bounds, Model, decile_bounds_of
from regulars_scoring.domain.rfm import SCORES, Cuts, RfmCuts, cuts_of, segment_of
from regulars_scoring.domain.runs import Report
from regulars_scoring.domain.scoring import PUBLISHED_HORIZON_DAYS, Bands


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is asked for."""

    run_id: UUID
    as_of: date
    horizon_days: int
    currency: str


@dataclass(frozen=True, slots=True)
class Drafts:
    """Figures of all customers, in the order of the population; columns as the table of drafts has them."""

    model: Model
    report: Report
    recency: Ints
    frequency: Ints
    monetary: Ints
    decile: Ints
    churn_band: Sequence[str]
    churn_hundredths: Ints
    alive_hundredths: Ints
    clv_major: Ints

    def rows(self) -> Iterator[tuple[int | str, ...]]:
        """One row per customer: scores, decile, band, hundredths, value."""
        whole = (self.recency, self.frequency, self.monetary, self.decile)
        rounded = (self.churn_hundredths, self.alive_hundredths, self.clv_major)
        return zip(*_lists(whole), self.churn_band, *_lists(rounded), strict=True)


@dataclass(frozen=True, slots=True)
class _Values:
    alive: Floats
    churn_90: Floats
    expected: Floats
    clv: Floats


def draft(population: Population, asked: Asked, bands: Bands) -> Drafts:
    """Raises `TooFewPurchases` and `FitFailed`."""
    buying = fit_buying(population.x, population.t_x, population.T)
    unit = float(10 ** currency_exponent(asked.currency))
    spending = fit_spend(population.x, population.repeat_minor / unit, population.total_minor / unit)
    values = _values(population, buying, spending, asked.horizon_days, unit)
    axes = _axes(population)
    cuts = RfmCuts(*(cuts_of(axis.tolist()) for axis in axes))
    bounds = decile_bounds_of(values.clv.tolist())
    model = Model(
        run_id=asked.run_id,
        as_of=asked.as_of,
        horizon_days=asked.horizon_days,
        currency=asked.currency,
        buying=buying.model,
        spending=spending.model,
        spend_model=spending.name,
        cuts=cuts,
        decile_bounds=bounds,
    )
    return _drafts(model, population, values, axes, bands, (buying, spending))


def _values(population: Population, buying: BuyingFit, spending: SpendFit, horizon: int, unit: float) -> _Values:
    model, x, T = buying.model, population.x, population.T
    pair_x, pair_T, places = kernels.pairs_of(population)
    alive = kernels.p_alive(model, x, population.t_x, T)
    spend = kernels.expected_spend(spending.model, x, population.repeat_minor / unit)
    return _Values(
        alive=alive,
        churn_90=kernels.churn(model, x, alive, T, PUBLISHED_HORIZON_DAYS),
        expected=alive * kernels.expected_if_alive(model, pair_x, pair_T, float(horizon))[places],
        clv=spend * alive * kernels.discounted_purchases(model, pair_x, pair_T)[places],
    )


def _axes(population: Population) -> tuple[Ints, Ints, Ints]:
    """Recency as negated days, frequency, monetary value: more is better on each."""
    return population.t_x - population.T, population.x + 1, population.total_minor


def _drafts(
    model: Model,
    population: Population,
    values: _Values,
    axes: tuple[Ints, Ints, Ints],
    bands: Bands,
    fits: tuple[BuyingFit, SpendFit],
) -> Drafts:
    cuts = (model.cuts.recency, model.cuts.frequency, model.cuts.monetary)
    recency, frequency, monetary = (_scores(cut, axis) for cut, axis in zip(cuts, axes, strict=True))
    decile = _deciles_of(model.decile_bounds, values.clv)
    churn = np.rint(100.0 * values.churn_90).astype(np.int64)
    names = np.array([bands.of(hundredth) for hundredth in range(101)])
    report = _report(model, population, values, fits, decile)
    return Drafts(
        model=model,
        report={
            **report,
            "rfm_segments": _segments(recency, frequency),
            "churn_bands": _counts(names[churn].tolist()),
        },
        recency=recency,
        frequency=frequency,
        monetary=monetary,
        decile=decile,
        churn_band=names[churn].tolist(),
        churn_hundredths=churn,
        alive_hundredths=np.rint(100.0 * values.alive).astype(np.int64),
        clv_major=np.minimum(np.rint(values.clv), 1e12).astype(np.int64),
    )


def _deciles_of(bounds: Bounds, values: Floats) -> Ints:
    """As `domain.model.decile_of`."""
    decile = np.ones(values.size, np.int64)
    for bound in bounds:
        decile += 1 if bound is None else values < bound
    return decile


def _scores(cuts: Cuts, values: Ints) -> Ints:
    """As `domain.rfm.score_by`."""
    score = np.ones(values.size, np.int64)
    for cut in cuts:
        if cut is not None:
            score += values >= cut
    return score


def _report(
    model: Model, population: Population, values: _Values, fits: tuple[BuyingFit, SpendFit], decile: Ints
) -> dict[str, object]:
    buying, spending = fits
    deciles = _deciles(population, values, decile)
    return {
        "customers": population.size,
        "repeat_customers": population.repeaters,
        "currency": model.currency,
        "value_of": "revenue",
        "buying": {
            "model": model.name,
            "parameters": asdict(model.buying),
            "log_likelihood": buying.log_likelihood,
            "steps": buying.steps,
            "is_degenerate": bool(buying.degeneracies),
            "degeneracies": list(buying.degeneracies),
        },
        "spending": {
            "model": spending.name,
            "parameters": asdict(spending.model),
            "log_likelihood": spending.log_likelihood,
            "customers": spending.customers,
            "correlation": spending.correlation,
            "refusal": spending.refusal,
        },
        "expected_purchases": float(values.expected.sum()),
        "expected_value_major": float(values.clv.sum()),
        "deciles": deciles,
        "top_decile_revenue_share": next(iter(d["revenue_share"] for d in deciles if d["decile"] == 1), None),
    }


def _deciles(population: Population, values: _Values, decile: Ints) -> list[dict[str, float | int | None]]:
    revenue = int(population.total_minor.sum())
    found: list[dict[str, float | int | None]] = []
    for place in np.unique(decile).tolist():
        inside = decile == place
        minor = int(population.total_minor[inside].sum())
        found.append(
            {
                "decile": place,
                "customers": int(inside.sum()),
                "revenue_minor": minor,
                "revenue_share": minor / revenue if revenue > 0 else None,
                "expected_value_major": float(values.clv[inside].sum()),
            }
        )
    return found


def _segments(recency: Ints, frequency: Ints) -> dict[str, int]:
    cells = np.bincount(recency * (SCORES + 1) + frequency, minlength=(SCORES + 1) ** 2).tolist()
    counts: Counter[str] = Counter()
    for place, customers in enumerate(cells):
        if customers:
            counts[segment_of(*divmod(place, SCORES + 1))] += customers
    return dict(counts)


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names))


def _lists(columns: Iterable[Ints]) -> list[list[int]]:
    return [column.tolist() for column in columns]
