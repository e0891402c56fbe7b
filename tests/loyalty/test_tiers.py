"""Tiers (P10): reached by what qualifies in a calendar year, kept through the next one, lost by what it says."""

from __future__ import annotations

from typing import Any

import pytest

from builders import TIERS, a_programme, bought, local, returned
from loyalty.books import folded
from regulars_loyalty.domain.facts import Fact
from regulars_loyalty.domain.programme import Programme

LADDER = [*TIERS, {"code": "platinum", "from": 3000, "multiplier": "2"}]


def a_club(**said: Any) -> Programme:
    return a_programme(tiers=LADDER, **said)


CLUB = a_club()
GUARANTEE = a_club(qualify={"on_return": "guarantee"})


def tier_at(facts: list[Fact], when: str, club: Programme = CLUB) -> str | None:
    return folded(facts, club, local(when)).tier


def test_a_threshold_is_inclusive_and_counts_from_the_next_purchase_on() -> None:
    first, second = bought(100_000, "2026-02-01", CLUB), bought(10_000, "2026-02-02", CLUB)
    account = folded([first, second], CLUB)
    assert account.bought[first.fact_id].price.tier == "base"
    assert account.bought[first.fact_id].price.earned == 1000
    assert account.bought[second.fact_id].price.tier == "gold"
    assert account.bought[second.fact_id].price.earned == 150
    assert tier_at([bought(99_999, "2026-02-01", CLUB)], "2026-02-01") == "base"


def test_a_tier_is_kept_to_the_end_of_the_next_year() -> None:
    sale = bought(100_000, "2026-02-01", CLUB)
    assert tier_at([sale], "2027-12-31 23:59:59") == "gold"
    assert tier_at([sale], "2028-01-01 00:00") == "base"


def test_then_the_ended_year_decides_however_far_down() -> None:
    platinum = bought(300_000, "2026-02-01", CLUB)
    assert tier_at([platinum], "2027-12-31") == "platinum"
    assert tier_at([platinum, bought(5_000, "2027-06-01", CLUB)], "2028-01-01") == "base"
    # 1,000.00 in 2027 at platinum: credit is base points, so 1,000 qualify for gold in 2028
    assert tier_at([platinum, bought(100_000, "2027-06-01", CLUB)], "2028-01-01") == "gold"
    assert tier_at([platinum, bought(100_000, "2027-06-01", CLUB)], "2029-01-01") == "base"


def test_a_purchase_on_new_years_eve_counts_in_its_local_year() -> None:
    eve, new_year = bought(60_000, "2026-12-31 23:30", CLUB), bought(60_000, "2027-01-01 00:30", CLUB)
    assert tier_at([eve, new_year], "2027-01-02") == "base", "600 in each year, 1,000 in none"


def test_a_return_counts_against_the_year_of_its_purchase() -> None:
    old, new = bought(100_000, "2026-02-01", CLUB), bought(100_000, "2027-02-01", CLUB)
    assert tier_at([old, new, returned(old, "2027-03-01")], "2028-06-01") == "gold"
    assert tier_at([old, new, returned(new, "2027-03-01")], "2028-06-01") == "base"


def test_revoke_ends_the_tier_at_the_return() -> None:
    sale = bought(100_000, "2026-02-01", CLUB)
    meanwhile = bought(10_000, "2026-02-02", CLUB)
    back = returned(sale, "2026-02-03 12:00")
    account = folded([sale, meanwhile, back, bought(10_000, "2026-02-04", CLUB)], CLUB)
    assert account.tier == "base"
    assert [each.price.earned for each in account.bought.values()] == [1000, 150, 100]


def test_guarantee_keeps_it_to_the_end_of_its_time() -> None:
    sale = bought(100_000, "2026-02-01", GUARANTEE)
    facts: list[Fact] = [sale, returned(sale, "2026-02-03")]
    assert tier_at(facts, "2027-12-31", GUARANTEE) == "gold"
    assert tier_at(facts, "2028-01-01", GUARANTEE) == "base"


def test_spend_qualifies_in_minor_units() -> None:
    club = a_club(qualify={"by": "spend"}, earn={"EUR": "5"})
    assert tier_at([bought(999, "2026-02-01", club)], "2026-02-01", club) == "base"
    assert tier_at([bought(1000, "2026-02-01", club)], "2026-02-01", club) == "gold"


def test_bonuses_and_multipliers_do_not_qualify() -> None:
    club = a_club(rules=[{"code": "x9", "multiplier": "9", "bonus": 500}])
    assert tier_at([bought(99_900, "2026-02-01", club)], "2026-02-01", club) == "base"


def test_at_the_turn_of_the_year_points_expire_before_the_tier_ends() -> None:
    club = a_club(expires={"after": "P1Y"})
    sale = bought(100_000, "2026-12-31", club)
    assert folded([sale], club, local("2027-12-31 23:59:59")).balance == 1000
    account = folded([sale], club, local("2028-01-01"))
    assert (account.balance, account.tier) == (0, "base")


@pytest.mark.parametrize("on_return", ["revoke", "guarantee"])
def test_a_club_without_tiers_has_none(on_return: str) -> None:
    club = a_programme(qualify={"on_return": on_return})
    assert tier_at([bought(100_000, "2026-02-01", club)], "2027-01-01", club) is None


def test_a_new_version_of_the_tiers_holds_from_its_day() -> None:
    lower = {"effective_from": "2026-03-01", "tiers": [TIERS[0], {**TIERS[1], "from": 500}]}
    base = {"effective_from": "2020-01-01", "time_zone": "Europe/Berlin", "stores": ["*"], "earn": {"EUR": "1"}}
    club = a_programme(base | {"tiers": TIERS}, base | lower)
    facts: list[Fact] = [bought(60_000, "2026-02-01", club), bought(10_000, "2026-03-02", club)]
    account = folded(facts, club)
    assert account.tier == "gold"
    assert [each.price.earned for each in account.bought.values()] == [600, 150]
