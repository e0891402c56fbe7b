"""Scores of a file of purchases, without any service: reading, fit, scores, hindsight, report, one after the other.

What `regulars score` runs. It is heavy (DuckDB, numpy, scipy) and no serving process imports it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import numpy as np

from regulars_kit.values import currency_exponent, new_id
from regulars_scoring.adapters.engine.drafting import Asked, Drafts, draft
from regulars_scoring.adapters.engine.expectations import expectations_of
from regulars_scoring.adapters.engine.gaps import are_overdue, gaps_of
from regulars_scoring.adapters.engine.hindsight import Aftermath, hindsight_of
from regulars_scoring.adapters.engine.occasions import Occasions, occasions_of
from regulars_scoring.adapters.engine.population import Population, population_of
from regulars_scoring.adapters.engine.spread import cells_of, remarks_of, segments_of
from regulars_scoring.adapters.engine.tenths import tenths_of
from regulars_scoring.adapters.files import customers, ledger
from regulars_scoring.adapters.files.asking import Asking
from regulars_scoring.adapters.files.bench import Bench, a_bench
from regulars_scoring.adapters.files.refusals import WrongUse
from regulars_scoring.adapters.files.scores import write_scores
from regulars_scoring.adapters.files.statements import Column, Statements
from regulars_scoring.adapters.files.targets import check_targets, write_page
from regulars_scoring.adapters.report.page import report_of
from regulars_scoring.domain.cohorts import span_for, triangle_of
from regulars_scoring.domain.findings import Findings, Rows
from regulars_scoring.domain.hindsight import Hindsight
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.refusals import FitFailed
from regulars_scoring.domain.scoring import Bands

HORIZONS = (30, 90, 365)
NOT_ASKED = "nobody asked for a report"

Step = Literal["reading", "fitting", "scoring", "writing", "looking back", "reporting"]
Tell = Callable[[Step, float], None]
"""Told what is being done, and how much of it is done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made of a file. `as_of` None: its last day, or today where that is earlier."""

    asking: Asking
    out: Path
    today: date
    as_of: date | None = None
    horizon_days: int = 90
    report: Path | None = None
    rejects: Path | None = None


def score_file(order: Order, tell: Tell) -> Findings:
    """Write the scores, the report and the rejects that are asked for, and say what was found.

    Raises `WrongUse` for files and options, `FitFailed` for purchases that no model can be fitted to: rejects are
    written all the same, for they may be why.
    """
    check_targets(order.asking.path, order.out, order.report, order.rejects)
    with a_bench() as bench:
        tell("reading", 0.0)
        book = ledger.ledger_of(bench, order.asking, lambda share: tell("reading", share))
        if order.rejects is not None:
            ledger.write_rejects(bench, book.table, book.rows, order.rejects)
        as_of = day_for(order, book)
        findings = _scored(bench, book, as_of, order, tell)
    write_report(findings, order, tell)
    return findings


def write_report(findings: Findings, order: Order, tell: Tell) -> None:
    """Where one was asked for."""
    if order.report is not None:
        tell("reporting", 0.0)
        write_page(report_of(findings), order.report)


def day_for(order: Order, book: ledger.Ledger) -> date:
    as_of = order.as_of or min(book.last_day, order.today)
    if as_of < book.first_day:
        raise WrongUse(f"the first purchase is of {book.first_day}, after {as_of}: give a later day by --as-of")
    return as_of


def _scored(bench: Bench, book: ledger.Ledger, as_of: date, order: Order, tell: Tell) -> Findings:
    everybody, never_kept = customers.gather(bench, as_of)
    population = population_of(*customers.states(bench, as_of))
    tell("fitting", 0.0)
    asked = Asked(new_id(), as_of, order.horizon_days, book.currency)
    occasions = occasions_of(*customers.occasions(bench, as_of))
    drafts = draft(population, asked, Bands(), occasions)
    tell("scoring", 0.0)
    figures = _figures(population, drafts, occasions)
    tell("writing", 0.0)
    unit = 10 ** currency_exponent(book.currency)
    write_scores(bench, figures, as_of.isoformat(), unit, order.out)
    looked: Looked = None, NOT_ASKED
    if order.report is not None:
        # A second fit takes as long as the first, and only the report shows what comes of it.
        tell("looking back", 0.0)
        looked = look_back(bench, book, as_of, drafts.model)
    span = span_for(book.first_day, as_of)
    return Findings(
        file=order.asking.path.name,
        read_as=book.read_as,
        rows=rows_found(bench, book, as_of),
        first_day=book.first_day,
        horizon_days=order.horizon_days,
        customers=everybody,
        repeat_customers=population.repeaters,
        never_kept=never_kept,
        model=drafts.model,
        notes=remarks_of(drafts),
        cells=cells_of(drafts),
        segments=segments_of(drafts, population, figures["clv"]),
        tenths=tenths_of(drafts.decile, population.total_minor, figures["clv"]),
        triangle=triangle_of(customers.cohorts(bench, span, as_of), span, as_of),
        hindsight=looked[0],
        no_hindsight=looked[1],
    )


def _figures(population: Population, drafts: Drafts, occasions: Occasions) -> dict[str, Column]:
    """The columns of the file of scores that are not states, in the order of the population."""
    expected = expectations_of(population, drafts.model, HORIZONS)
    silence = population.T - population.t_x
    return {
        "place": np.arange(population.size),
        "r_score": drafts.recency,
        "f_score": drafts.frequency,
        "m_score": drafts.monetary,
        "segment": np.array(drafts.segment, dtype=object),
        "is_overdue": are_overdue(gaps_of(occasions), silence, drafts.segment, drafts.model.cycles),
        "p_alive": expected.alive,
        f"churn_{drafts.model.horizon_days}": expected.churn,
        **{f"expected_purchases_{days}": purchases for days, purchases in expected.purchases.items()},
        "expected_spend": expected.spend,
        "clv": expected.clv,
        "decile": drafts.decile,
    }


def rows_found(bench: Statements, book: ledger.Ledger, as_of: date) -> Rows:
    without_money, converted = ledger.foreign_until(bench, book, as_of)
    return Rows(
        read=book.read,
        set_aside=book.set_aside,
        later=ledger.later_than(bench, as_of),
        returns=ledger.returns_until(bench, as_of),
        without_money=without_money,
        converted=converted,
    )


Looked = tuple[Hindsight | None, str | None]


def look_back(bench: Statements, book: ledger.Ledger, as_of: date, served: Model, days_of: str = "days") -> Looked:
    """What serves fitted to all but the last days of its horizon, and held against them; or why there is none.

    `days_of` as `customers.aftermath` has it.
    """
    days = served.horizon_days
    cut = as_of - timedelta(days=days)
    if (cut - book.first_day).days < days:
        return None, f"the purchases cover less than twice {days} days"
    after = customers.aftermath(bench, book.first_day, cut, as_of, days_of)
    before = population_of(*after.states)
    try:
        model = draft(before, Asked(new_id(), cut, days, book.currency, served.name), Bands()).model
    except FitFailed as failure:
        return None, f"{days} days ago there was too little to learn from ({failure.detail})"
    seen = Aftermath(after.bought, after.spent_minor, book.first_day, after.newcomers, after.repeats)
    return hindsight_of(before, model, seen), None
