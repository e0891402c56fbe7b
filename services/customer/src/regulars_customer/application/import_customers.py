from __future__ import annotations

from collections.abc import Sequence

from regulars_customer.application.ports import Transactions
from regulars_customer.application.upsert_by_external_id import (
    Contended,
    Upserted,
    upsert_by_external_id,
    upsert_together,
)
from regulars_customer.domain.customer import Registration
from regulars_kit.values import Clock, Refused


async def import_customers(
    registrations: Sequence[Registration], begin: Transactions, now: Clock
) -> list[Upserted | Refused]:
    """Upsert each, answered in their order; a bad one harms no other. Telling it all again makes no doubles.

    They share a transaction. When one of them breaks it, its halves are tried: the good ones still share.
    """
    if len(registrations) < 2:
        return [await _alone(registration, begin, now) for registration in registrations]
    try:
        return [*await upsert_together(registrations, begin, now)]
    except (Refused, Contended):
        half = len(registrations) // 2
        first = await import_customers(registrations[:half], begin, now)
        return first + await import_customers(registrations[half:], begin, now)


async def _alone(registration: Registration, begin: Transactions, now: Clock) -> Upserted | Refused:
    try:
        return await upsert_by_external_id(registration, begin, now)
    except Refused as refusal:
        return refusal
