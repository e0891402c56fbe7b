from __future__ import annotations

from collections.abc import Sequence

from regulars_customer.application.ports import Reads
from regulars_customer.application.read_customer import read_customer
from regulars_customer.domain.consents import Consent
from regulars_kit.values import CustomerId


async def read_consents(customer_id: CustomerId, begin: Reads) -> Sequence[Consent]:
    """The customer's ledger of consents, oldest first. Raises `UnknownCustomer`."""
    return (await read_customer(customer_id, begin)).consents
