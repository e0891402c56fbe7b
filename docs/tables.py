"""Writes the tables of ARCHITECTURE.md from the code that they describe: `make docs`.

With the reports of `make bench-purchase`, `bench-chain`, `bench-scoring` and `bench-nightly` it writes the figures of
README.md besides, those that are named: `make docs JSON="purchase.json chain.json scoring.json"`.
A table stands between `<!-- name -->` and `<!-- /name -->`; tests/architecture fails when one of the code's is not
current.
"""

import ast
import inspect
import json
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from regulars_kit import limits
from regulars_kit.problems import KIT_STATUSES, OTHER_CODES
from regulars_kit.values import Refused

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "ARCHITECTURE.md"
README = ROOT / "README.md"
FIGURES = {
    "purchase": "figures",
    "chain": "chain-figures",
    "scoring": "scoring-figures",
    "nightly": "nightly-figures",
}
"""Where in the README a benchmark's figures stand."""
WAITS = {"p50 ms": "p50_ms", "p99 ms": "p99_ms"}
MORE = {"scoring": {"our peak MB": "ours_mb", "its peak MB": "peer_mb"}}
"""What a table has beside ours, the peer's and the ratio, by its head; unless said here, how long a caller waits."""

SERVICES = sorted(manifest.parent.name for manifest in ROOT.glob("services/*/pyproject.toml"))


def main(reports: Sequence[str]) -> None:
    DOCUMENT.write_text(current(DOCUMENT.read_text()))
    for report in reports:
        README.write_text(with_figures(README.read_text(), json.loads(Path(report).read_text())))


def current(document: str) -> str:
    """The document with every table as the code has it now."""
    for name, table in {"limits": limits_table(), "codes": codes_table()}.items():
        document = between_markers(document, name, table)
    return document


def between_markers(document: str, name: str, text: str) -> str:
    """The document with `text` between the markers of that name. Raises `ValueError` when they are not there."""
    opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = document.partition(opening)
    _, also_found, after = rest.partition(closing)
    if not found or not also_found:
        raise ValueError(f"the document has no place for the table of {name}")
    return before + opening + text + closing + after


def limits_table() -> str:
    meanings = _attribute_docstrings(limits.Limits)
    rows = [(f"`{name}`", f"{value:,}", meanings.get(name, "")) for name, value in limits.limits_table()]
    return table(["limit", "inclusive", "meaning"], rows)


def codes_table() -> str:
    """One row per code, by status: what it means and which service says it."""
    tables: dict[str, Mapping[type[Refused], int]] = {"all": KIT_STATUSES}
    tables |= {service: statuses_of(service) for service in SERVICES}
    said_by: dict[tuple[int, str], list[str]] = {}
    meaning: dict[str, str] = {}
    for speaker, statuses in tables.items():
        for refusal, status in statuses.items():
            said_by.setdefault((status, refusal.code), []).append(speaker)
            meaning.setdefault(refusal.code, "")
            meaning[refusal.code] = meaning[refusal.code] or _first_sentence(refusal)
    for code, (status, words) in OTHER_CODES.items():
        said_by.setdefault((status, code), []).append("all")
        meaning.setdefault(code, words)
    rows = [
        (str(status), f"`{code}`", "all" if "all" in speakers else ", ".join(dict.fromkeys(speakers)), meaning[code])
        for (status, code), speakers in sorted(said_by.items())
    ]
    return table(["status", "code", "said by", "meaning"], rows)


def with_figures(document: str, report: Mapping[str, Any]) -> str:
    """The document with the figures of a benchmark's report, each benchmark's in a place of its own."""
    benchmark = report["benchmark"]
    return between_markers(document, FIGURES[benchmark], figures_table(report["rows"], MORE.get(benchmark, WAITS)))


def figures_table(rows: Sequence[Mapping[str, str | float | None]], more: Mapping[str, str]) -> str:
    """The rows of a benchmark's report: ours beside its peer, and what more there is by its head."""
    return table(
        ["case", "ours", "peer", "ratio", "unit", *more],
        [
            (
                f"`{row['case']}`",
                *(_figure(row[key]) for key in ("ours", "peer", "ratio")),
                str(row["unit"]),
                *(_figure(row.get(key)) for key in more.values()),
            )
            for row in rows
        ],
    )


def _figure(value: str | float | None) -> str:
    """Whole from a hundred up, two decimals below; empty where nothing was measured."""
    if not isinstance(value, int | float):
        return value or ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def statuses_of(service: str) -> Mapping[type[Refused], int]:
    """The one table of a service from its refusals to statuses."""
    statuses: Mapping[type[Refused], int] = import_module(f"regulars_{service}.adapters.http.problems").STATUS_OF
    return statuses


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _first_sentence(refusal: type[Refused]) -> str:
    """What the class says of itself; empty when it leaves that to its name."""
    own = inspect.cleandoc(refusal.__dict__.get("__doc__") or "")
    return " ".join(own.partition("\n\n")[0].split())


def _attribute_docstrings(described: type) -> dict[str, str]:
    """The text under each attribute of a class, by the attribute's name."""
    body = ast.parse(inspect.getsource(described)).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        attribute.target.id: " ".join(text.value.value.split())
        for attribute, text in zip(body.body, body.body[1:], strict=False)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


if __name__ == "__main__":
    main(sys.argv[1:])
