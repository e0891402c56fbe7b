"""What the shop looks like once the sample is in: the table at the end of the first start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table

from regulars.samples.online_retail.marketing import Outlook


@dataclass(frozen=True, slots=True)
class Totals:
    """The ledger's own figures, in points. `spendable` is what customers may still spend: the liability."""

    issued: int
    redeemed: int
    expired: int
    clawed_back: int
    spendable: int
    debt: int
    accounts: int
    tiers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """The sample in numbers. `unmatched_lines` were sent as returns and found no earlier line to take points from.

    `set_aside` counts lines that were not sent, by reason; `refused` what the API refused, by code.
    """

    customers: int
    receipts: int
    receipt_lines: int
    returns: int
    return_lines: int
    unmatched_lines: int
    set_aside: Mapping[str, int]
    refused: Mapping[str, int]
    totals: Totals
    outlook: Outlook


def totals_of(body: Mapping[str, object]) -> Totals:
    """Read the answer of `GET /v1/ledger/totals`. A missing figure is an error, not a 0."""
    tiers = body["tiers"]
    if not isinstance(tiers, Mapping):
        raise TypeError("tiers is no object")
    points = {name: int(str(body[name])) for name in Totals.__slots__ if name != "tiers"}
    return Totals(**points, tiers={str(code): int(count) for code, count in tiers.items()})


def summary_of(stored: Mapping[str, object]) -> Summary:
    """The summary as it was kept in the journal."""
    totals, outlook = stored["totals"], stored["outlook"]
    if not isinstance(totals, Mapping) or not isinstance(outlook, Mapping):
        raise TypeError("totals or outlook is no object")
    told = Outlook(**{**outlook, "degeneracies": tuple(outlook["degeneracies"])})
    return Summary(**{**stored, "totals": totals_of(totals), "outlook": told})  # type: ignore[arg-type]


def table(summary: Summary) -> Table:
    """The summary for people: counts, points, customers per tier, and what was set aside and why."""
    shown = Table(title="Online Retail (D. Chen, UCI Machine Learning Repository, CC BY 4.0)", show_header=False)
    shown.add_column("what")
    shown.add_column("how many", justify="right")
    ledger = (_points(summary.totals), _tiers(summary.totals))
    for rows in (_sent(summary), *ledger, *_expected(summary.outlook), _set_aside(summary)):
        for name, count in rows:
            shown.add_row(name, count if isinstance(count, str) else f"{count:,}")
        shown.add_section()
    return shown


Rows = list[tuple[str, int | str]]


def _sent(summary: Summary) -> Rows:
    return [
        ("customers (names and addresses invented)", summary.customers),
        ("receipts", summary.receipts),
        ("  their lines", summary.receipt_lines),
        ("returns", summary.returns),
        ("  their lines", summary.return_lines),
    ]


def _points(totals: Totals) -> Rows:
    return [
        ("points issued", totals.issued),
        ("points taken back", totals.clawed_back),
        ("points expired", totals.expired),
        ("liability in points", totals.spendable),
        ("  at £0.01 a point", f"£{totals.spendable / 100:,.2f}"),
        ("debt in points", totals.debt),
    ]


def _tiers(totals: Totals) -> Rows:
    return [(f"customers in tier {code}", count) for code, count in totals.tiers.items()]


def _expected(outlook: Outlook) -> tuple[Rows, Rows]:
    kept: Rows = [(f"customers in RFM segment {segment}", count) for segment, count in outlook.segments.items()]
    figures: Rows = [
        ("the best tenth's share of the revenue", f"{outlook.top_share:.1%}"),
        ("expected value over the next year", f"{outlook.expected_value:,} {outlook.currency}"),
        ("  by", outlook.model),
        *[(f"  fits that ended at a boundary: {name}", "") for name in outlook.degeneracies],
        ("churn alarms", outlook.alarms),
        ("messages written", outlook.messages),
        ("events in the partners' feed", outlook.events),
    ]
    return kept, figures


def _set_aside(summary: Summary) -> Rows:
    kept: Rows = [(f"lines set aside: {reason}", count) for reason, count in summary.set_aside.items()]
    kept.append(("returned lines that match no earlier line", summary.unmatched_lines))
    return kept + [(f"refused: {code}", count) for code, count in summary.refused.items()]
