from __future__ import annotations

from collections.abc import Collection

from regulars_customer.application.keeping import keep
from regulars_customer.application.locking import locked
from regulars_customer.application.ports import Transactions
from regulars_customer.domain.customer import Customer, amend, refuse_other_version
from regulars_customer.domain.profile import Amendment
from regulars_kit.values import Clock, CustomerId


async def change_customer(
    customer_id: CustomerId, amendment: Amendment, seen: Collection[int] | None, begin: Transactions, now: Clock
) -> Customer:
    """Amend the profile. `seen` are the versions the caller may have read; None: whatever it is.

    Raises `UnknownCustomer`, `ChangedMeanwhile`, `BadProfile`.
    """
    async with begin() as unit:
        customer = await locked(unit, customer_id)
        refuse_other_version(customer, seen)
        revision = amend(customer, amendment, at=now())
        await keep(unit, [revision])
    return revision.customer
