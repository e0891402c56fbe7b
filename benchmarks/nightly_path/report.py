"""The figures as JSON for programs and as a table for people, each beside its bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from nightly_path.night import Night, p_ms
from nightly_path.processes import BEHIND, SERVING, WORKER

MOST_TILL_RATIO = 2
"""Of the p99 while a run goes on, beside that before it."""

MEANINGS = {
    "run": "from the asking until everybody's figures are published",
    "drafted": "of it until they are fitted, judged and drafted by the worker",
    "till": "the till's wait, from when a purchase was due: its p99 beside that just before the run, at most double",
    "worker": "peak memory of the process that drafts",
    "behind": "… of that which publishes, and follows the purchases of all services",
    "serving": "… of that which answers",
}

Row = dict[str, str | float | None]


def rows_of(nights: Mapping[str, Night]) -> list[Row]:
    """Three rows a run, then the memory of each process; `most_ratio` is the bar."""
    rows: list[Row] = []
    for name, night in nights.items():
        rows.append(_row(f"{name}_run", night.run_s, "s") | {"customers": night.customers, "told": night.published})
        cpu_s: Row = {f"{role}_cpu_s": round(night.taken.cpu_s[role], 2) for role in (WORKER, BEHIND)}
        rows.append(_row(f"{name}_drafted", night.drafted_s, "s") | cpu_s)
        rows.append(_of_tills(f"till_in_{name}", night))
    for role in (WORKER, BEHIND, SERVING):
        peak_mb = max(night.taken.peak_mb[role] for night in nights.values())
        rows.append(_row(role, round(peak_mb), "peak MB"))
    return rows


def _of_tills(case: str, night: Night) -> Row:
    p50_ms, p99_ms = (p_ms(night.waits_s, share) for share in (0.5, 0.99))
    before_ms = p_ms(night.calm_s, 0.99)
    beside: Row = {"peer": round(before_ms, 2), "ratio": round(p99_ms / before_ms, 2), "most_ratio": MOST_TILL_RATIO}
    return _row(case, p99_ms, "p99 in ms") | {"p50_ms": round(p50_ms, 2), "p99_ms": round(p99_ms, 2)} | beside


def _row(case: str, ours: float, unit: str) -> Row:
    return {"case": case, "ours": round(ours, 2), "peer": None, "ratio": None, "unit": unit}


def print_table(console: Console, rows: Sequence[Row], customers: int) -> None:
    table = Table(title=f"A run over {customers:,} customers, tills at work", title_justify="left")
    heads = {"case": "case", "ours": "ours", "peer": "before", "ratio": "ratio", "unit": "unit", "p50_ms": "p50 ms"}
    for key, head in heads.items():
        table.add_column(head, justify="left" if key in ("case", "unit") else "right", no_wrap=True)
    table.add_column("bar", no_wrap=True)
    for row in rows:
        table.add_row(*(_figure(row.get(key)) for key in heads), judged(row))
    console.print(table)
    for case, meaning in MEANINGS.items():
        console.print(f"{case}: {meaning}", highlight=False)


def judged(row: Mapping[str, object]) -> str:
    """The row's bar, in green where it is held; empty for a row without one."""
    bar, ratio = row.get("most_ratio"), row["ratio"]
    if not isinstance(bar, int | float) or not isinstance(ratio, int | float):
        return ""
    return f"[{'green' if ratio <= bar else 'red'}]ratio ≤ {bar:g}[/]"


def _figure(value: object) -> str:
    if not isinstance(value, int | float):
        return str(value or "")
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"
