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
from regulars_scoring.adapters.engine.candidates import Chosen, choose_model, report_of_choice
from regulars_scoring.adapters.engine.fitting import SpendFit, fit_spend
from regulars_scoring.adapters.engine.occasions import NO_OCCASIONS, Occasions
from regulars_scoring.adapters.engine.outlook import outlook_of
from regulars_scoring.adapters.engine.population import Floats, Ints, Population
from regulars_scoring.domain.choice import Asked as AskedModel
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
    model: AskedModel = "auto"


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


def draft(population: Population, asked: Asked, bands: Bands, occasions: Occasions = NO_OCCASIONS) -> Drafts:
    """Raises `TooFewPurchases` and `FitFailed`. Without occasions models cannot be evaluated, and the first serves."""
    chosen = choose_model(population, occasions, asked.model)
    unit = float(10 ** currency_exponent(asked.currency))
    spending = fit_spend(population.x, population.repeat_minor / unit, population.total_minor / unit)
    values = _values(population, chosen, spending, asked.horizon_days, unit)
    axes = _axes(population)
    cuts = RfmCuts(*(cuts_of(axis.tolist()) for axis in axes))
    bounds = decile_bounds_of(values.clv.tolist())
    model = Model(
        run_id=asked.run_id,
        as_of=asked.as_of,
        horizon_days=asked.horizon_days,
        currency=asked.currency,
        buying=chosen.serving,
        spending=spending.model,
        spend_model=spending.name,
        cuts=cuts,
        decile_bounds=bounds,
        name=chosen.choice.served,
    )
    return _drafts(model, population, values, axes, bands, (chosen, spending))


def _values(population: Population, chosen: Chosen, spending: SpendFit, horizon: int, unit: float) -> _Values:
    outlook = outlook_of(chosen.serving, population.x, population.t_x, population.T)
    spend = kernels.expected_spend(spending.model, population.x, population.repeat_minor, unit)
    return _Values(
        alive=outlook.alive,
        churn_90=outlook.churn(PUBLISHED_HORIZON_DAYS),
        expected=outlook.purchases(float(horizon)),
        clv=spend * outlook.purchases_within_a_year(),
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
    fits: tuple[Chosen, SpendFit],
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
    model: Model, population: Population, values: _Values, fits: tuple[Chosen, SpendFit], decile: Ints
) -> dict[str, object]:
    chosen, spending = fits
    deciles = _deciles(population, values, decile)
    return {
        "customers": population.size,
        "repeat_customers": population.repeaters,
        "currency": model.currency,
        "value_of": "revenue",
        **report_of_choice(chosen, model.as_of),
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
