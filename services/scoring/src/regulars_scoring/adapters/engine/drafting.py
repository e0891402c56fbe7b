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
from regulars_scoring.adapters.engine.cutting import tenths_between
from regulars_scoring.adapters.engine.fitting import SpendFit, fit_spend
from regulars_scoring.adapters.engine.gaps import cycles_of, gaps_of
from regulars_scoring.adapters.engine.occasions import NO_OCCASIONS, Occasions
from regulars_scoring.adapters.engine.outlook import outlook_of
from regulars_scoring.adapters.engine.placing import Axes, Places, axes_of, cuts_for, places_by
from regulars_scoring.adapters.engine.population import Floats, Ints, Population
from regulars_scoring.adapters.engine.slices import slices_of
from regulars_scoring.adapters.engine.tenths import tenths_of
from regulars_scoring.domain.choice import Asked as AskedModel
from regulars_scoring.domain.model import Bounds, Model
from regulars_scoring.domain.rfm_settings import DEFAULT_SETTINGS, RfmSettings
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
    rfm: RfmSettings = DEFAULT_SETTINGS


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
    segment: Sequence[str]

    def rows(self) -> Iterator[tuple[int | str, ...]]:
        """One row per customer: scores, decile, band, hundredths, value, segment."""
        whole = (self.recency, self.frequency, self.monetary, self.decile)
        rounded = (self.churn_hundredths, self.alive_hundredths, self.clv_major)
        for rows in slices_of(self.decile.size):
            yield from zip(
                *_lists(whole, rows), self.churn_band[rows], *_lists(rounded, rows), self.segment[rows], strict=True
            )


@dataclass(frozen=True, slots=True)
class _Values:
    alive: Floats
    churn_90: Floats
    expected: Floats
    clv: Floats


def draft(
    population: Population,
    asked: Asked,
    bands: Bands,
    occasions: Occasions = NO_OCCASIONS,
    axes: Axes | None = None,
) -> Drafts:
    """Raises `TooFewPurchases` and `FitFailed`. Without occasions models cannot be evaluated, and the first serves.

    `axes`: what RFM looks at; None: all history.
    """
    chosen = choose_model(population, occasions, asked.model)
    unit = float(10 ** currency_exponent(asked.currency))
    spending = fit_spend(population.x, population.repeat_minor / unit, population.total_minor / unit)
    values = _values(population, chosen, spending, asked.horizon_days, unit)
    axes = axes or axes_of(population)
    cuts, grid = cuts_for(axes, asked.rfm), asked.rfm.grid
    places = places_by(cuts, axes)
    model = Model(
        run_id=asked.run_id,
        as_of=asked.as_of,
        horizon_days=asked.horizon_days,
        currency=asked.currency,
        buying=chosen.serving,
        spending=spending.model,
        spend_model=spending.name,
        cuts=cuts,
        decile_bounds=tenths_between(values.clv),
        name=chosen.choice.served,
        window_days=asked.rfm.window_days,
        grid=grid,
        cycles=cycles_of(gaps_of(occasions), places.segments(grid), grid.segments),
    )
    return _drafts(model, population, values, places, bands, (chosen, spending))


def _values(population: Population, chosen: Chosen, spending: SpendFit, horizon: int, unit: float) -> _Values:
    outlook = outlook_of(chosen.serving, population.x, population.t_x, population.T)
    spend = kernels.expected_spend(spending.model, population.x, population.repeat_minor, unit)
    return _Values(
        alive=outlook.alive,
        churn_90=outlook.churn(PUBLISHED_HORIZON_DAYS),
        expected=outlook.purchases(float(horizon)),
        clv=spend * outlook.purchases_within_a_year(),
    )


def _drafts(
    model: Model,
    population: Population,
    values: _Values,
    places: Places,
    bands: Bands,
    fits: tuple[Chosen, SpendFit],
) -> Drafts:
    decile = _deciles_of(model.decile_bounds, values.clv)
    churn = np.rint(100.0 * values.churn_90).astype(np.int64)
    names = np.array([bands.of(hundredth) for hundredth in range(101)])
    segment = np.array(model.grid.segments, dtype=object)[places.segments(model.grid)].tolist()
    report = _report(model, population, values, fits, decile)
    return Drafts(
        model=model,
        report={
            **report,
            "rfm_segments": _counts(segment),
            "churn_bands": _counts(names[churn].tolist()),
        },
        recency=places.recency,
        frequency=places.frequency,
        monetary=places.monetary,
        decile=decile,
        churn_band=names[churn].tolist(),
        churn_hundredths=churn,
        alive_hundredths=np.rint(100.0 * values.alive).astype(np.int64),
        clv_major=np.minimum(np.rint(values.clv), 1e12).astype(np.int64),
        segment=segment,
    )


def _deciles_of(bounds: Bounds, values: Floats) -> Ints:
    """As `domain.model.decile_of`."""
    decile = np.ones(values.size, np.int64)
    for bound in bounds:
        decile += 1 if bound is None else values < bound
    return decile


def _report(
    model: Model, population: Population, values: _Values, fits: tuple[Chosen, SpendFit], decile: Ints
) -> dict[str, object]:
    chosen, spending = fits
    tenths = tenths_of(decile, population.total_minor, values.clv)
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
        "deciles": [asdict(tenth) for tenth in tenths],
        "top_decile_revenue_share": next((each.revenue_share for each in tenths if each.decile == 1), None),
    }


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names))


def _lists(columns: Iterable[Ints], rows: slice) -> list[list[int]]:
    return [column[rows].tolist() for column in columns]
