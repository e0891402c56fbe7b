"""Scores of a file of purchases past one machine: as `files` has it, by Spark.

Spark reads, groups, places and writes. To this process come back how many customers are alike in what a fit looks at,
and a sample for the hold-outs; back go parameters, and what is foretold of all who are alike. Heavy, as `files` is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from regulars_kit.values import currency_exponent, new_id
from regulars_scoring.adapters.engine.baselines import own_rate, table_of_silence
from regulars_scoring.adapters.engine.candidates import Chosen, choose_among, fit_all
from regulars_scoring.adapters.engine.counting import counted
from regulars_scoring.adapters.engine.evaluation import MOST_CUSTOMERS, baselines_by_name, evaluate, window_for
from regulars_scoring.adapters.engine.fitting import SpendFit, fit_repeat_spend, pooled_mean
from regulars_scoring.adapters.engine.gaps import cycles_of_counts
from regulars_scoring.adapters.engine.occasions import occasions_of
from regulars_scoring.adapters.engine.outlook import outlook_of
from regulars_scoring.adapters.engine.placing import scores_by, segments_by
from regulars_scoring.adapters.engine.spread import count_cells
from regulars_scoring.adapters.files import customers
from regulars_scoring.adapters.files.ledger import Ledger
from regulars_scoring.adapters.files.spark import scores, tables
from regulars_scoring.adapters.files.spark.bench import SparkBench
from regulars_scoring.adapters.files.spark.cycles import flag_overdue, gaps_alike
from regulars_scoring.adapters.files.spark.reading import ledger_on_spark
from regulars_scoring.adapters.files.spark.scores import Group
from regulars_scoring.adapters.files.spark.session import a_session
from regulars_scoring.adapters.files.spark.tables import Alike
from regulars_scoring.adapters.files.spark.targets import check_folder
from regulars_scoring.adapters.files.statements import Column
from regulars_scoring.adapters.files.targets import check_targets
from regulars_scoring.domain.cohorts import span_for, triangle_of
from regulars_scoring.domain.findings import Findings, SegmentCount, Tenth
from regulars_scoring.domain.grid import DEFAULT_GRID
from regulars_scoring.domain.model import MBG_NBD, Model
from regulars_scoring.domain.plain_words import notes_of
from regulars_scoring.domain.rfm import RfmCuts, cuts_of_counts
from regulars_scoring.files import (
    HORIZONS,
    NOT_ASKED,
    Looked,
    Order,
    Tell,
    day_for,
    look_back,
    rows_found,
    write_report,
)


def score_on_spark(order: Order, tell: Tell) -> Findings:
    """As `score_file`; scores and rejects are folders of files. Raises the same."""
    check_targets(order.asking.path, order.out, order.report, order.rejects, are_folders=True)
    for folder in (order.out, order.rejects):
        if folder is not None:
            check_folder(folder)
    with a_session() as bench:
        tell("reading", 0.0)
        book = ledger_on_spark(bench, order.asking, order.rejects)
        findings = _scored(bench, book, day_for(order, book), order, tell)
    write_report(findings, order, tell)
    return findings


def _scored(bench: SparkBench, book: Ledger, as_of: date, order: Order, tell: Tell) -> Findings:
    everybody, never_kept = customers.gather(bench, as_of)
    tell("fitting", 0.0)
    people = tables.alike(bench, as_of)
    tables.take_sample(bench, everybody, MOST_CUSTOMERS)
    unit = 10 ** currency_exponent(book.currency)
    chosen, spending = _chosen(bench, people, book, as_of), _spending(bench, unit)
    tell("scoring", 0.0)
    cuts = _rfm_cuts(bench, people)
    foretold = _foretold(people, chosen, cuts, order.horizon_days)
    scores.value_all(bench, foretold, spending.model, unit)
    model = Model(
        run_id=new_id(),
        as_of=as_of,
        horizon_days=order.horizon_days,
        currency=book.currency,
        buying=chosen.serving,
        spending=spending.model,
        spend_model=spending.name,
        cuts=cuts,
        decile_bounds=scores.decile_bounds(bench, everybody),
        name=chosen.choice.served,
        cycles=cycles_of_counts(*gaps_alike(bench, as_of)),
    )
    scores.place_all(bench, cuts.monetary, model.decile_bounds)
    flag_overdue(bench, model.cycles)
    tell("writing", 0.0)
    scores.write_scores_on_spark(bench, _columns(foretold), unit, order.out)
    notes = notes_of(model.name, _degeneracies(chosen), spending.refusal)
    cells = count_cells(foretold["r_score"], foretold["f_score"], people.customers)
    looked: Looked = None, NOT_ASKED
    if order.report is not None:
        tell("looking back", 0.0)
        looked = look_back(bench, book, as_of, model, "sample")
    return _findings(bench, book, order, model, _Counts(people, never_kept, notes, cells), looked)


@dataclass(frozen=True, slots=True)
class _Counts:
    people: Alike
    never_kept: int
    notes: tuple[str, ...]
    cells: Mapping[tuple[int, int], int]


def _findings(bench: SparkBench, book: Ledger, order: Order, model: Model, counts: _Counts, looked: Looked) -> Findings:
    span, people = span_for(book.first_day, model.as_of), counts.people
    groups = scores.groups(bench)
    return Findings(
        file=order.asking.path.name,
        read_as=book.read_as,
        rows=rows_found(bench, book, model.as_of),
        first_day=book.first_day,
        horizon_days=order.horizon_days,
        customers=int(people.customers.sum()),
        repeat_customers=int(people.customers[people.x > 0].sum()),
        never_kept=counts.never_kept,
        model=model,
        notes=counts.notes,
        cells=counts.cells,
        segments=_segments(groups),
        tenths=_tenths(groups),
        triangle=triangle_of(customers.cohorts(bench, span, model.as_of), span, model.as_of),
        hindsight=looked[0],
        no_hindsight=looked[1],
    )


def _chosen(bench: SparkBench, people: Alike, book: Ledger, as_of: date) -> Chosen:
    """As `choose_model` everybody, without a column of them."""
    window = window_for((as_of - book.first_day).days)
    silences = tables.silences(bench, as_of - timedelta(days=window), as_of)
    baselines = baselines_by_name(
        own_rate(people.x, people.T, people.customers), lambda groups: table_of_silence(*silences, window, groups)
    )
    evaluation = evaluate(occasions_of(*tables.occasions(bench, as_of)))
    fitted = fit_all(people.x, people.t_x, people.T, people.customers)
    return choose_among(fitted, baselines, evaluation, "auto")


def _spending(bench: SparkBench, unit: int) -> SpendFit:
    x, repeat_minor, alike = tables.repeat_spends(bench)
    total, occasions = bench.row("SELECT sum(total_minor), sum(x + 1) FROM customers")
    return fit_repeat_spend(x, repeat_minor / unit, pooled_mean(total / unit, occasions), alike)


def _rfm_cuts(bench: SparkBench, people: Alike) -> RfmCuts:
    recency, frequency = (
        cuts_of_counts(counted(values, people.customers)) for values in (people.t_x - people.T, people.x + 1)
    )
    return RfmCuts(recency, frequency, scores.monetary_cuts(bench, int(people.customers.sum())))


def _foretold(people: Alike, chosen: Chosen, cuts: RfmCuts, horizon_days: int) -> dict[str, Column]:
    """The columns of the scores that depend on x, t_x and T alone, and what the value takes besides."""
    outlook = outlook_of(chosen.serving, people.x, people.t_x, people.T)
    segments = np.array(DEFAULT_GRID.segments, dtype=object)
    recency, frequency = scores_by(cuts.recency, people.t_x - people.T), scores_by(cuts.frequency, people.x + 1)
    return {
        "x": people.x,
        "t_x": people.t_x,
        "T": people.T,
        "r_score": recency,
        "f_score": frequency,
        "segment": segments[segments_by(DEFAULT_GRID, recency, frequency)],
        "p_alive": outlook.alive,
        f"churn_{horizon_days}": outlook.churn(horizon_days),
        **{f"expected_purchases_{days}": outlook.purchases(float(days)) for days in HORIZONS},
        scores.WITHIN_A_YEAR: outlook.purchases_within_a_year(),
    }


def _columns(foretold: Mapping[str, Column]) -> list[str]:
    """The names as `files` has them, in its order."""
    names = [name for name in foretold if name not in ("x", "t_x", "T", scores.WITHIN_A_YEAR)]
    place = names.index("segment")
    names[place : place + 1] = ["m_score", "segment", "is_overdue"]
    return [*names, "expected_spend", "clv", "decile"]


def _degeneracies(chosen: Chosen) -> tuple[str, ...]:
    fit = chosen.fits.get(MBG_NBD)
    return fit.degeneracies if fit else ()


def _segments(groups: Sequence[Group]) -> tuple[SegmentCount, ...]:
    found = []
    for name in DEFAULT_GRID.segments:
        inside = [group for group in groups if group.segment == name]
        revenue, clv = sum(group.total_minor for group in inside), sum(group.clv for group in inside)
        found.append(SegmentCount(name, sum(group.customers for group in inside), revenue, float(clv)))
    return tuple(found)


def _tenths(groups: Sequence[Group]) -> tuple[Tenth, ...]:
    revenue = sum(group.total_minor for group in groups)
    found = []
    for decile in sorted({group.decile for group in groups}):
        inside = [group for group in groups if group.decile == decile]
        minor, clv = sum(group.total_minor for group in inside), sum(group.clv for group in inside)
        share = minor / revenue if revenue > 0 else None
        found.append(Tenth(decile, sum(group.customers for group in inside), minor, share, clv))
    return tuple(found)
