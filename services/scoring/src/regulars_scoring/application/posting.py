"""From changes of the ledger to the customers' states, scores and announcements: one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from regulars_kit.values import CustomerId
from regulars_scoring.application.listening import Listening, Posted
from regulars_scoring.application.ports import Customer, House
from regulars_scoring.domain.facts import CustomerScored, Fact, told_of
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.purchases import Posting
from regulars_scoring.domain.rfm import Recent
from regulars_scoring.domain.scoring import figures_of, score
from regulars_scoring.domain.state import followed, state_of


async def post(unit: Listening, postings: Sequence[Posting], house: House) -> None:
    """Enter them, one for each day of a locked customer; follow them in the states, and score anew by the model if any.

    What is published of a customer is what all of it amounts to.
    """
    if not postings:
        return
    customers = await _followed(unit, await unit.post(postings))
    await unit.store(customers)
    # Read after the customers were locked: a run that takes over later will find them changed.
    model = await unit.model()
    if model is None:
        return
    published: list[CustomerScored] = []
    facts: list[Fact] = []
    recent = await recent_of_all(unit, customers, model, house.today())
    for customer in customers:
        scored = scored_live(customer, model, house, recent.get(customer.id))
        news = [] if scored is None else told_of(customer.id, customer.figures, scored)
        if scored is not None and news:
            published.append(scored)
            facts += news
    await unit.publish(published)
    await unit.announce(facts)


async def _followed(unit: Listening, posted: Sequence[Posted]) -> Sequence[Customer]:
    states = {each.customer.id: followed(each.customer.state, each.changes) for each in posted}
    unclear = [customer_id for customer_id, state in states.items() if state is None]
    ledgers = await unit.ledgers(unclear) if unclear else {}
    return [
        replace(
            each.customer,
            state=states[each.customer.id] or state_of(ledgers[each.customer.id]),
            version=each.customer.version + 1,
        )
        for each in posted
    ]


class Windows(Protocol):
    """A store that knows what lies in the window of RFM."""

    async def recent(self, until: Mapping[CustomerId, date], window_days: int) -> Mapping[CustomerId, Recent]: ...


async def recent_of_all(
    store: Windows, customers: Sequence[Customer], model: Model, today: date
) -> Mapping[CustomerId, Recent]:
    """What the customers' scores of today need to know of the window of RFM: nothing where it looks at all history."""
    if model.window_days is None:
        return {}
    until = {each.id: max(today, each.state.last_day or today) for each in customers}
    return await store.recent(until, model.window_days)


def scored_live(customer: Customer, model: Model, house: House, recent: Recent | None) -> CustomerScored | None:
    """The customer's figures of today by the model; None when they have no occasion."""
    now = score(customer.state, model, house.today(), recent)
    if now is None:
        return None
    figures = figures_of(now, house.bands)
    return CustomerScored(customer.id, model.run_id, now.as_of, house.now(), model.name, figures, model.currency)
