"""The report: one page that needs nothing besides itself, for somebody who keeps a shop."""

from __future__ import annotations

from importlib.resources import files

from liquid import Environment
from markupsafe import Markup

from regulars_kit.values import currency_exponent
from regulars_scoring.adapters.report.figures import MEANINGS, model_of, money, row_counts, share
from regulars_scoring.adapters.report.heat_map import heat_map
from regulars_scoring.adapters.report.plots import churn_plot, lift_plot, tracking_plot
from regulars_scoring.adapters.report.triangles import retention_rows, revenue_rows
from regulars_scoring.domain.findings import Findings
from regulars_scoring.domain.hindsight import Hindsight

_TEMPLATE = "report.html.liquid"

Said = dict[str, object]


def report_of(findings: Findings) -> str:
    """The page as HTML: whatever comes from the file stands in it as words, never as markup."""
    source = files(__package__).joinpath(_TEMPLATE).read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(source).render(**_said(findings))


def _said(findings: Findings) -> Said:
    triangle, currency = findings.triangle, findings.currency
    ages = max(len(cohort.active) for cohort in triangle.cohorts)
    return {
        "file": findings.file,
        "as_of": findings.as_of.isoformat(),
        "first_day": findings.first_day.isoformat(),
        "kept": f"{findings.rows.kept:,}",
        "currency": currency,
        "tiles": _tiles(findings),
        "notes": list(findings.notes),
        "heat_map": Markup(heat_map(findings.cells, findings.model.grid)),
        "segments": _segments(findings),
        "tenths": _tenths(findings),
        "hindsight": _hindsight(findings.hindsight),
        "no_hindsight": findings.no_hindsight,
        "span": triangle.span,
        "has_ended": triangle.has_ended,
        "ages": list(range(ages)),
        "retention": retention_rows(triangle),
        "revenue": revenue_rows(triangle, 10 ** currency_exponent(currency)),
        "lines": [{"words": w, "figure": f} for w, f in row_counts(findings.rows, findings.as_of.isoformat())],
        "model": model_of(findings.model),
    }


def _tiles(findings: Findings) -> list[Said]:
    currency = findings.currency
    revenue = sum(each.revenue_minor for each in findings.segments)
    expected = sum(each.clv for each in findings.segments)
    top = findings.top_tenth_share
    tiles = [
        (f"{findings.customers:,}", "customers"),
        (share(findings.repeat_customers, findings.customers), "bought on more than one day"),
        (money(revenue, currency), f"revenue so far {currency}".strip()),
        (f"{expected:,.0f}", f"expected of them over the next twelve months {currency}".strip()),
        ("–" if top is None else f"{top:.0%}", "of the revenue came from the best tenth"),
    ]
    return [{"figure": figure, "words": words} for figure, words in tiles]


def _segments(findings: Findings) -> list[Said]:
    return [
        {
            "name": each.name,
            "customers": f"{each.customers:,}",
            "share": share(each.customers, findings.customers),
            "revenue": money(each.revenue_minor, findings.currency),
            "expected": f"{each.clv:,.0f}",
            "meaning": MEANINGS.get(each.name, ""),
        }
        for each in sorted(findings.segments, key=lambda each: -each.clv)
    ]


def _tenths(findings: Findings) -> list[Said]:
    return [
        {
            "tenth": each.decile,
            "customers": f"{each.customers:,}",
            "revenue": money(each.revenue_minor, findings.currency),
            "share": "–" if each.revenue_share is None else f"{each.revenue_share:.1%}",
            "expected": f"{each.expected_value_major:,.0f}",
        }
        for each in findings.tenths
    ]


def _hindsight(hindsight: Hindsight | None) -> Said | None:
    if hindsight is None:
        return None
    deviation = hindsight.deviation
    words = None if deviation is None else f"{abs(deviation):.0%} {'more' if deviation > 0 else 'fewer'}"
    return {
        "cut": hindsight.cut.isoformat(),
        "days": hindsight.days,
        "deviation": words,
        "lift": Markup(lift_plot(hindsight.lift)),
        "churn": Markup(churn_plot(hindsight.churn)),
        "tracking": Markup(tracking_plot(hindsight)),
    }
