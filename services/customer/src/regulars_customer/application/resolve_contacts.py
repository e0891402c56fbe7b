from __future__ import annotations

from collections.abc import Sequence

from regulars_customer.application.ports import Reads
from regulars_customer.domain.consents import Channel, Purpose
from regulars_customer.domain.contacts import Contact, contact_of
from regulars_kit.values import CustomerId


async def resolve_contacts(
    ids: Sequence[CustomerId], purpose: Purpose | None, channel: Channel, begin: Reads
) -> list[Contact]:
    """Where each of the customers may be reached at this moment, or why not; in the order they were asked for.

    `purpose` None: messages of service.
    """
    async with begin() as unit:
        found = await unit.customers.load(ids)
    return [contact_of(each, found.get(each), purpose, channel) for each in ids]
