"""What a run came to, on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from regulars_scoring.adapters.report.figures import money, share, summary_of
from regulars_scoring.domain.findings import Findings
from regulars_scoring.files import Order


def show(findings: Findings, order: Order, console: Console) -> None:
    console.print(_lines(findings), "", _segments(findings), "", sep="\n")
    for note in findings.notes:
        console.print(Text.assemble(("Note: ", "bold yellow"), note))
    for what, path in (("Scores", order.out), ("Report", order.report), ("Rows set aside", order.rejects)):
        if path is not None:
            console.print(f"{what}: {path}", markup=False, soft_wrap=True)


def _lines(findings: Findings) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False, title=Text(findings.file), title_justify="left")
    table.add_column(no_wrap=False)
    table.add_column(overflow="fold")
    for words, figure in summary_of(findings):
        table.add_row(Text(f"  {words}" if words.startswith("of them") else words), Text(figure))
    return table


def _segments(findings: Findings) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    money_in = f" {findings.currency}".rstrip()
    table.add_column("Segment")
    for name in ("Customers", "Share", f"Revenue{money_in}", f"Expected, 12 months{money_in}"):
        table.add_column(name, justify="right")
    for each in findings.segments:
        revenue = money(each.revenue_minor, findings.currency)
        of_all = share(each.customers, findings.customers)
        table.add_row(each.name, f"{each.customers:,}", of_all, revenue, f"{each.clv:,.0f}")
    return table
