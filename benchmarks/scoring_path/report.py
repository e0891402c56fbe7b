"""The figures as JSON for programs and as a table for people, each beside its bar; and whether the answers agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from purchase_path.measuring import Failed
from scoring_path.environments import LIFETIMES, PYMC_MARKETING
from scoring_path.running import OURS, Turn, Turns

MOST_APART = 1e-4
"""Of sums, each beside ours."""
COMPARED = {"score": ("clv",), "states": ("x", "t_x", "T", "repeat")}
"""What has to agree, by the first word of a case. Of the fits' other sums the report keeps everybody's."""

LEAST_RATIO = {
    f"score_1m_vs_{LIFETIMES}": 50.0,
    "score_1m_vs_pymc_marketing": 25.0,
    f"states_10m_vs_{LIFETIMES}": 3.0,
}
MOST = {"score_20m": 12.0, "live_score": 1.0}
MOST_MB = {"score_1m_vs_lifetimes": 600.0, "score_1m_vs_pymc_marketing": 600.0, "score_20m": 2_500.0}

MEANINGS = {
    "score": "MBG/NBD and Gamma-Gamma fitted; then purchases in 30, 90, 365 days, P(alive), spend, CLV of everybody",
    "states": "purchases read from a Parquet file and made x, t_x, T and spend of each customer",
    "live": "one score in the serving process, of a customer with an x and T that nobody had before (the mean)",
}

Row = dict[str, str | float | list[float] | None]


def rows_of(turns: Turns) -> list[Row]:
    """One row a case and peer: medians over the rounds; the ratio is the peer's over ours. Raises `Failed` where the
    answers are not the same."""
    rows = []
    for case, by_contender in turns.items():
        ours, peers = by_contender[OURS], [who for who in (LIFETIMES, PYMC_MARKETING) if who in by_contender]
        for peer in peers:
            check_agreement(case, peer, ours, by_contender[peer])
            rows.append(_beside(f"{case}_vs_{peer.replace('-', '_')}", ours, by_contender[peer]))
        if not peers:
            rows.append(_alone(case, ours))
    return rows


def check_agreement(case: str, peer: str, ours: Sequence[Turn], theirs: Sequence[Turn]) -> None:
    """Raises `Failed` where a sum differs by more than `MOST_APART` of itself."""
    for name in COMPARED[case.partition("_")[0]]:
        for mine, other in zip(ours, theirs, strict=True):
            if not abs(other[name] - mine[name]) <= MOST_APART * abs(mine[name]):
                raise Failed(f"{case}: the sum of {name} is {mine[name]:,.2f}, and {peer} says {other[name]:,.2f}")


def _beside(case: str, ours: Sequence[Turn], peer: Sequence[Turn]) -> Row:
    mine, theirs = ([turn["cpu_s"] for turn in turns] for turns in (ours, peer))
    ratios = [other / one for one, other in zip(mine, theirs, strict=True)]
    return {
        "case": case,
        "ours": round(median(mine), 3),
        "peer": round(median(theirs), 3),
        "ratio": round(median(theirs) / median(mine), 2),
        "unit": "CPU s",
        "ours_mb": _peak_mb(ours),
        "peer_mb": _peak_mb(peer),
        "bar": LEAST_RATIO.get(case),
        "most_mb": MOST_MB.get(case),
        "ratio_spread": [round(min(ratios), 2), round(max(ratios), 2)],
    }


def _alone(case: str, ours: Sequence[Turn]) -> Row:
    key, unit = ("mean_ms", "CPU ms") if case == "live_score" else ("cpu_s", "CPU s")
    return {
        "case": case,
        "ours": round(median(turn[key] for turn in ours), 3),
        "peer": None,
        "ratio": None,
        "unit": unit,
        "ours_mb": _peak_mb(ours),
        "peer_mb": None,
        "most": MOST.get(case),
        "most_mb": MOST_MB.get(case),
    }


def _peak_mb(turns: Sequence[Turn]) -> float:
    return round(max(turn["peak_mb"] for turn in turns))


def print_table(console: Console, rows: Sequence[Row]) -> None:
    table = Table(title="Scoring: CPU seconds and peak memory", title_justify="left")
    heads = ("case", "ours", "peer", "ratio", "unit", "ours MB", "peer MB", "bars")
    for head in heads:
        table.add_column(head, justify="left" if head in ("case", "unit") else "right", no_wrap=True)
    for row in rows:
        figures = [_figure(row[key]) for key in ("ours", "peer", "ratio")]
        memory = [_figure(row[key], "{:,.0f}") for key in ("ours_mb", "peer_mb")]
        table.add_row(str(row["case"]), *figures, str(row["unit"]), *memory, judged(row))
    console.print(table)
    for case, meaning in MEANINGS.items():
        console.print(f"{case}: {meaning}", highlight=False)


def judged(row: Mapping[str, object]) -> str:
    """The row's bars, each in green where it is held; empty for a row without one."""
    held = []
    for key, figure, words in (("bar", "ratio", "ratio ≥"), ("most", "ours", "≤"), ("most_mb", "ours_mb", "MB ≤")):
        bar, value = row.get(key), row[figure]
        if isinstance(bar, int | float) and isinstance(value, int | float):
            is_held = value >= bar if key == "bar" else value <= bar
            held.append(f"[{'green' if is_held else 'red'}]{words} {bar:,g}[/]")
    return ", ".join(held)


def _figure(value: object, form: str = "{:,.2f}") -> str:
    return form.format(value) if isinstance(value, int | float) else ""
