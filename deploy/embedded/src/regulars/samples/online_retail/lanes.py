"""In which order the year is sent: several lanes at once, each customer in one of them and there in the order of time.

A fact older than the account's newest makes the ledger fold the account again, and a return needs its purchase there
before it. Purchases go in batches and returns one by one, so a lane alternates: every customer's purchases up to the
first return, those returns, their purchases up to the next return, and so on. Most of the year is in the first batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from regulars.samples.online_retail.plan import Invoice, Plan

LANES = 8

# Big enough that a batch costs the server few commits, small enough that an interrupted load repeats little, and that
# the answers fit the sockets' buffers: httpx reads an answer only when it has sent the whole request.
LINES_PER_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Step:
    """What is sent and answered as one: either a batch of receipts or cancellations; the other is empty."""

    receipts: tuple[Invoice, ...] = ()
    cancellations: tuple[Invoice, ...] = ()


def lanes(plan: Plan) -> tuple[tuple[Step, ...], ...]:
    """The steps of every lane. The same plan gives the same steps, so that a count says how far a load has come."""
    shares: list[list[Invoice]] = [[] for _ in range(LANES)]
    for invoice in sorted(plan.receipts + plan.cancellations, key=lambda each: each.at):
        shares[_lane(invoice)].append(invoice)
    return tuple(tuple(_steps(share)) for share in shares)


def _lane(invoice: Invoice) -> int:
    """Anonymous invoices follow no account, so their own number spreads them."""
    return (invoice.customer or int(invoice.number.lstrip("C"))) % LANES


def _steps(invoices: Iterable[Invoice]) -> Iterator[Step]:
    turns: dict[int, list[Invoice]] = defaultdict(list)
    turn_of: dict[int, int] = {}
    for invoice in invoices:
        turn = turn_of.get(invoice.customer, 0) if invoice.customer else 0
        turn += turn % 2 != invoice.is_cancellation
        if invoice.customer:
            turn_of[invoice.customer] = turn
        turns[turn].append(invoice)
    for turn in sorted(turns):
        if turn % 2:
            yield Step(cancellations=tuple(turns[turn]))
        else:
            yield from (Step(receipts=batch) for batch in _batches(turns[turn]))


def _batches(receipts: list[Invoice]) -> Iterator[tuple[Invoice, ...]]:
    batch: list[Invoice] = []
    lines = 0
    for receipt in receipts:
        if batch and lines + len(receipt.lines) > LINES_PER_BATCH:
            yield tuple(batch)
            batch, lines = [], 0
        batch.append(receipt)
        lines += len(receipt.lines)
    if batch:
        yield tuple(batch)
