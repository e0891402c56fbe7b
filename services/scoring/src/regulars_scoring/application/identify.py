from __future__ import annotations

from collections.abc import Sequence

from regulars_kit.values import CustomerId
from regulars_scoring.application.ports import Reading
from regulars_scoring.domain.refusals import UnknownCustomer


async def identified(customer_id: CustomerId, unit: Reading) -> Sequence[CustomerId]:
    """All ids of the customer who answers to this one, the surviving one first. Raises `UnknownCustomer`."""
    ids = await unit.customers.ids_of(customer_id)
    if not ids:
        raise UnknownCustomer("nobody has registered or bought under this id")
    return ids
