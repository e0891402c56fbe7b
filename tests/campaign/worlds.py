"""Random shops: facts about a few customers, the events that tell of them in any order, and rules to judge them by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from campaign import happenings as told
from campaign.naive import Person, Receipt
from campaign.shop import NOON
from regulars_contracts.events import Event
from regulars_contracts.events.loyalty import PurchaseClaimed

CUSTOMERS = [UUID(int=(0xC0 << 120) | number) for number in range(1, 5)]
COUNTRIES, TAGS, TIERS = ["DE", "AT", "GB"], ["vip", "club"], ["silver", "gold"]
CATEGORIES, STORES, CHANNELS, CURRENCIES = ["shoes", "socks"], ["mitte", "ost"], ["store", "web"], ["EUR", "GBP"]
STAGES, BANDS, CELLS = ["loyal", "lapsed"], ["low", "high"], ["champions", "at risk"]
PROGRAMMES = ["club", "spa"]
AGES = [0, 1, 29, 30, 31, 89, 90, 91, 200]
"""Days ago: windows end at some of them."""


@dataclass(slots=True)
class World:
    """People, and the events that tell of them; one or the other may be told twice."""

    people: dict[UUID, Person] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def person(self, customer: UUID) -> Person:
        return self.people.setdefault(customer, Person())


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world = World()
    for customer in draw(st.lists(st.sampled_from(CUSTOMERS), min_size=1, unique=True)):
        world.person(customer)
        for tell in draw(st.lists(st.sampled_from(_TELLERS), min_size=1, max_size=6)):
            tell(draw, world, customer)
    for event in world.events:
        if isinstance(event, PurchaseClaimed):
            # It tells of the balance before the account's first posting, which any other is newer than.
            world.person(event.customer_id).balances.setdefault("club", 0)
    world.events += draw(st.lists(st.sampled_from(world.events), max_size=2)) if world.events else []
    world.events = draw(st.permutations(world.events))
    # Nobody is in the shop's books of whom nothing was told.
    heard = {getattr(event, "customer_id", None) for event in world.events}
    world.people = {customer: person for customer, person in world.people.items() if customer in heard}
    return world


def _traits(draw: st.DrawFn, world: World, customer: UUID) -> None:
    if world.person(customer).traits:
        return
    known = {
        "country": draw(st.sampled_from(COUNTRIES)),
        "birth_month": draw(st.integers(1, 3)),
        "tags": draw(st.lists(st.sampled_from(TAGS), min_size=1, unique=True)),
    }
    traits = {name: known[name] for name in draw(st.lists(st.sampled_from(sorted(known)), min_size=1, unique=True))}
    world.person(customer).traits = traits
    world.events.append(told.registered(customer, NOON - timedelta(days=400), country="XX"))
    world.events.append(told.traits_changed(customer, NOON - timedelta(days=1), **traits))


def _consent(draw: st.DrawFn, world: World, customer: UUID) -> None:
    granted = draw(st.booleans())
    if ("marketing", "email") not in world.person(customer).consents:
        world.person(customer).consents["marketing", "email"] = granted
        world.events.append(told.consented(customer, granted))
        world.events.append(told.consented(customer, not granted, NOON - timedelta(days=1)))


def _stage(draw: st.DrawFn, world: World, customer: UUID) -> None:
    if world.person(customer).stage is None:
        world.person(customer).stage = stage = draw(st.sampled_from(STAGES))
        world.events.append(told.staged(customer, stage))


def _account(draw: st.DrawFn, world: World, customer: UUID) -> None:
    person, programme = world.person(customer), draw(st.sampled_from(PROGRAMMES))
    if programme not in person.balances:
        person.balances[programme] = points = draw(st.integers(-5, 20))
        world.events.append(told.balance_changed(customer, points, 2, programme))
        world.events.append(told.balance_changed(customer, points + 1, 1, programme))
    if programme not in person.tiers and draw(st.booleans()):
        person.tiers[programme] = tier = draw(st.sampled_from(TIERS))
        world.events.append(told.tier_changed(customer, tier, programme=programme))


def _score(draw: st.DrawFn, world: World, customer: UUID) -> None:
    if world.person(customer).scores:
        return
    churn, alive = draw(st.integers(0, 100)), draw(st.integers(0, 100))
    rfm = [draw(st.integers(1, 5)) for _ in range(3)]
    words: dict[str, Any] = {"rfm_segment": draw(st.sampled_from(CELLS)), "churn_band": draw(st.sampled_from(BANDS))}
    decile, clv, currency = draw(st.integers(1, 10)), draw(st.integers(-3, 20)), draw(st.sampled_from(CURRENCIES))
    numbers = {"churn_90": Decimal(churn) / 100, "p_alive": Decimal(alive) / 100}
    axes = dict(zip(("recency", "frequency", "monetary"), rfm, strict=True))
    world.person(customer).scores = {**words, **numbers, **axes, "decile": decile, "clv": clv, "currency": currency}
    published: dict[str, Any] = {name: told.hundredth(number) for name, number in numbers.items()}
    world.events.append(
        told.scored(customer, rfm=rfm, decile=decile, clv_major=clv, currency=currency, **words, **published)
    )


def _purchase(draw: st.DrawFn, world: World, customer: UUID) -> None:
    """A purchase, perhaps nobody's at first, of which something may come back, or all be cancelled."""
    parts = draw(st.lists(st.tuples(st.sampled_from([*CATEGORIES, None]), st.integers(0, 30)), min_size=1, max_size=3))
    at = NOON - timedelta(days=draw(st.sampled_from(AGES)))
    place = {name: draw(st.sampled_from(values)) for name, values in _PLACES.items()}
    is_claimed = draw(st.booleans())
    bought = told.bought(None if is_claimed else customer, *parts, at=at, **place)
    world.events.append(bought)
    if is_claimed:
        world.events.append(told.claimed(bought, customer, seq=0))
    match draw(st.sampled_from(["keep", "keep", "return", "cancel"])):
        case "cancel":
            said = told.returned(bought, ("1", 1), customer=None if is_claimed else customer, voided=True)
            world.events.append(said)
            return
        case "return":
            line, back = draw(st.integers(1, len(parts))), draw(st.integers(0, 30))
            days = draw(st.sampled_from([0, 30]))
            when = min(at + timedelta(days=days), NOON)
            owner = None if is_claimed else customer
            said = told.returned(bought, (str(line), back), customer=owner, at=when, currency=place["currency"])
            world.events.append(said)
            returned = Receipt(
                said.return_id, when.date(), "mitte", None, place["currency"], ((parts[line - 1][0], back),)
            )
            world.person(customer).returns.append(returned)
    receipt = Receipt(bought.purchase_id, at.date(), place["store"], place["channel"], place["currency"], tuple(parts))
    world.person(customer).purchases.append(receipt)


_PLACES: dict[str, list[Any]] = {"store": STORES, "channel": CHANNELS, "currency": CURRENCIES}
_TELLERS = [_purchase, _purchase, _purchase, _account, _score, _traits, _consent, _stage]


def _some(values: list[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


def _compared(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(["gte", "gt", "lte", "lt", "eq"]), numbers, min_size=1, max_size=2)


_durations = st.sampled_from(["P1D", "P30D", "P1M", "P90D", "P3M"])


@st.composite
def _deeds(draw: st.DrawFn) -> dict[str, Any]:
    deed = draw(st.sampled_from(["purchases", "returns"]))
    measure = draw(st.sampled_from(["count", "sum", "avg", "min", "max", "first", "last"]))
    asked: dict[str, Any] = {}
    if draw(st.booleans()):
        most = 2 if measure in ("sum", "first", "last") else 1
        places = {"category": st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=most, unique=True)}
        places["store"] = _some(STORES)
        if deed == "purchases":
            places["channel"] = _some(CHANNELS)
        asked["where"] = {name: draw(places[name]) for name in draw(_some(sorted(places)))}
    if measure != "last" and draw(st.booleans()):
        asked["last"] = draw(_durations)
    if measure in ("first", "last"):
        return {deed: {measure: "at", **asked}, draw(st.sampled_from(["within", "before"])): draw(_durations)}
    if measure == "count":
        return {deed: {"count": True, **asked}, **draw(_compared(st.integers(0, 3)))}
    asked["currency"] = draw(st.sampled_from(CURRENCIES))
    return {deed: {measure: "net_minor", **asked}, **draw(_compared(st.integers(0, 40) | st.just(7.5)))}


def _object(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in fields.items()}
    )


def _with(fixed: st.SearchStrategy[dict[str, Any]], more: st.SearchStrategy[dict[str, Any]]) -> Any:
    return st.builds(lambda one, other: {**one, **other}, fixed, more)


_programme = st.one_of(st.just({}), _object(programme=st.sampled_from(PROGRAMMES)))
_leaves = st.one_of(
    _object(trait="country", **{"in": _some(COUNTRIES)}),
    _object(trait="tags", eq=st.sampled_from(TAGS)),
    _object(trait="birth_month", **{"in": st.lists(st.integers(1, 3), min_size=1, max_size=2)}),
    _object(consent=st.sampled_from(["marketing/email", "research/sms"])),
    _object(stage=_object(**{"in": _some(STAGES)})),
    _object(tier=_with(_object(**{"in": _some(TIERS)}), _programme)),
    _object(balance=_with(_compared(st.integers(-5, 20)), _programme)),
    _object(score="rfm_segment", **{"in": _some(CELLS)}),
    _object(score="churn_band", eq=st.sampled_from(BANDS)),
    _with(_object(score=st.sampled_from(["recency", "frequency", "monetary", "decile"])), _compared(st.integers(1, 5))),
    _with(_object(score=st.sampled_from(["churn_90", "p_alive"])), _compared(st.sampled_from([0, 0.1, 0.5, 0.81, 1]))),
    _with(_object(score="clv"), _compared(st.integers(-3, 20))),
    _with(_object(score="clv", currency=st.sampled_from(CURRENCIES)), _compared(st.integers(-3, 20))),
    _deeds(),
    _deeds(),
    _deeds(),
)
rules: st.SearchStrategy[dict[str, Any]] = st.recursive(
    _leaves,
    lambda parts: st.builds(
        lambda key, several: {key: several},
        st.sampled_from(["all", "any", "none"]),
        st.lists(parts, min_size=1, max_size=3),
    ),
    max_leaves=6,
)
