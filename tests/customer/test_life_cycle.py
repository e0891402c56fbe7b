"""The stages of a customer's life, by purchases and silence alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer.others import a_purchase, a_void, days_ago, picture, stage, tell, timeline
from customer.shop import Shop, a_verifier, settings_for
from regulars_contracts.events import Event
from regulars_contracts.events.customer import StageChanged
from regulars_customer.bootstrap import build
from regulars_customer.domain.life_cycle import History, LifeCycle, Rules, Stage, judged, stage_of
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.service import Service
from regulars_kit.values import CustomerId

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = Rules(lapsed_after=100 * DAY, loyal_from=4)

Days = st.lists(st.integers(0, 400), max_size=8)
"""Purchases, as days before noon."""


def a_history(*days_before: float) -> History:
    at = sorted(NOON - days * DAY for days in days_before)
    return History(len(at), at[0] if at else None, at[-2] if len(at) > 1 else None, at[-1] if at else None)


@pytest.mark.parametrize(
    ("days_before", "expected"),
    [
        ((), Stage.PROSPECT),
        ((1,), Stage.CUSTOMER),
        ((50, 1), Stage.REPEAT),
        ((60, 50, 40, 1), Stage.LOYAL),
        ((99.99,), Stage.CUSTOMER),
        ((100,), Stage.LAPSED),
        ((180, 170, 160, 150, 140), Stage.LAPSED),
        ((101, 1), Stage.WON_BACK),
        ((100.99, 1), Stage.REPEAT),
        ((300, 200, 5), Stage.WON_BACK),
        ((300, 5, 1), Stage.REPEAT),
        ((400, 300, 5, 1), Stage.LOYAL),
    ],
)
def test_a_stage_follows_from_the_purchases(days_before: tuple[float, ...], expected: Stage) -> None:
    assert stage_of(a_history(*days_before), RULES, NOON) is expected


@given(Days, st.integers(0, 500))
def test_time_alone_leads_nowhere_but_into_silence(days: list[int], later: int) -> None:
    history = a_history(*days)
    before, after = stage_of(history, RULES, NOON), stage_of(history, RULES, NOON + later * DAY)
    assert after in (before, Stage.LAPSED)
    if before is Stage.PROSPECT:
        assert after is Stage.PROSPECT


@given(Days)
def test_who_buys_today_is_not_lapsed_and_no_prospect(days: list[int]) -> None:
    assert stage_of(a_history(*days, 0), RULES, NOON) not in (Stage.LAPSED, Stage.PROSPECT)


@given(Days, st.sampled_from(Stage))
def test_judging_twice_moves_once_and_ends_where_judging_from_anywhere_ends(days: list[int], start: Stage) -> None:
    def begun(at: Stage) -> LifeCycle:
        return LifeCycle(CustomerId(UUID(int=1)), at, None, a_history(*days), NOON, NOON)

    life_cycle, move = judged(begun(start), RULES, NOON)
    assert judged(life_cycle, RULES, NOON) == (life_cycle, None)
    assert (move is None) == (life_cycle.stage is start)
    assert life_cycle.stage is judged(begun(Stage.PROSPECT), RULES, NOON)[0].stage
    if move is not None:
        assert move.at <= NOON, "nobody entered a stage in the future"


async def moves(shop: Shop) -> list[tuple[str, str, str]]:
    """The moves that were published, in order."""
    events = [event.event() for event in await shop.told() if event.type == StageChanged.type]
    found = [event for event in events if isinstance(event, StageChanged)]
    return [(str(move.from_stage), move.to_stage, move.reason) for move in found]


async def bought(shop: Shop, customer_id: str, *days: float) -> None:
    """Purchases so many days ago, told in this order."""
    await tell(shop, *(a_purchase(UUID(customer_id), days_ago(each)) for each in days))


async def test_each_move_is_told_to_the_others_and_stands_on_the_timeline(shop: Shop) -> None:
    customer_id = await shop.register()
    await bought(shop, customer_id, 50, 40, 30, 20, 10, 5)
    assert await moves(shop) == [
        ("prospect", "customer", "first_purchase"),
        ("customer", "repeat", "second_purchase"),
        ("repeat", "loyal", "many_purchases"),
    ]
    lines = (await timeline(shop, customer_id, "?kinds=stage_changed"))["items"]
    assert [line["figures"]["to_stage"] for line in lines] == ["loyal", "repeat", "customer"]
    since = datetime.fromisoformat((await picture(shop, customer_id))["stage"]["value"]["since"])
    assert abs(since - days_ago(10)) < timedelta(minutes=5), "since the fifth purchase"


async def test_who_comes_back_after_a_year_of_silence_is_won_back_and_then_counts_again(shop: Shop) -> None:
    customer_id = await shop.register()
    await bought(shop, customer_id, 900, 10)
    assert await stage(shop, customer_id) == "won_back"
    await bought(shop, customer_id, 5)
    assert await stage(shop, customer_id) == "repeat"
    assert await moves(shop) == [
        ("prospect", "lapsed", "silence"),
        ("lapsed", "won_back", "purchase_after_silence"),
        ("won_back", "repeat", "second_purchase"),
    ]


async def test_a_voided_purchase_takes_its_stage_back(shop: Shop) -> None:
    customer_id = await shop.register()
    await bought(shop, customer_id, 30)
    mistake = a_purchase(UUID(customer_id), days_ago(1))
    told: list[Event] = [mistake, a_void(mistake)]
    await tell(shop, *told)
    assert (await moves(shop))[-1] == ("repeat", "customer", "corrected")


async def test_a_purchase_told_late_corrects_the_silence_that_it_broke(shop: Shop) -> None:
    customer_id = await shop.register()
    await bought(shop, customer_id, 500, 200)
    assert await stage(shop, customer_id) == "repeat"
    await bought(shop, customer_id, 700, 350)
    assert await stage(shop, customer_id) == "repeat"


async def test_a_purchase_of_years_ago_is_told_now_and_reaches_the_others(shop: Shop) -> None:
    """The envelope's time is when we found it out: by it the others judge whether an event is too old to handle."""
    customer_id = await shop.register()
    await bought(shop, customer_id, 900)
    (event,) = [event for event in await shop.told() if event.type == StageChanged.type]
    assert abs(event.time - datetime.now(UTC)) < timedelta(minutes=5)
    told = event.event()
    assert isinstance(told, StageChanged) and abs(told.changed_at - days_ago(900 - 365)) < timedelta(minutes=5)


async def find_lapsed(service: Service) -> None:
    (schedule,) = [each for each in service.schedules if each.name == "find_lapsed"]
    await schedule.run()


async def test_those_whom_time_alone_made_lapsed_are_found(shop: Shop) -> None:
    customer_id, other = await shop.register(), await shop.register()
    await bought(shop, customer_id, 200, 120)
    await bought(shop, other, 20)
    stricter = settings_for(shop.service.database.url, lapsed_after_days=100)
    service = build(stricter, MemoryBus(), a_verifier())
    try:
        for _ in range(2):
            await find_lapsed(service)
    finally:
        await service.database.close()
    assert (await stage(shop, customer_id), await stage(shop, other)) == ("lapsed", "customer")
    assert (await moves(shop))[-1] == ("repeat", "lapsed", "silence")
    assert len(await moves(shop)) == 4, "once"
    since = datetime.fromisoformat((await picture(shop, customer_id))["stage"]["value"]["since"])
    assert abs(since - days_ago(20)) < timedelta(minutes=5)


async def test_nobody_is_found_lapsed_before_their_time(shop: Shop) -> None:
    stranger = uuid4()
    await tell(shop, a_purchase(stranger, days_ago(364.9)))
    await find_lapsed(shop.service)
    assert await moves(shop) == [("prospect", "customer", "first_purchase")]
