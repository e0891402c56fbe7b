"""The figures as JSON for programs and as a table for people, each beside its bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from chain_path.chain import Chain
from chain_path.hops import Waits
from purchase_path.measuring import Readings

MOST_P99_MS = {"to_segment": 2_000, "to_receiver": 3_000}
MOST_TILL_RATIO = 2
LEAST_NGINX_RATIO = 0.6

MEANINGS = {
    "to_scored": "from a purchase's commit until its customer is scored anew, for everybody to read",
    "to_segment": "… until the customer is in the segment",
    "to_receiver": "… until the partner is told of that",
    "purchase_to_receiver": "… until the partner is told of the purchase",
    "score_to_receiver": "… until the partner is told of the score",
    "till_alone": "the till's wait, from when a purchase was due, while nothing follows from purchases",
    "till_busy": "the same while all of it follows: its p99 beside till_alone's, at most double",
    "nginx_32": "32 tills through nginx, beside 32 at the loyalty service itself",
}

Row = dict[str, str | float | list[float] | None]


def rows_of_chain(way: str, chain: Chain, rate: float) -> list[Row]:
    """One row a hop, ours beside the purchases that were due each second; then the till's. `most_…` are the bars."""
    rows = [
        _row(f"{way}_{hop}", waits, waits.per_s, rate, "purchases/s") | {"most_p99_ms": MOST_P99_MS.get(hop)}
        for hop, waits in chain.hops.items()
    ]
    alone, busy = chain.till_alone, chain.till_busy
    rows.append(_row(f"{way}_till_alone", alone, alone.per_s, rate, "purchases/s"))
    p99s = _row(f"{way}_till_busy", busy, busy.p99_ms, alone.p99_ms, "p99 in ms")
    return [*rows, p99s | {"most_ratio": MOST_TILL_RATIO}]


def row_of_door(readings: Readings) -> Row:
    """Medians over the rounds; the waits are those through nginx. `bar` is the least ratio."""
    ours, peer = ([reading.per_s for reading in readings[name]] for name in ("nginx", "service"))
    ratios = [each / other for each, other in zip(ours, peer, strict=True)]
    return {
        "case": "nginx_32",
        "ours": round(median(ours), 1),
        "peer": round(median(peer), 1),
        "ratio": round(median(ours) / median(peer), 3),
        "unit": "purchases/s",
        "p50_ms": _median_ms([reading.p50_ms for reading in readings["nginx"]]),
        "p99_ms": _median_ms([reading.p99_ms for reading in readings["nginx"]]),
        "bar": LEAST_NGINX_RATIO,
        "ratio_spread": [round(min(ratios), 3), round(max(ratios), 3)],
    }


def _median_ms(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 2) if known else None


def _row(case: str, waits: Waits, ours: float, peer: float, unit: str) -> Row:
    return {
        "case": case,
        "ours": round(ours, 2),
        "peer": round(peer, 2),
        "ratio": round(ours / peer, 3),
        "unit": unit,
        "p50_ms": round(waits.p50_ms, 2),
        "p99_ms": round(waits.p99_ms, 2),
    }


def print_table(console: Console, rows: Sequence[Row], heard: Sequence[str]) -> None:
    table = Table(title="The chain: how long after a purchase", title_justify="left")
    for head in ("case", "ours", "peer", "ratio", "unit", "p50 ms", "p99 ms", "bar"):
        table.add_column(head, justify="left" if head in ("case", "unit") else "right", no_wrap=True)
    for row in rows:
        figures = [_figure(row[key]) for key in ("ours", "peer", "ratio")]
        waited = [_figure(row[key]) for key in ("p50_ms", "p99_ms")]
        table.add_row(str(row["case"]), *figures, str(row["unit"]), *waited, judged(row))
    console.print(table)
    for case, meaning in MEANINGS.items():
        console.print(f"{case}: {meaning}", highlight=False)
    console.print(f"The partner is told: {', '.join(heard)}", highlight=False)


def judged(row: Mapping[str, object]) -> str:
    """The row's bar, in green where it is held; empty for a row without one."""
    for key, figure, words in (
        ("most_p99_ms", "p99_ms", "p99 <"),
        ("most_ratio", "ratio", "ratio ≤"),
        ("bar", "ratio", "ratio ≥"),
    ):
        bar, value = row.get(key), row[figure]
        if isinstance(bar, int | float) and isinstance(value, int | float):
            holds = {"most_p99_ms": value < bar, "most_ratio": value <= bar, "bar": value >= bar}[key]
            return f"[{'green' if holds else 'red'}]{words} {bar:,g}[/]"
    return ""


def _figure(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, int | float) else ""
