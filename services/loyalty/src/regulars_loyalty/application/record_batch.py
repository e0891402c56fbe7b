"""Record a batch in the cheapest way that its size allows: a few without a lock, many as they were priced ahead."""

from __future__ import annotations

from collections.abc import Sequence

from regulars_kit.values import Clock, Refused
from regulars_loyalty.application.ports import Begin
from regulars_loyalty.application.pricing_ahead import price_ahead
from regulars_loyalty.application.purchase_rows import Answer, RecordPurchase
from regulars_loyalty.application.record_purchases import record_priced, record_purchases
from regulars_loyalty.application.recording_at_once import record_at_once


async def record_batch(
    commands: Sequence[RecordPurchase], again: int, begin: Begin, at_once: Begin, clock: Clock
) -> Sequence[Answer | Refused | None]:
    """Answer each purchase, in order; None leaves one for the next batch, which is to begin with it.

    The first `again` of them were left by the batch before, and are not left once more. Raises Unavailable when nothing
    could be stored, and then nothing was.
    """
    if not again and (answers := await record_at_once(commands, at_once, clock)) is not None:
        return answers
    if ahead := await price_ahead(commands[again:], at_once, clock):
        return await record_priced(commands, begin, clock, ahead)
    return await record_purchases(commands, begin, clock)
