"""A programme's document: read whole, or refused with the place of its first fault."""

from __future__ import annotations

import copy
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from builders import BERLIN, TIERS, a_document, the_specs_example
from regulars_loyalty.domain.calendar import Period
from regulars_loyalty.domain.programme import Late, OnReturn, QualifyBy, Shortage, Tier, When
from regulars_loyalty.domain.programme_document import parse
from regulars_loyalty.domain.refusals import InvalidProgramme, NotSupported


def test_the_specs_example_is_read_whole() -> None:
    version = parse(the_specs_example(), "club", 3)
    assert (version.programme, version.number, version.effective_from) == ("club", 3, date(2026, 1, 1))
    assert (version.zone, version.stores, version.wallet) == (BERLIN, frozenset({"*"}), "points")
    assert (version.earn, version.point_value) == ({"EUR": Fraction(1)}, {"EUR": Fraction(1, 100)})
    assert version.lot_life == Period(12, 0)
    assert version.tiers == (Tier("base", 0, Fraction(1)), Tier("gold", 1000, Fraction(3, 2)))
    assert (version.qualify_by, version.on_return) == (QualifyBy.BASE_POINTS, OnReturn.REVOKE)
    assert (version.shortage, version.late, version.grace_days) == (Shortage.DEBT, Late.NO_RERATE, 0)
    shoes, welcome = version.rules
    assert (shoes.code, shoes.multiplier, shoes.bonus) == ("x2-shoes", Fraction(2), 0)
    assert shoes.when == When(categories=frozenset({"shoes"}), from_day=date(2026, 3, 1))
    assert (welcome.code, welcome.multiplier, welcome.bonus) == ("welcome", Fraction(1), 50)
    assert welcome.when == When(first_purchase=True)


def test_what_is_left_out_has_a_plain_meaning() -> None:
    version = parse({"effective_from": "2026-01-01", "time_zone": "UTC", "stores": ["a"], "earn": {"EUR": "1"}}, "c", 1)
    assert (version.wallet, version.point_value, version.lot_life, version.tiers) == ("points", {}, None, ())
    assert (version.rules, version.grace_days) == ((), 0)


def test_every_condition_is_read() -> None:
    when = {
        "category": ["a"],
        "sku": ["b"],
        "store": ["c"],
        "channel": ["d"],
        "from": "2026-01-01",
        "to": "2026-02-01",
        "first_purchase": False,
        "every_nth_visit": 3,
    }
    version = parse(a_document(rules=[{"code": "all", "when": when, "multiplier": "1/3", "bonus": 7}]), "club", 1)
    assert version.rules[0].when == When(
        categories=frozenset({"a"}),
        skus=frozenset({"b"}),
        stores=frozenset({"c"}),
        channels=frozenset({"d"}),
        from_day=date(2026, 1, 1),
        to_day=date(2026, 2, 1),
        first_purchase=False,
        every_nth_visit=3,
    )
    assert version.rules[0].multiplier == Fraction(1, 3)


FLOATS_AND_FRIENDS = [1.5, 1, "1,5", "-1", "1/0", "1e3", " 1", "1.", ".5", "", None, True, "1/2/3", "٣"]


@pytest.mark.parametrize("factor", FLOATS_AND_FRIENDS)
def test_a_factor_is_a_decimal_string_or_a_fraction(factor: object) -> None:
    with pytest.raises(InvalidProgramme) as refusal:
        parse(a_document(earn={"EUR": factor}), "club", 1)
    assert refusal.value.field == "/earn/EUR"


def at(document: dict[str, Any], pointer: str, value: object) -> dict[str, Any]:
    """The document with one value put in another's place."""
    changed = copy.deepcopy(document)
    *path, last = pointer.strip("/").split("/")
    place: Any = changed
    for name in path:
        place = place[int(name)] if isinstance(place, list) else place[name]
    if isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return changed


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/effective_from", "2026-02-30"),
        ("/effective_from", "2026-1-1"),
        ("/effective_from", 20260101),
        ("/effective_from", "20260101"),
        ("/time_zone", "Europe/Atlantis"),
        ("/time_zone", "../../etc/passwd"),
        ("/time_zone", None),
        ("/stores", []),
        ("/stores", "*"),
        ("/stores", [""]),
        ("/stores", [1]),
        ("/wallet", ""),
        ("/wallet", 7),
        ("/earn", {}),
        ("/earn", []),
        ("/earn/eur", "1"),
        ("/earn/EURO", "1"),
        ("/point_value", {}),
        ("/point_value/EUR", "0"),
        ("/point_value/EUR", 0.01),
        ("/expires", "P12M"),
        ("/expires/after", "12 months"),
        ("/expires/after", "P9999Y"),
        ("/expires/after", 12),
        ("/expires/from", "delivered"),
        ("/expires/until", "2027-01-01"),
        ("/pending", "soon"),
        ("/return_period", 14),
        ("/tiers", {}),
        ("/tiers/0/from", 1),
        ("/tiers/1/from", 0),
        ("/tiers/1/from", -1),
        ("/tiers/1/from", True),
        ("/tiers/1/from", 1000.0),
        ("/tiers/1/code", "base"),
        ("/tiers/1/code", ""),
        ("/tiers/1/multiplier", 1.5),
        ("/tiers/1/colour", "gold"),
        ("/qualify/by", "visits"),
        ("/qualify/by", []),
        ("/qualify/period", "month"),
        ("/qualify/on_return", "forgive"),
        ("/rules", {"x2": {}}),
        ("/rules/0", "x2"),
        ("/rules/0/code", None),
        ("/rules/0/multiplier", 2),
        ("/rules/0/when", ["shoes"]),
        ("/rules/0/when/category", "shoes"),
        ("/rules/0/when/category", []),
        ("/rules/0/when/colour", ["red"]),
        ("/rules/0/when/to", "2026-03-01"),
        ("/rules/0/when/to", "tomorrow"),
        ("/rules/0/when/every_nth_visit", 0),
        ("/rules/0/when/every_nth_visit", "3"),
        ("/rules/1/when/first_purchase", "yes"),
        ("/rules/1/bonus", -5),
        ("/rules/1/bonus", 1.5),
        ("/policies/debt", "forgive"),
        ("/policies/late", "sometimes"),
        ("/policies/grace_days", "3"),
        ("/policies/grace_days", 100_000),
        ("/policies/mercy", True),
        ("/surprise", 1),
    ],
)
def test_a_fault_is_refused_with_its_place(pointer: str, value: object) -> None:
    with pytest.raises(InvalidProgramme) as refusal:
        parse(at(the_specs_example(), pointer, value), "club", 1)
    assert refusal.value.field == pointer


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/pending", "P3D"),
        ("/qualify/period", "P12M"),
        ("/qualify/period", "rolling"),
        ("/caps", [{"per": "day", "points": 100}]),
        ("/guards", []),
        ("/exclusions", ["tobacco"]),
        ("/expected_redemption", "0.8"),
        ("/policies/hold_flagged", True),
        ("/rules/0/when/birthday", True),
        ("/rules/0/when/weekday", ["mon"]),
        ("/rules/0/when/hour", [9, 12]),
        ("/rules/0/when/basket_threshold", 5000),
    ],
)
def test_what_is_not_done_yet_is_refused_and_named(pointer: str, value: object) -> None:
    with pytest.raises(NotSupported) as refusal:
        parse(at(the_specs_example(), pointer, value), "club", 1)
    assert refusal.value.field == pointer


@pytest.mark.parametrize("missing", ["effective_from", "time_zone", "stores", "earn"])
def test_a_missing_field_is_named(missing: str) -> None:
    document = a_document()
    del document[missing]
    with pytest.raises(InvalidProgramme) as refusal:
        parse(document, "club", 1)
    assert refusal.value.field == f"/{missing}"


def test_a_slash_in_a_name_is_escaped_in_its_pointer() -> None:
    with pytest.raises(InvalidProgramme) as refusal:
        parse(a_document(**{"a/b~c": 1}), "club", 1)
    assert refusal.value.field == "/a~1b~0c"


def test_tiers_begin_with_everybodys() -> None:
    with pytest.raises(InvalidProgramme) as refusal:
        parse(a_document(tiers=TIERS[1:]), "club", 1)
    assert refusal.value.field == "/tiers/0/from"


def test_a_rule_without_effect_is_refused() -> None:
    with pytest.raises(InvalidProgramme):
        parse(a_document(rules=[{"code": "nothing", "multiplier": "1"}]), "club", 1)


def test_spend_in_two_currencies_does_not_add_up() -> None:
    with pytest.raises(InvalidProgramme) as refusal:
        parse(a_document(earn={"EUR": "1", "GBP": "1"}, qualify={"by": "spend"}), "club", 1)
    assert refusal.value.field == "/qualify/by"


def test_no_document_at_all_is_refused() -> None:
    with pytest.raises(InvalidProgramme):
        parse([], "club", 1)  # type: ignore[arg-type]


def test_a_very_long_list_is_refused() -> None:
    rules = [{"code": str(number), "bonus": 1} for number in range(1001)]
    with pytest.raises(InvalidProgramme) as refusal:
        parse(a_document(rules=rules), "club", 1)
    assert refusal.value.field == "/rules"
