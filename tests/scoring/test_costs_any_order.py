"""Costs in any order, some of them twice, alone or together, come to what a reader of the whole story would say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from math import floor
from uuid import UUID

import pytest

import regulars_scoring.adapters.db.listening as db
from builders import ANNA, BEN, an_id
from regulars_contracts.events import Event
from regulars_contracts.events.campaign import MessageSent
from regulars_contracts.events.customer import Registered
from regulars_contracts.events.loyalty import (
    PointsAdjusted,
    PointsEarned,
    PointsExpired,
    ProgrammePublished,
    PurchaseClaimed,
    PurchaseRecorded,
    PurchaseReturned,
)
from regulars_scoring.domain.profit import Profit
from scoring.costs_shop import (
    a_bonus,
    a_costed_return,
    a_costed_sale,
    a_message,
    a_programme,
    an_adjustment,
    expired,
    won,
)
from scoring.opening import hear_together, tell
from scoring.shop import Shop, a_claim, a_return, a_sale

FIGURES = {
    "revenue_minor": "revenue_minor",
    "costed_minor": "line_cost_revenue_minor",
    "rated_minor": "margin_rate_revenue_minor",
    "margin_minor": "margin_minor",
    "points_cost_minor": "points_cost_minor",
    "campaign_cost_minor": "campaign_cost_minor",
    "acquisition_cost_minor": "acquisition_cost_minor",
}


def a_story(seed: int) -> list[Event]:
    """Half a year of Anna and Ben with costs of every kind, under terms that change twice."""
    chance = random.Random(seed)
    rates = chance.choices(["0", "0.35", "1/3", "1"], k=3)
    told: list[Event] = [
        a_programme(rates[0], "0.01", "2026-01-20", 1),
        a_programme(None if chance.random() < 0.3 else rates[1], "0.005", "2026-02-20", 2),
        a_programme(rates[2], "1/3", "2026-02-20", 3),
        a_sale(1, "2026-01-01"),
        won(700, ANNA),
        won(900, BEN, currency="CHF"),
    ]
    for customer in (ANNA, BEN):
        told += [a_message(chance.randint(0, 9), f"2026-0{month}-03", customer) for month in range(1, 6)]
        told += [a_bonus(33, 1, customer_id=customer), an_adjustment(-7, 2, customer_id=customer)]
        told += [expired(11, 3, customer_id=customer), a_return(77, on="2026-02-20", customer_id=customer)]
        for _ in range(6):
            told += _a_purchase(chance, customer)
    return told


def _a_purchase(chance: random.Random, customer: UUID) -> list[Event]:
    lines = [(net, chance.choice([None, net // 2, net + 3])) for net in chance.choices(range(3, 3000), k=3)]
    on, is_claimed = date(2026, chance.randint(1, 3), chance.randint(1, 28)), chance.random() < 0.3
    sale = a_costed_sale(
        *lines,
        on=on,
        earned=0 if is_claimed else chance.randint(0, 40),
        customer_id=None if is_claimed else customer,
        currency=chance.choice(["EUR", "EUR", "CHF"]),
        programme=chance.choice(["club", "club", "elsewhere"]),
    )
    told: list[Event] = [sale]
    if is_claimed:
        told.append(a_claim(sale, customer).model_copy(update={"earned": 30, "taken_back": 4}))
    back = chance.sample(lines, chance.randint(0, 3))
    return [*told, *(a_costed_return(sale, line, taken_back=chance.randint(0, 5)) for line in back)]


def in_disorder(story: Sequence[Event], seed: int) -> list[Event]:
    """The first purchase of all settles the currency; of the rest some is told twice, under other event ids."""
    first = next(event for event in story if isinstance(event, PurchaseRecorded))
    chance = random.Random(seed)
    told = [*story, *chance.sample(story, len(story) // 3)]
    chance.shuffle(told)
    return [first, *told]


def naive(story: Sequence[Event], customer: UUID) -> Profit:
    """Reads the story from its beginning to its end, with one customer in mind."""
    claims = {event.purchase_id: event for event in story if isinstance(event, PurchaseClaimed)}
    owners = {event.purchase_id: event.customer_id for event in story if isinstance(event, PurchaseRecorded)}
    owners |= {purchase_id: claim.customer_id for purchase_id, claim in claims.items()}
    told = Profit()
    for event in story:
        if isinstance(event, PurchaseRecorded) and owners[event.purchase_id] == customer:
            back = [each for each in story if getattr(each, "purchase_id", 0) == event.purchase_id]
            returns = [each for each in back if isinstance(each, PurchaseReturned)]
            told += _priced(story, event, returns, claims.get(event.purchase_id))
        elif getattr(event, "customer_id", None) == customer:
            told += _cost(story, event)
    return told


def _priced(
    story: Sequence[Event],
    sale: PurchaseRecorded,
    returns: Sequence[PurchaseReturned],
    claim: PurchaseClaimed | None,
) -> Profit:
    earned = sale.earned if claim is None else claim.earned - claim.taken_back
    points = earned - sum(each.taken_back for each in returns)
    cost_of_points = _rounded(points * _point(story, sale.programme, sale.business_date))
    if sale.currency != "EUR":
        return Profit(points_cost_minor=cost_of_points)
    lines = [(line.net_minor, line.cost_minor) for line in sale.lines]
    lines += [
        (-line.net_minor, None if line.cost_minor is None else -line.cost_minor)
        for each in returns
        for line in each.lines
    ]
    costed = sum(net for net, cost in lines if cost is not None)
    rest = sum(net for net, cost in lines if cost is None)
    terms = _in_force(story, sale.programme, sale.business_date)
    rate = terms.margin_rate if terms else None
    return Profit(
        revenue_minor=costed + rest,
        costed_minor=costed,
        rated_minor=rest if rate is not None else 0,
        margin_minor=costed - sum(cost or 0 for _, cost in lines) + _rounded(rest * Fraction(rate or "1")),
        points_cost_minor=cost_of_points,
    )


def _cost(story: Sequence[Event], event: Event) -> Profit:
    match event:
        case MessageSent():
            return Profit(campaign_cost_minor=event.cost_minor or 0)
        case Registered() if event.currency == "EUR":
            return Profit(acquisition_cost_minor=event.acquisition_cost_minor or 0)
        case PointsEarned() | PointsAdjusted() | PointsExpired():
            points = -event.points if isinstance(event, PointsExpired) else event.points
            return Profit(points_cost_minor=_rounded(points * _point(story, "club", event.occurred_at.date())))
        case PurchaseReturned(purchase_id=None):
            amount = -sum(line.net_minor for line in event.lines)
            terms = _in_force(story, event.programme, event.business_date)
            rate = terms.margin_rate if terms else None
            margin = _rounded(amount * Fraction(rate or "1"))
            return Profit(amount, 0, amount if rate is not None else 0, margin)
    return Profit()


def _in_force(story: Sequence[Event], code: str, day: date) -> ProgrammePublished | None:
    mine = [event for event in story if isinstance(event, ProgrammePublished) and event.code == code]
    first = min((event.effective_from for event in mine), default=day)
    begun = [event for event in mine if event.effective_from <= max(day, first)]
    return max(begun, key=lambda event: (event.effective_from, event.version), default=None)


def _point(story: Sequence[Event], code: str, day: date) -> Fraction:
    terms = _in_force(story, code, day)
    return 100 * Fraction(terms.point_value["EUR"]) if terms else Fraction(0)


def _rounded(amount: Fraction) -> int:
    """Half a minor unit is rounded away from 0."""
    size: int = floor(abs(amount) + Fraction(1, 2))
    return size if amount > 0 else -size


async def told_of(shop: Shop, customer: UUID) -> Profit:
    told = (await shop.score(customer))["historic"]
    return Profit(**{mine: told[name] for mine, name in FIGURES.items()})


async def the_law_holds(shop: Shop, story: Sequence[Event]) -> None:
    for customer in (ANNA, BEN):
        assert await told_of(shop, customer) == naive(story, customer)


@pytest.mark.parametrize(("seed", "together"), [(0, 1), (1, 1), (2, 1), (3, 13), (4, 40), (5, 200), (6, 200)])
async def test_costs_in_any_order_are_those_of_the_whole_story(scored: Shop, seed: int, together: int) -> None:
    story = a_story(seed)
    await tell(scored, in_disorder(story, seed), together)
    await the_law_holds(scored, story)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("mine.returned_cost_minor + excluded.returned_cost_minor", "excluded.returned_cost_minor"),
        ("mine.returned_costed_minor + excluded.returned_costed_minor", "mine.returned_costed_minor"),
        ("mine.taken_back + excluded.taken_back", "excluded.taken_back"),
        ("coalesce(mine.earned, excluded.earned)", "mine.earned"),
        ("coalesce(mine.cost_minor, excluded.cost_minor)", "mine.cost_minor"),
        ("coalesce(mine.programme, excluded.programme)", "mine.programme"),
    ],
)
async def test_a_statement_that_joins_costs_wrongly_is_seen(
    scored: Shop, monkeypatch: pytest.MonkeyPatch, right: str, wrong: str
) -> None:
    sql = db._KEEP_PURCHASES
    assert right in sql
    monkeypatch.setattr(db, "_KEEP_PURCHASES", sql.replace(right, wrong))
    sale = a_costed_sale((900, 500), (500, None), customer_id=None)
    claim = a_claim(sale).model_copy(update={"earned": 30})
    back = [a_costed_return(sale, (net, net // 2), taken_back=3) for net in (300, 200)]
    story = [a_programme(), *back, claim, sale]
    await scored.hear(*story)
    with pytest.raises(AssertionError):
        assert await told_of(scored, ANNA) == naive(story, ANNA)


async def test_members_that_hear_the_same_costs_in_different_orders_count_them_once(shop: Shop) -> None:
    story = a_story(7)
    await shop.hear(*story)
    tables = ("costs", "points", "terms")
    once = [sorted(map(str, await shop.rows(f"SELECT * FROM {table}"))) for table in tables]
    backwards = [shop.as_told(event, an_id()) for event in reversed(story)]
    await hear_together(shop, *backwards, together=13)
    assert [sorted(map(str, await shop.rows(f"SELECT * FROM {table}"))) for table in tables] == once
    assert await shop.rows("SELECT * FROM dead_letters") == []
