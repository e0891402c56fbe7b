"""From a change of the ledger to the customer's state, score and announcements: one commit."""

from __future__ import annotations

from dataclasses import replace

from regulars_scoring.application.ports import Customer, House, Unit
from regulars_scoring.domain.facts import CustomerScored, told_of
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.purchases import Posting
from regulars_scoring.domain.scoring import figures_of, score
from regulars_scoring.domain.state import moved, state_of


async def post(unit: Unit, posting: Posting | None, house: House) -> None:
    """Enter it, follow it in the customer's state, and score them anew when there is a model."""
    if posting is None:
        return
    posted = await unit.customers.post(posting)
    customer = posted.customer
    state = moved(customer.state, posting.day, posted.before, posted.after)
    if state is None:
        state = state_of(await unit.customers.ledger(customer.id))
    now = replace(customer, state=state, version=customer.version + 1)
    model = await unit.customers.store(now)
    scored = None if model is None else scored_live(now, model, house)
    facts = [] if scored is None else told_of(customer.id, customer.figures, scored)
    if scored is not None and facts:
        await unit.customers.publish([scored])
        await unit.announce(facts)


def scored_live(customer: Customer, model: Model, house: House) -> CustomerScored | None:
    """The customer's figures of today by the model; None when they have no occasion."""
    now = score(customer.state, model, house.today())
    if now is None:
        return None
    figures = figures_of(now, house.bands)
    return CustomerScored(customer.id, model.run_id, now.as_of, house.now(), model.name, figures, model.currency)
