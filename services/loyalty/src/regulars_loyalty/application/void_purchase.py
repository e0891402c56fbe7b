"""Void a receipt: all that is left of it comes back, once."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid5

from regulars_kit.values import Clock
from regulars_loyalty.application.commands import ReturnPurchase, VoidPurchase
from regulars_loyalty.application.ports import Begin
from regulars_loyalty.application.purchase_rows import Answer
from regulars_loyalty.application.return_purchase import return_purchase


async def void_purchase(command: VoidPurchase, begin: Begin, now: Clock) -> Answer:
    """Answer as a return does. A repeated void gets the first answer, whatever else is in it."""
    void_id = uuid5(command.purchase_id, "void")
    request = replace(command.request, content_hash=command.purchase_id.bytes)
    void = ReturnPurchase(command.purchase_id, void_id, (), request, is_void=True)
    return await return_purchase(void, begin, now)
