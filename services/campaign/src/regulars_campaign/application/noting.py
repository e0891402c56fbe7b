"""What every use case does that keeps something about a customer: lock, store, and let the membership follow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from regulars_campaign.application.following import follow
from regulars_campaign.application.ports import Now, Transactions, Unit
from regulars_campaign.domain.rules import Facet
from regulars_kit.values import CustomerId


@asynccontextmanager
async def noting(customer_id: CustomerId, facet: Facet, begin: Transactions, now: Now) -> AsyncIterator[Unit]:
    """A unit of work in which the customer is locked; at its end the segments that the facet touches are judged."""
    async with begin() as unit:
        facets = await taken(unit, customer_id, [facet])
        yield unit
        await follow(unit, [customer_id], facets, now())


async def taken(unit: Unit, customer_id: CustomerId, facets: Collection[Facet]) -> Collection[Facet]:
    """Lock the customer; which facets to judge by.

    Somebody new is judged by every rule: some hold for whoever is known, as "never bought anything" does.
    """
    return list(Facet) if await unit.customers.take(customer_id) else facets
