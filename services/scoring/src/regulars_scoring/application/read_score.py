from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from regulars_kit.values import CustomerId, currency_exponent
from regulars_scoring.application.identify import identified
from regulars_scoring.application.ports import House, Reads
from regulars_scoring.domain.cycle import OwnCycle, own_cycle_of
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.profit import NetValue, Past, net_value
from regulars_scoring.domain.refusals import NoModelYet, NotScoredYet
from regulars_scoring.domain.rfm import recent_of
from regulars_scoring.domain.scoring import Figures, Score, figures_of, residual_value, score
from regulars_scoring.domain.state import BuyingState, Entry, state_of


@dataclass(frozen=True, slots=True)
class LiveScore:
    customer_id: CustomerId
    """The surviving one of all their ids."""
    state: BuyingState
    score: Score
    figures: Figures
    model: Model
    residual_value: float | None
    """Of all purchases to come; None where a baseline serves."""
    own_cycle: OwnCycle | None
    """None where nobody ever came twice."""
    past: Past
    net_value: NetValue


async def read_score(customer_id: CustomerId, as_of: date | None, begin: Reads, house: House) -> LiveScore:
    """The score of today, or of the end of another day, by the model that serves.

    Raises `UnknownCustomer`, `NoModelYet`, and `NotScoredYet` for who has kept no purchase until that day.
    """
    async with begin() as unit:
        ids = await identified(customer_id, unit)
        ledger = await unit.customers.ledger(ids[0], as_of)
        model = await unit.model()
        if model is None:
            raise NoModelYet("no run was completed yet; POST /v1/scoring/runs starts one")
        occasions = sorted(day for day, entry in ledger.items() if entry.is_occasion)
        if not occasions:
            raise NotScoredYet("the customer has kept no purchase, so there is nothing to score")
        day = max(as_of or house.today(), occasions[-1])
        past = await unit.money.past(ids, model.currency, day)
    now = _score(ledger, model, day)
    state = state_of(ledger)
    return LiveScore(
        customer_id=ids[0],
        state=state,
        score=now,
        figures=figures_of(now, house.bands),
        model=model,
        residual_value=residual_value(state, model, day),
        own_cycle=own_cycle_of(occasions, now.segment, model.cycles, day),
        past=past,
        net_value=net_value(now.clv, past, model.everybody, 10.0 ** currency_exponent(model.currency)),
    )


def _score(ledger: Mapping[date, Entry], model: Model, day: date) -> Score:
    """Of a ledger with an occasion."""
    recent = None if model.window_days is None else recent_of(ledger, day, model.window_days)
    now = score(state_of(ledger), model, day, recent)
    assert now is not None
    return now
