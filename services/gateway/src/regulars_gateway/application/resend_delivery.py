from __future__ import annotations

from uuid import UUID

from regulars_gateway.application.ports import Begin
from regulars_gateway.application.reading import delivery_of, endpoint_of
from regulars_gateway.domain.deliveries import Delivery
from regulars_gateway.domain.refusals import EndpointIsDisabled
from regulars_kit.values import Clock


async def resend_delivery(delivery_id: UUID, begin: Begin, now: Clock) -> Delivery:
    """Deliver it again, now, whatever came of it before; with the same webhook-id, since it is the same event.

    Raises `UnknownDelivery`, `UnknownEndpoint`, `EndpointIsDisabled`.
    """
    async with begin() as unit:
        delivery = await delivery_of(unit, delivery_id)
        if not (await endpoint_of(unit, delivery.endpoint_id)).is_enabled:
            raise EndpointIsDisabled("the endpoint gets no deliveries: enable it first")
        await unit.deliveries.resend(delivery, now())
        return await delivery_of(unit, delivery_id)
