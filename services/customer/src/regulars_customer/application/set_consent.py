from __future__ import annotations

from regulars_customer.application.keeping import keep
from regulars_customer.application.locking import locked
from regulars_customer.application.ports import Transactions
from regulars_customer.domain.consents import Consent, Decision, current
from regulars_customer.domain.customer import decide
from regulars_kit.values import Clock, CustomerId


async def set_consent(customer_id: CustomerId, decision: Decision, begin: Transactions, now: Clock) -> Consent:
    """Record what the customer decided; the record that holds from now on. Said again, it is not recorded again.

    Raises `UnknownCustomer`.
    """
    async with begin() as unit:
        customer = await locked(unit, customer_id)
        revision = decide(customer, decision, at=now())
        await keep(unit, [revision])
    return current(revision.customer.consents)[decision.purpose, decision.channel]
