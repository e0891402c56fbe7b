from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from regulars_kit.values import CustomerId, currency_exponent
from regulars_scoring.application.ports import House, Reading, Reads
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.profit import NetValue, Past, net_value
from regulars_scoring.domain.refusals import NoModelYet, NotScoredYet, UnknownCustomer
from regulars_scoring.domain.scoring import Figures, Score, figures_of, residual_value, score
from regulars_scoring.domain.state import BuyingState, state_of


@dataclass(frozen=True, slots=True)
class LiveScore:
    customer_id: CustomerId
    state: BuyingState
    score: Score
    figures: Figures
    model: Model
    residual_value: float | None
    """Of all purchases to come; None where a baseline serves."""
    past: Past
    net_value: NetValue


async def read_score(customer_id: CustomerId, as_of: date | None, begin: Reads, house: House) -> LiveScore:
    """The score of today, or of the end of another day, by the model that serves.

    Raises `UnknownCustomer`, `NoModelYet`, and `NotScoredYet` for who has kept no purchase until that day.
    """
    async with begin() as unit:
        state = await _state(unit, customer_id, as_of)
        model = await unit.model()
        if model is None:
            raise NoModelYet("no run was completed yet; POST /v1/scoring/runs starts one")
        day = as_of or house.today()
        live = score(state, model, day)
        if live is None:
            raise NotScoredYet("the customer has kept no purchase, so there is nothing to score")
        past = await unit.money.past(customer_id, model.currency, live.as_of)
    return LiveScore(
        customer_id,
        state,
        live,
        figures_of(live, house.bands),
        model,
        residual_value(state, model, day),
        past,
        net_value(live.clv, past, model.everybody, 10.0 ** currency_exponent(model.currency)),
    )


async def _state(unit: Reading, customer_id: CustomerId, as_of: date | None) -> BuyingState:
    customer = await unit.customers.find(customer_id)
    if customer is None:
        raise UnknownCustomer("nobody has registered or bought under this id")
    return customer.state if as_of is None else state_of(await unit.customers.ledger(customer_id, as_of))
