from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regulars_customer.application.ports import KnownPart, Reads
from regulars_customer.domain.customer import Customer
from regulars_customer.domain.life_cycle import LifeCycle
from regulars_customer.domain.refusals import UnknownCustomer
from regulars_customer.domain.timeline import TOUCHES, Entry, Kind
from regulars_kit.values import CustomerId

LAST_TOUCHES = 10
LAST_MESSAGES = 5


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is known of a customer. `life_cycle` None: no purchase of theirs was ever told."""

    customer: Customer
    life_cycle: LifeCycle | None
    parts: Sequence[KnownPart]
    touches: Sequence[Entry]
    messages: Sequence[Entry]


async def read_360(customer_id: CustomerId, begin: Reads) -> Picture:
    """The customer from all sides, out of our own database: it answers while every other service is away.

    Raises `UnknownCustomer`.
    """
    async with begin() as unit:
        found = await unit.customers.load([customer_id])
        if customer_id not in found:
            raise UnknownCustomer("no customer has this id")
        return Picture(
            customer=found[customer_id],
            life_cycle=await unit.picture.life_cycle(customer_id),
            parts=await unit.picture.parts(customer_id),
            touches=await unit.picture.timeline(customer_id, TOUCHES, None, LAST_TOUCHES),
            messages=await unit.picture.timeline(customer_id, {Kind.MESSAGE_SENT}, None, LAST_MESSAGES),
        )
