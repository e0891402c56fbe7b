"""Figures as a shopkeeper reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from regulars_kit.values import currency_exponent
from regulars_scoring.domain.findings import Findings, Rows
from regulars_scoring.domain.model import (
    GAMMA_GAMMA,
    MBG_NBD,
    OWN_RATE,
    PARETO_NBD,
    POOLED_MEAN,
    POPULATION_MEAN,
    RECENCY,
    Model,
)

MEANINGS: Mapping[str, str] = {
    "hibernating": "Came once or twice, long ago",
    "at risk": "Came often, and have not for long",
    "can't lose": "Were among the most frequent, and have not come for long",
    "about to sleep": "Came rarely, and not lately",
    "need attention": "In the middle of everything",
    "loyal": "Come often",
    "promising": "Came once, quite lately",
    "new": "Came once, just now",
    "potential loyalists": "Came lately, and more than once",
    "champions": "Come most often, and came just now",
}
"""By the names of the segments."""

_MODELS = {
    MBG_NBD: "MBG/NBD",
    PARETO_NBD: "Pareto/NBD",
    OWN_RATE: "each customer's own rate",
    RECENCY: "the time since the last purchase",
    POPULATION_MEAN: "the mean of all customers",
    GAMMA_GAMMA: "Gamma-Gamma",
    POOLED_MEAN: "pooled mean",
}


def share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole > 0 else "–"


def money(minor: float, currency: str) -> str:
    """Whole major units: nobody decides anything by a penny."""
    return f"{minor / 10 ** currency_exponent(currency):,.0f}"


def model_of(model: Model) -> str:
    """Names and parameters of what was fitted; a table's entries are too many to tell."""
    parts = ((model.name, asdict(model.buying)), (model.spend_model, asdict(model.spending)))
    return " and ".join(_MODELS[name] + _parameters(found) for name, found in parts)


def _parameters(found: Mapping[str, object]) -> str:
    told = [f"{letter} {value:.4g}" for letter, value in found.items() if isinstance(value, float)]
    return f" ({', '.join(told)})" if told else ""


def row_counts(rows: Rows, as_of: str) -> list[tuple[str, str]]:
    """Where the rows of the file went, in words; what did not occur is left out."""
    lines = [("Rows read", rows.read)]
    lines += [(f"Set aside: {reason}", count) for reason, count in rows.set_aside.items()]
    lines += [(f"After {as_of}, not looked at", rows.later)] if rows.later else []
    lines += [("Rows that count", rows.kept), ("of them returns (below 0)", rows.returns)]
    lines += [(f"of them in {name}, converted", count) for name, count in rows.converted.items()]
    lines += [(f"of them in {name}, counted without their money", count) for name, count in rows.without_money.items()]
    return [(words, f"{count:,}") for words, count in lines]


def summary_of(findings: Findings) -> list[tuple[str, str]]:
    """What a run came to, line by line."""
    as_of = findings.as_of.isoformat()
    top = findings.top_tenth_share
    kept = [("Customers who kept no purchase, not scored", f"{findings.never_kept:,}")] if findings.never_kept else []
    return [
        ("Read as", findings.read_as),
        *row_counts(findings.rows, as_of),
        ("As of", as_of),
        ("Customers scored", f"{findings.customers:,}"),
        ("of them bought on more than one day", f"{findings.repeat_customers:,}"),
        *kept,
        ("Model", model_of(findings.model)),
        ("Revenue from the best tenth", "–" if top is None else f"{top:.1%}"),
    ]
