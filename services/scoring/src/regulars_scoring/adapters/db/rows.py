"""Between rows and the domain's values."""

from __future__ import annotations

from collections.abc import Sequence

from regulars_scoring.adapters.db.session import Row
from regulars_scoring.application.ports import Customer, HistoryEntry
from regulars_scoring.domain.costs import LineCosts
from regulars_scoring.domain.facts import CustomerScored
from regulars_scoring.domain.grid import DEFAULT_GRID
from regulars_scoring.domain.purchases import Purchase, Return
from regulars_scoring.domain.rfm import Cell
from regulars_scoring.domain.runs import Run
from regulars_scoring.domain.scoring import Figures
from regulars_scoring.domain.state import BuyingState

FIGURES = (
    "recency",
    "frequency",
    "monetary",
    "decile",
    "churn_band",
    "churn_hundredths",
    "alive_hundredths",
    "clv_major",
    "segment",
)
"""The columns of published figures, in every table that has them."""


def figures_in(row: Row, prefix: str = "") -> Figures | None:
    """The row's figures, from columns that begin with `prefix`; None where it has none."""
    recency, frequency, monetary, *others = (row[prefix + name] for name in FIGURES)
    if recency is None:
        return None
    # Rows of earlier versions name no segment: there was one grid for all.
    others[-1] = others[-1] or DEFAULT_GRID.segment_of(recency, frequency)
    return Figures(Cell(recency, frequency, monetary), *others)


def values_of(figures: Figures) -> tuple[int | str, ...]:
    """The figures in the order of `FIGURES`."""
    cell = figures.cell
    return (
        cell.recency,
        cell.frequency,
        cell.monetary,
        figures.decile,
        figures.churn_band,
        figures.churn_hundredths,
        figures.alive_hundredths,
        figures.clv_major,
        figures.segment,
    )


def columns_of(scored: Sequence[CustomerScored]) -> list[list[object]]:
    """One list per column of `FIGURES`, as a statement over arrays wants them."""
    rows = [values_of(each.figures) for each in scored]
    return [list(column) for column in zip(*rows, strict=True)]


def customer_in(row: Row) -> Customer:
    state = BuyingState(row["occasions"], row["total_minor"], row["first_day"], row["last_day"], row["first_net_minor"])
    return Customer(row["id"], state, figures_in(row), row["version"])


def purchase_in(row: Row) -> Purchase:
    return Purchase(
        row["customer_id"],
        row["day"],
        row["currency"],
        row["total_minor"],
        row["returned_minor"],
        row["is_returned"],
        row["is_voided"],
        row["programme"],
        LineCosts(row["costed_minor"] or 0, row["cost_minor"] or 0),
        row["earned"],
        LineCosts(row["returned_costed_minor"], row["returned_cost_minor"]),
        row["taken_back"],
    )


def unmatched_return_in(row: Row) -> Return:
    """Of no known purchase: what else such a return tells stays in its row."""
    return Return(row["return_id"], None, row["customer_id"], row["day"], row["currency"], row["amount_minor"])


def history_entry_in(row: Row) -> HistoryEntry:
    figures = figures_in(row)
    assert figures is not None
    scored = CustomerScored(
        row["customer_id"], row["run_id"], row["as_of"], row["scored_at"], row["model"], figures, row["currency"]
    )
    return HistoryEntry(row["id"], scored)


def run_in(row: Row) -> Run:
    return Run(
        id=row["id"],
        job_id=row["job_id"],
        state=row["state"],
        as_of=row["as_of"],
        horizon_days=row["horizon_days"],
        asked_model=row["asked_model"],
        created_at=row["created_at"],
        completed_at=row["completed_at"],
        customers=row["customers"],
        published=row["published"],
        alarms=row["alarms"],
        failure_code=row["failure_code"],
        failure_detail=row["failure_detail"],
        report=row["report"],
    )
