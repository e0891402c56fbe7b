"""Which figures are set beside each other, as JSON for programs and as a table for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from purchase_path.house import BATCH, BATCH_CLIENTS
from purchase_path.measuring import Reading, Readings

MOST_P99_MS = 100
"""At 32 clients."""


@dataclass(frozen=True, slots=True)
class Case:
    """`ours` and `peer` name contenders. `least_ratio` is the bar, None where there is none."""

    name: str
    ours: str
    peer: str
    told: str
    least_ratio: float | None = None


CASES = (
    Case("single_1", "ours_1", "pgbench_1", "one client, beside pgbench with one"),
    Case("single_8", "ours_8", "pgbench_8", "8 clients, beside pgbench with 8"),
    Case("single_32", "ours_32", "pgbench_32", "32 clients, beside pgbench with 32", 0.5),
    Case("single_64", "ours_64", "pgbench_64", "64 clients, beside pgbench with 64"),
    Case("hot_32", "ours_hot", "ours_32", "32 clients on one card, beside our own single_32", 0.3),
    Case(
        "batch",
        "ours_batch",
        "pgbench_batch",
        f"{BATCH} purchases a request, beside pgbench with {BATCH} a transaction, {BATCH_CLIENTS} clients each",
        0.3,
    ),
    Case("orm_32", "ours_32", "orm", "32 clients, beside an ORM endpoint writing the same rows", 5),
    Case("empty_32", "ours_32", "empty", "32 clients, beside a FastAPI endpoint that does nothing"),
)

Row = dict[str, str | float | list[float] | None]


def rows_of(readings: Readings) -> list[Row]:
    """One row a case: medians over the rounds, with the lowest and the highest. The ratio is that of the medians,
    its spread that of the rounds' own ratios."""
    return [_row(case, readings[case.ours], readings[case.peer]) for case in CASES]


def _row(case: Case, ours: Sequence[Reading], peer: Sequence[Reading]) -> Row:
    ours_per_s, peer_per_s = ([reading.per_s for reading in readings] for readings in (ours, peer))
    ratios = [each / other for each, other in zip(ours_per_s, peer_per_s, strict=True)]
    return {
        "case": case.name,
        "ours": round(median(ours_per_s), 1),
        "peer": round(median(peer_per_s), 1),
        "ratio": round(median(ours_per_s) / median(peer_per_s), 3),
        "unit": "purchases/s",
        "p50_ms": _median_ms(ours, lambda reading: reading.p50_ms),
        "p99_ms": _median_ms(ours, lambda reading: reading.p99_ms),
        "bar": case.least_ratio,
        "ours_spread": _spread(ours_per_s, 1),
        "peer_spread": _spread(peer_per_s, 1),
        "ratio_spread": _spread(ratios, 3),
    }


def _median_ms(readings: Sequence[Reading], of: Callable[[Reading], float | None]) -> float | None:
    known = [value for reading in readings if (value := of(reading)) is not None]
    return round(median(known), 2) if known else None


def _spread(values: Sequence[float], digits: int) -> list[float]:
    return [round(min(values), digits), round(max(values), digits)]


def print_table(console: Console, rows: Sequence[Row], written: Mapping[str, tuple[float, float]]) -> None:
    table = Table(title="Purchases a second: medians (lowest–highest round)", title_justify="left")
    for head in ("case", "ours", "peer", "ratio", "bar", "p50 ms", "p99 ms"):
        table.add_column(head, justify="left" if head == "case" else "right", no_wrap=True)
    for case, row in zip(CASES, rows, strict=True):
        table.add_row(
            case.name,
            _with_spread(row["ours"], row["ours_spread"], "{:,.0f}"),
            _with_spread(row["peer"], row["peer_spread"], "{:,.0f}"),
            _with_spread(row["ratio"], row["ratio_spread"], "{:.2f}"),
            _judged(row),
            _milliseconds(row["p50_ms"]),
            _milliseconds(row["p99_ms"]),
        )
    console.print(table)
    for case in CASES:
        console.print(f"{case.name}: {case.told}", highlight=False)
    for name, (count, size) in written.items():
        console.print(
            f"{name}: a purchase adds {count:.2f} rows of {size:,.0f} bytes and updates its account", highlight=False
        )


def _with_spread(value: object, spread: object, form: str) -> str:
    assert isinstance(spread, list)
    low, high = (form.format(each) for each in spread)
    return f"{form.format(value)} ({low}–{high})"


def _judged(row: Row) -> str:
    bar, ratio = row["bar"], row["ratio"]
    if not isinstance(bar, int | float) or not isinstance(ratio, int | float):
        return ""
    return f"[green]≥ {bar:g}[/green]" if ratio >= bar else f"[red]under {bar:g}[/red]"


def _milliseconds(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, int | float) else ""
