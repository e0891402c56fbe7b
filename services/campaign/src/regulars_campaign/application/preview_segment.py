from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.domain.rule_document import parse
from regulars_kit.values import CustomerId

SAMPLE = 20


@dataclass(frozen=True, slots=True)
class Preview:
    count: int
    sample: Sequence[CustomerId]


async def preview_segment(document: object, begin: Transactions, now: Now) -> Preview:
    """How many fulfil a rule at this moment, and some of them. Raises `InvalidRule`."""
    rule = parse(document, "/rule")
    today = now().today
    async with begin() as unit:
        return Preview(*await unit.judge.preview(rule, today, SAMPLE))
