"""What a customer allows."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from regulars_customer.adapters.http.answers import ConsentOut, ConsentsOut
from regulars_customer.adapters.http.context import Here
from regulars_customer.adapters.http.requests import DecisionIn
from regulars_customer.application.read_consents import read_consents
from regulars_customer.application.set_consent import set_consent
from regulars_customer.domain.consents import Channel, Purpose
from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.values import CustomerId

router = Router(tags=["consents"])

Reader = Annotated[Principal, Depends(requires("consents:read"))]
Writer = Annotated[Principal, Depends(requires("consents:write"))]


@router.get("/v1/customers/{customer_id}/consents")
async def get_consents(customer_id: UUID, principal: Reader, here: Here) -> ConsentsOut:
    """What holds now, for every purpose and channel, and the ledger it follows from. No record means no."""
    return ConsentsOut.of(await read_consents(CustomerId(customer_id), here.read))


@router.put("/v1/customers/{customer_id}/consents/{purpose}/{channel}")
async def put_consent(
    customer_id: UUID, purpose: Purpose, channel: Channel, body: DecisionIn, principal: Writer, here: Here
) -> ConsentOut:
    """Record what the customer decided, at once in force. Said again, it is not recorded again."""
    decision = body.to_decision(purpose, channel)
    return ConsentOut.of(await set_consent(CustomerId(customer_id), decision, here.begin, here.now))
