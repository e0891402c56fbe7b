"""The scores by Spark: what depends on x, t_x and T alone comes as a table, the rest is reckoned beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from regulars_scoring.adapters.files.bench import identifier
from regulars_scoring.adapters.files.spark.bench import SparkBench
from regulars_scoring.adapters.files.spark.tables import steps
from regulars_scoring.adapters.files.spark.targets import a_folder
from regulars_scoring.adapters.files.statements import Column
from regulars_scoring.domain.gamma_gamma import GammaGamma
from regulars_scoring.domain.grid import SCORES
from regulars_scoring.domain.model import DECILES, Bounds, bounds_between
from regulars_scoring.domain.rfm import Cuts, cuts_between

WITHIN_A_YEAR = "purchases within a year"

# `domain.gamma_gamma.expected_spend`, and the value over a year as `adapters.engine.expectations` has it.
_VALUED = """
    SELECT *, expected_spend * {within_a_year} AS clv
    FROM (
        SELECT *, {p} * ({v} + greatest(repeat_minor / {unit}, {zero})) / ({p} * x + {q} - {one}) AS expected_spend
        FROM summaries JOIN foretold USING (x, t_x, T)
    )
"""
_PLACED = """
    SELECT *, CAST({m_score} AS BIGINT) AS m_score, CAST({decile} AS BIGINT) AS decile FROM valued
"""
_SCORES = """
    SELECT customer, CAST(t_x AS BIGINT) AS recency, CAST(x AS BIGINT) AS frequency, CAST(T AS BIGINT) AS "T",
           CASE WHEN x > 0 THEN repeat_minor / {unit} / x END AS monetary,
           {names}, total_minor / {unit} AS historic_value
    FROM flagged ORDER BY place
"""
_SPREAD = """
    SELECT segment, decile, count(*), CAST(sum(total_minor) AS BIGINT), sum(clv) FROM placed GROUP BY segment, decile
"""


@dataclass(frozen=True, slots=True)
class Group:
    """The customers of a segment who are in a decile, with their totals; `clv` in major units."""

    segment: str
    decile: int
    customers: int
    total_minor: int
    clv: float


def monetary_cuts(bench: SparkBench, everybody: int) -> Cuts:
    """As `domain.rfm.cuts_of` the totals."""
    found = steps(bench, "total_minor", "customers", everybody, SCORES)
    return cuts_between((score, int(least)) for score, least, _ in found)


def value_all(bench: SparkBench, foretold: Mapping[str, Column], spending: GammaGamma, unit: int) -> None:
    """Make the table `valued`: everybody with what is foretold of them by x, t_x and T, and their value."""
    bench.spread("foretold", foretold)
    numbers = {"p": spending.p, "q": spending.q, "v": spending.v, "unit": float(unit), "zero": 0.0, "one": 1.0}
    texts = {name: _double(number) for name, number in numbers.items()}
    bench.keep("valued", _VALUED.format(within_a_year=identifier(WITHIN_A_YEAR), **texts))


def decile_bounds(bench: SparkBench, everybody: int) -> Bounds:
    """As `domain.model.decile_bounds_of` the values."""
    found = steps(bench, "-clv", "valued", everybody, DECILES)
    return bounds_between((decile, -least, -greatest) for decile, least, greatest in found)


def place_all(bench: SparkBench, cuts: Cuts, bounds: Bounds) -> None:
    """Make the table `placed`: with what `domain.rfm.score_by` and `domain.model.decile_of` say of everybody."""
    reached = [f"total_minor >= {cut}" for cut in cuts if cut is not None]
    missed = ["true" if bound is None else f"clv < {_double(bound)}" for bound in bounds]
    bench.call("placed", _PLACED.format(m_score=_one_and(reached), decile=_one_and(missed)))


def groups(bench: SparkBench) -> list[Group]:
    return [Group(*row) for row in bench.rows(_SPREAD)]


def write_scores_on_spark(bench: SparkBench, names: Sequence[str], unit: int, target: Path) -> None:
    """As `write_scores`, to a folder of files; `names` are the columns between the states and the historic value."""
    select = _SCORES.format(unit=_double(float(unit)), names=", ".join(identifier(name) for name in names))
    with a_folder(target) as partly:
        writer = bench.frame(select).write
        if target.suffix.lower() == ".csv":
            writer.csv(partly.as_uri(), header=True)
        else:
            writer.parquet(partly.as_uri())


def _double(number: float) -> str:
    """A number as SQL reads it, to its last bit."""
    return f"CAST('{number!r}' AS DOUBLE)"


def _one_and(conditions: Sequence[str]) -> str:
    """1, and 1 more for each that holds."""
    return " + ".join(["1", *(f"CASE WHEN {each} THEN 1 ELSE 0 END" for each in conditions)])
