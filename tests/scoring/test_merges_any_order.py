"""The law of merges: whatever is heard in whatever order, states are those of all facts of all ids of each customer."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import regulars_scoring.adapters.db.people as db
from regulars_contracts.events import Event
from regulars_kit.values import CustomerId
from regulars_scoring.domain.state import Entry, state_of
from scoring.merging import PEOPLE, amounts_of, an_opening, stories
from scoring.opening import tell
from scoring.shop import Shop, a_merge, a_return, a_sale, undone

ALIASES = "SELECT id, surviving_id FROM customer_alias"
DAYS = "SELECT customer_id, day, net_minor, open_purchases FROM days WHERE (net_minor, open_purchases) <> (0, 0)"
STATES = """
    SELECT id, occasions, total_minor, first_day, last_day, first_net_minor FROM customers
    WHERE (occasions, total_minor) <> (0, 0)
"""


@settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(story=stories(), together=st.sampled_from([1, 1, 1, 4, 200]))
async def test_any_order_ends_in_the_state_of_all_facts(shop: Shop, story: list[Event], together: int) -> None:
    await shop.begins_anew()
    await tell(shop, [an_opening(), *story], together)
    await the_law_holds(shop, story)


@pytest.mark.parametrize(
    ("statement", "right", "wrong"),
    [
        ("_KEEP_MERGES", "SET is_undone = true", "SET is_undone = false"),
        ("_GROUPS", "survivors.id = surviving_id", "false"),
        ("_PURCHASES", "= ANY($1)", "= ($1::uuid[])[1]"),
        ("_UNMATCHED", "purchase_id IS NULL", "purchase_id IS NOT NULL"),
        ("_SURVIVORS", "= ANY($1)", "= ANY($1) AND false"),
    ],
)
async def test_a_statement_that_takes_merges_wrongly_is_seen(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, statement: str, right: str, wrong: str
) -> None:
    anna, ben, carl, dora, _ = PEOPLE
    mistake = a_merge(dora, anna)
    story = [
        *(a_sale(100, f"2026-01-0{day}", who) for day, who in enumerate(PEOPLE, 1)),
        a_return(77, on="2026-01-07", customer_id=carl),
        a_merge(carl, ben),
        mistake,
        a_merge(ben, anna),
        a_sale(500, "2026-01-08", carl),
        undone(mistake),
        a_sale(500, "2026-01-09", dora),
    ]
    await shop.hear(an_opening(), *story)
    await the_law_holds(shop, story)
    await shop.begins_anew()
    sql = getattr(db, statement)
    assert right in sql
    monkeypatch.setattr(db, statement, sql.replace(right, wrong))
    await shop.hear(an_opening(), *story)
    with pytest.raises(AssertionError):
        await the_law_holds(shop, story)


async def the_law_holds(shop: Shop, story: list[Event]) -> None:
    expected = amounts_of(story)
    assert dict(map(tuple, await shop.rows(ALIASES))) == expected.survivors
    days = {(row.customer_id, row.day): (row.net_minor, row.open_purchases) for row in await shop.rows(DAYS)}
    assert days == {(who, on): entry for who, mine in expected.ledgers.items() for on, entry in mine.items()}
    states = {row.id: tuple(row[1:]) for row in await shop.rows(STATES)}
    for who, mine in expected.ledgers.items():
        state = state_of({on: Entry(*entry) for on, entry in mine.items()})
        told = (state.occasions, state.total_minor, state.first_day, state.last_day, state.first_net_minor)
        assert states.pop(CustomerId(who), (0, 0, None, None, 0)) == told
    assert states == {}
