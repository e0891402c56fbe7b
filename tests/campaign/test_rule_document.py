"""A rule is read strictly: what is not understood is refused, and the node is named."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars_campaign.domain.calendar import Period
from regulars_campaign.domain.refusals import InvalidRule, RuleTooLarge, UnknownRuleField
from regulars_campaign.domain.rule_document import DEEPEST, MOST_LEAVES, parse
from regulars_campaign.domain.rule_node import MOST_VALUES
from regulars_campaign.domain.rules import (
    BalanceIs,
    Behaviour,
    Deed,
    End,
    Every,
    Facet,
    HasConsent,
    Measure,
    Neither,
    Occurrence,
    Op,
    ScoreNumber,
    ScoreWithin,
    TierIs,
    TraitIs,
    Where,
    facets_of,
    is_timed,
    walk,
)

EXAMPLE: dict[str, Any] = {
    "all": [
        {"trait": "country", "in": ["DE", "AT"]},
        {"consent": "marketing/email"},
        {"score": "churn_90", "gte": 0.6},
        {
            "purchases": {"sum": "net_minor", "currency": "EUR", "last": "P90D", "where": {"category": ["shoes"]}},
            "gte": 10000,
        },
        {"none": [{"tier": {"in": ["gold"]}}]},
    ]
}
LEAF = {"consent": "marketing/email"}


def nested(levels: int) -> dict[str, Any]:
    rule: dict[str, Any] = LEAF
    for _ in range(levels):
        rule = {"all": [rule]}
    return rule


def test_the_specs_example_is_read_whole() -> None:
    assert parse(EXAMPLE) == Every(
        (
            TraitIs("country", ("DE", "AT")),
            HasConsent("marketing", "email"),
            ScoreWithin(ScoreNumber.CHURN_90, ((Op.GTE, Decimal("0.6")),)),
            Behaviour(
                Deed.PURCHASES,
                Measure.SUM,
                ((Op.GTE, Decimal(10000)),),
                "EUR",
                Period(0, 90),
                Where(categories=("shoes",)),
            ),
            Neither((TierIs(("gold",)),)),
        )
    )


def test_a_rule_knows_what_it_looks_at_and_whether_time_changes_it() -> None:
    rule = parse(EXAMPLE)
    assert facets_of(rule) == {Facet.TRAITS, Facet.CONSENTS, Facet.SCORES, Facet.PURCHASES, Facet.TIER}
    assert is_timed(rule)
    assert not is_timed(parse({"purchases": {"count": True}, "gte": 3}))
    assert is_timed(parse({"purchases": {"last": "at"}, "before": "P180D"}))


def test_every_node_has_its_place() -> None:
    places = [at for at, _ in walk(parse(EXAMPLE))]
    assert places == ["", "/all/0", "/all/1", "/all/2", "/all/3", "/all/4", "/all/4/none/0"]


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ({"trait": "birth_month", "eq": 5}, TraitIs("birth_month", (5,))),
        ({"balance": {"gte": 100, "lt": 500}}, BalanceIs(((Op.GTE, Decimal(100)), (Op.LT, Decimal(500))))),
        (
            {"purchases": {"first": "at", "last": "P1Y"}, "within": "P30D"},
            Occurrence(Deed.PURCHASES, End.FIRST, Period(0, 30), None, Period(12, 0)),
        ),
        (
            {"returns": {"last": "at", "where": {"store": "mitte"}}, "before": "P6M"},
            Occurrence(Deed.RETURNS, End.LAST, None, Period(6, 0), None, Where(stores=("mitte",))),
        ),
    ],
)
def test_leaves_say_what_they_ask(document: dict[str, Any], rule: object) -> None:
    assert parse(document) == rule


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({}, ""),
        ({"shoe_size": 39}, ""),
        ({"trait": "shoe_size", "eq": 39}, "/trait"),
        ({"consent": "marketing/pigeon"}, "/consent"),
        ({"consent": "email"}, "/consent"),
        ({"score": "karma", "gte": 1}, "/score"),
        ({"stage": {"eq": "happy"}}, "/stage"),
        ({"trait": "country", "eq": "DE", "really": True}, "/really"),
        ({"tier": {"in": ["gold"], "of": "club"}}, "/tier/of"),
        ({"purchases": {"count": True, "where": {"colour": "red"}}, "gte": 1}, "/purchases/where/colour"),
        ({"returns": {"count": True, "where": {"channel": "web"}}, "gte": 1}, "/returns/where/channel"),
        ({"all": [LEAF], "gte": 1}, "/gte"),
        ({"any": [LEAF, {"none": [{"trait": "a/b", "eq": "x", "c~d/e": 1}]}]}, "/any/1/none/0/c~0d~1e"),
    ],
)
def test_what_does_not_exist_is_named(document: dict[str, Any], place: str) -> None:
    with pytest.raises(UnknownRuleField) as caught:
        parse(document)
    assert caught.value.field == place


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (None, ""),
        ([LEAF], ""),
        ({"all": []}, "/all"),
        ({"all": LEAF}, "/all"),
        ({"all": [LEAF, 7]}, "/all/1"),
        ({"all": [LEAF], "any": [LEAF]}, ""),
        ({"trait": "country"}, ""),
        ({"trait": "country", "eq": "DE", "in": ["AT"]}, ""),
        ({"trait": "country", "in": "DE"}, "/in"),
        ({"trait": "country", "in": ["DE", 5]}, "/in/1"),
        ({"trait": "country", "eq": ""}, "/eq"),
        ({"trait": "country", "eq": "D\nE"}, "/eq"),
        ({"trait": "country", "eq": "D" * 256}, "/eq"),
        ({"trait": "birth_month", "eq": "5"}, "/eq"),
        ({"trait": "birth_month", "in": [5, True]}, "/in"),
        ({"trait": 7, "eq": "x"}, "/trait"),
        ({"tier": "gold"}, "/tier"),
        ({"balance": {}}, "/balance"),
        ({"balance": {"gte": "100"}}, "/balance/gte"),
        ({"balance": {"gte": True}}, "/balance/gte"),
        ({"balance": {"gte": 10**12 + 1}}, "/balance/gte"),
        ({"score": "churn_90", "gte": None}, "/gte"),
        ({"score": "clv", "gte": 1, "currency": "euro"}, "/currency"),
        ({"purchases": {}, "gte": 1}, "/purchases"),
        ({"purchases": {"count": True}}, ""),
        ({"purchases": {"count": 1}, "gte": 1}, "/purchases/count"),
        ({"purchases": {"count": True, "sum": "net_minor"}, "gte": 1}, "/purchases"),
        ({"purchases": {"count": True, "currency": "EUR"}, "gte": 1}, "/purchases/currency"),
        ({"purchases": {"sum": "net_minor"}, "gte": 1}, "/purchases/currency"),
        ({"purchases": {"sum": "cost", "currency": "EUR"}, "gte": 1}, "/purchases/sum"),
        ({"purchases": {"count": True, "last": "90 days"}, "gte": 1}, "/purchases/last"),
        ({"purchases": {"count": True, "last": "P0D"}, "gte": 1}, "/purchases/last"),
        ({"purchases": {"count": True, "last": "P11Y"}, "gte": 1}, "/purchases/last"),
        ({"purchases": {"count": True, "where": {}}, "gte": 1}, "/purchases/where"),
        ({"purchases": {"count": True, "where": {"category": []}}, "gte": 1}, "/purchases/where/category"),
        ({"purchases": {"count": True, "where": {"category": ["a", "b"]}}, "gte": 1}, "/purchases/where"),
        ({"purchases": {"first": "at"}}, ""),
        ({"purchases": {"first": "at", "last": "at"}, "within": "P1D"}, "/purchases"),
        ({"purchases": {"first": "at"}, "within": "P1D", "before": 5}, "/before"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_node(document: object, place: str) -> None:
    with pytest.raises(InvalidRule) as caught:
        parse(document)
    assert caught.value.field == place


@pytest.mark.parametrize(
    ("fits", "is_too_large", "place"),
    [
        (nested(DEEPEST), nested(DEEPEST + 1), "/all/0" * DEEPEST),
        ({"any": [LEAF] * MOST_LEAVES}, {"any": [LEAF] * (MOST_LEAVES + 1)}, f"/any/{MOST_LEAVES}"),
        (
            {"trait": "city", "in": ["York"] * MOST_VALUES},
            {"trait": "city", "in": ["York"] * (MOST_VALUES + 1)},
            "/in",
        ),
    ],
)
def test_a_rule_may_be_so_large_and_no_larger(fits: object, is_too_large: object, place: str) -> None:
    parse(fits)
    with pytest.raises(RuleTooLarge) as caught:
        parse(is_too_large)
    assert caught.value.field == place


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "none", "trait", "eq", "in", "purchases", "count", "gte", "last", "score"])
            | st.text(),
            parts,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(_json)
def test_whatever_is_sent_is_a_rule_or_is_refused(document: object) -> None:
    try:
        parse(document)
    except InvalidRule as refusal:
        assert refusal.field is not None


@pytest.mark.parametrize(
    ("period", "day", "before"),
    [
        ("P90D", date(2026, 3, 20), date(2025, 12, 20)),
        ("P1M", date(2026, 3, 31), date(2026, 2, 28)),
        ("P1Y2M", date(2026, 1, 31), date(2024, 11, 30)),
        ("P2W", date(2026, 3, 1), date(2026, 2, 15)),
        ("P1M1D", date(2024, 3, 31), date(2024, 2, 28)),
    ],
)
def test_a_period_is_reckoned_on_the_calendar(period: str, day: date, before: date) -> None:
    assert Period.parse(period).before(day) == before
