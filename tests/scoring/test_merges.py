"""Two ids that are one customer: one score, one history, one offer; and two again when it was a mistake."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from builders import ANNA, BEN, an_id
from regulars_contracts.events.customer import Merged
from regulars_contracts.events.scoring import ChurnRiskRaised, CustomerScored, ErasureCompleted
from regulars_kit.values import CustomerId
from regulars_scoring.application.identify import identified
from regulars_scoring.domain.merges import Merge, survivors_of
from scoring.costs_shop import a_bonus, a_message, a_programme, won
from scoring.opening import hear_together
from scoring.shop import Shop, a_claim, a_merge, a_registration, a_return, a_sale, an_erasure, code_of, undone
from scoring.tea_shop import a_receipt, a_usual_year, hear_all

CARL = UUID("ca410000-0000-4000-8000-000000000003")
FIGURES = (
    "state",
    "rfm",
    "rfm_segment",
    "decile",
    "churn_band",
    "churn_90",
    "clv",
    "own_cycle",
    "historic",
    "net_value",
)


def told_of(score: dict[str, Any]) -> dict[str, Any]:
    """All but the name."""
    return {name: score[name] for name in FIGURES}


def purchases_of(customer_id: UUID, *days: str) -> list[Any]:
    return [a_sale(1000 + number, f"2026-{on}", customer_id) for number, on in enumerate(days)]


async def test_both_ids_answer_with_the_score_of_all_that_was_bought_under_either(scored: Shop) -> None:
    annas, bens = ("02-01", "04-01", "06-01"), ("01-10", "04-01", "06-20")
    costs = [
        a_programme(),
        won(700, ANNA),
        won(300, BEN),
        a_message(9, "2026-05-03", BEN),
        a_bonus(33, 1, customer_id=BEN),
    ]
    await scored.hear(*purchases_of(ANNA, *annas), *purchases_of(BEN, *bens), *costs)
    await scored.hear(*purchases_of(CARL, *annas), *purchases_of(CARL, *bens))
    await scored.hear(won(1000, CARL), a_message(9, "2026-05-03", CARL), a_bonus(33, 1, customer_id=CARL))
    await scored.hear(a_merge(BEN, ANNA))
    anna, ben = await scored.score(ANNA), await scored.score(BEN)
    assert anna == ben
    assert anna["customer_id"] == str(ANNA)
    assert anna["state"]["occasions"] == 5  # both bought on the first of April
    assert told_of(anna) == told_of(await scored.score(CARL))
    earlier = await scored.score(BEN, as_of="2026-04-30")
    assert told_of(earlier) == told_of(await scored.score(CARL, as_of="2026-04-30"))


async def test_what_is_bought_under_the_merged_id_later_is_the_survivors(scored: Shop) -> None:
    await scored.hear(*purchases_of(ANNA, "02-01"), a_merge(BEN, ANNA))
    sale = a_sale(2000, "2026-05-01", None)
    await scored.hear(*purchases_of(BEN, "03-01"), sale, a_claim(sale, BEN), a_return(500, sale), a_registration(BEN))
    await scored.hear(a_return(77, on="2026-05-02", customer_id=BEN))
    state = (await scored.score(ANNA))["state"]
    assert (state["occasions"], state["total_minor"]) == (3, 1000 + 1000 + 1500 - 77)
    last = (await scored.told(CustomerScored.type))[-1]
    assert last.data["customer_id"] == str(ANNA)


async def test_an_undone_merge_gives_both_back_as_they_were(scored: Shop) -> None:
    await scored.hear(*purchases_of(ANNA, "02-01", "04-01"), *purchases_of(BEN, "01-10", "06-20"))
    before = [await scored.score(ANNA), await scored.score(BEN)]
    merge = a_merge(BEN, ANNA)
    await scored.hear(merge, *purchases_of(BEN, "06-25"))
    assert (await scored.score(ANNA))["state"]["occasions"] == 5
    await scored.hear(undone(merge))
    anna, ben = await scored.score(ANNA), await scored.score(BEN)
    assert anna == before[0]
    assert ben["state"]["occasions"] == before[1]["state"]["occasions"] + 1
    # The merge said to Anna comes behind its undoing, which was said to Ben.
    await scored.hear(merge.model_copy(update={"customer_id": ANNA}))
    assert [await scored.score(ANNA), await scored.score(BEN)] == [anna, ben]


async def test_nothing_is_published_of_whom_another_stands_for_and_no_alarm_twice(scored: Shop) -> None:
    await scored.hear(*purchases_of(ANNA, "05-01", "06-01", "06-20"), *purchases_of(BEN, "01-10"))
    said = len(await scored.told())
    merge = a_merge(BEN, ANNA)
    await scored.hear(merge, merge.model_copy(update={"customer_id": ANNA}))
    await scored.run()
    assert all(event.data.get("customer_id") != str(BEN) for event in (await scored.told())[said:])
    await scored.hear(undone(merge))
    alarms = [event.data["customer_id"] for event in await scored.told(ChurnRiskRaised.type)]
    # He is in the high band still, as he was when it was last said of him.
    assert (await scored.score(BEN))["churn_band"] == "high"
    assert alarms.count(str(BEN)) == 1


async def test_the_history_has_what_was_published_under_either_id(scored: Shop) -> None:
    await scored.hear(*purchases_of(ANNA, "02-01"), *purchases_of(BEN, "06-20"), a_merge(BEN, ANNA))
    items = (await scored.get(f"/v1/scores/{BEN}/history"))["items"]
    assert [item["customer_id"] for item in items] == [str(ANNA), str(BEN), str(ANNA)]
    assert items == (await scored.get(f"/v1/scores/{ANNA}/history"))["items"]


async def test_a_run_and_its_counts_know_one_customer(scored: Shop) -> None:
    await scored.hear(*purchases_of(ANNA, "02-01", "03-01"), *purchases_of(BEN, "01-10", "06-20"))
    apart = (await scored.run())["customers"]
    pnl = await scored.get("/v1/scoring/segments/pnl?from=2026-01-01&to=2026-06-30")
    await scored.hear(a_merge(BEN, ANNA))
    run = await scored.run()
    deciles = await scored.get("/v1/scoring/deciles")
    assert run["customers"] == apart - 1 == sum(each["customers"] for each in deciles["deciles"])
    together = await scored.get("/v1/scoring/segments/pnl?from=2026-01-01&to=2026-06-30")
    assert together["total"]["revenue_minor"] == pnl["total"]["revenue_minor"]
    assert [each["revenue_minor"] for each in together["segments"] if each["segment"] is None] in ([], [0])


async def test_products_bought_under_either_id_are_offered_to_neither(shop: Shop) -> None:
    await hear_all(shop, [*a_usual_year(), a_receipt("TEA", customer_id=ANNA), a_receipt("CUP", customer_id=BEN)])
    await shop.run()
    offered = (await shop.get(f"/v1/scoring/next-best/{ANNA}"))["next_best"]
    assert [each["product"]["sku"] for each in offered] == ["CUP"]
    await shop.hear(a_merge(BEN, ANNA))
    answers = [await shop.get(f"/v1/scoring/next-best/{each}") for each in (ANNA, BEN)]
    assert answers[0] == answers[1]
    assert (answers[0]["next_best"], answers[0]["products"]) == ([], 2)


async def test_a_merge_of_merges_is_followed_and_the_first_can_be_undone_alone(scored: Shop) -> None:
    await scored.hear(*(sale for each in (ANNA, BEN, CARL) for sale in purchases_of(each, "02-01", "06-01")))
    first, second = a_merge(CARL, BEN), a_merge(BEN, ANNA)
    await scored.hear(second, first)
    assert {(await scored.score(each))["customer_id"] for each in (ANNA, BEN, CARL)} == {str(ANNA)}
    assert (await scored.score(CARL))["state"]["total_minor"] == 3 * 2001
    await scored.hear(undone(first))
    assert [(await scored.score(each))["state"]["total_minor"] for each in (ANNA, BEN, CARL)] == [4002, 4002, 2001]


async def test_a_purchase_during_a_merge_is_neither_lost_nor_doubled(shop: Shop) -> None:
    await shop.hear(*purchases_of(ANNA, "02-01"), *purchases_of(BEN, "02-02"))
    merges = [a_merge(BEN, ANNA, merge_id=an_id()) for _ in range(6)]
    undoings = [undone(merge) for merge in merges[:-1]]
    sales = [a_sale(100, f"2026-03-{1 + number % 9:02}", (ANNA, BEN)[number % 2]) for number in range(24)]
    await asyncio.gather(*(shop.hear(event) for event in [*sales, *merges, *undoings, *sales[:6]]))
    rows = await shop.rows("SELECT id, occasions, total_minor FROM customers WHERE occasions > 0")
    assert list(map(tuple, rows)) == [(ANNA, 11, 2000 + 2400)]


async def test_a_merge_and_a_purchase_of_one_commit_come_out_as_one_by_one(shop: Shop) -> None:
    events = [
        *purchases_of(BEN, "02-01"),
        a_merge(BEN, ANNA),
        *purchases_of(BEN, "03-01"),
        *purchases_of(ANNA, "02-01"),
    ]
    await hear_together(shop, *map(shop.as_told, events))
    rows = await shop.rows("SELECT id, occasions, total_minor FROM customers ORDER BY id")
    assert list(map(tuple, rows)) == [(ANNA, 2, 3000), (BEN, 0, 0)]


async def test_an_answer_is_as_of_one_moment_though_a_merge_is_committed_while_it_is_made(shop: Shop) -> None:
    await shop.hear(*purchases_of(BEN, "02-01"))
    async with shop.service.app.state.scoring.read() as unit:
        (ben,) = await identified(CustomerId(BEN), unit)
        await shop.hear(a_merge(BEN, ANNA))
        assert [entry.net_minor for entry in (await unit.customers.ledger(ben)).values()] == [1000]


async def test_who_is_erased_is_nobody_here_and_stays_so(scored: Shop) -> None:
    sales = purchases_of(BEN, "02-01", "03-01")
    await scored.hear(*sales, won(300, BEN), a_bonus(33, 1, customer_id=BEN), a_message(9, "2026-05-03", BEN))
    await scored.hear(a_return(77, on="2026-05-02", customer_id=BEN), a_return(500, sales[0]))
    await scored.hear(*purchases_of(ANNA, "04-01"), a_merge(BEN, ANNA), an_erasure(BEN))
    late = [
        *sales,
        *purchases_of(BEN, "04-01"),
        a_registration(BEN),
        a_merge(BEN, ANNA),
        a_message(9, "2026-05-04", BEN),
    ]
    await scored.hear(*late, an_erasure(BEN))
    assert code_of(await scored.send("GET", f"/v1/scores/{BEN}")) == (404, "unknown_customer")
    assert (await scored.score(ANNA))["state"]["total_minor"] == 1000
    assert await tables_with(scored, BEN) == {"erased_customers"}
    (receipt,) = await scored.told(ErasureCompleted.type)
    assert (receipt.data["customer_id"], receipt.data["events_kept_days"]) == (str(BEN), 30)


async def test_when_the_survivor_is_erased_the_merged_id_is_its_own_until_it_is_erased_too(scored: Shop) -> None:
    await scored.hear(*purchases_of(ANNA, "04-01"), *purchases_of(BEN, "02-01"), a_merge(BEN, ANNA), an_erasure(ANNA))
    assert (await scored.score(BEN))["state"]["total_minor"] == 1000
    await scored.run()
    await scored.hear(an_erasure(BEN))
    for customer_id in (ANNA, BEN):
        assert await tables_with(scored, customer_id) == {"erased_customers"}
    assert len(await scored.told(ErasureCompleted.type)) == 2


async def test_nothing_is_left_of_who_is_erased_in_the_commit_of_what_still_tells_of_their_purchases(
    scored: Shop,
) -> None:
    returned, claimed = a_sale(1000, "2026-02-01", BEN), a_sale(1000, "2026-02-02", None)
    await scored.hear(returned, a_claim(claimed, BEN))
    late = [a_return(500, returned), claimed, an_erasure(BEN)]
    await hear_together(scored, *map(scored.as_told, late))
    assert await tables_with(scored, BEN) == {"erased_customers"}


async def tables_with(shop: Shop, customer_id: UUID) -> set[str]:
    """The tables, but for events on their way, that hold the id anywhere."""
    names = await shop.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^outbox'")
    found = set()
    for (name,) in names:
        if await shop.rows(f"SELECT 1 FROM {name} AS row WHERE row::text LIKE '%{customer_id}%' LIMIT 1"):
            found.add(name)
    return found


@pytest.mark.parametrize(
    ("merges", "survivors"),
    [
        ([("A", "B"), ("B", "C")], {"A": "C", "B": "C"}),
        ([("B", "C"), ("A", "B")], {"A": "C", "B": "C"}),
        ([("A", "B"), ("A", "C")], {"A": "C", "B": "C"}),
        ([("A", "B"), ("B", "A")], {"A": "B"}),
        ([("A", "A")], {}),
    ],
)
def test_who_stands_for_whom(merges: list[tuple[str, str]], survivors: dict[str, str]) -> None:
    ids = {name: CustomerId(UUID(int=place)) for place, name in enumerate("ABC")}
    told = [Merge(UUID(int=place), ids[one], ids[other]) for place, (one, other) in enumerate(merges)]
    expected = {ids[one]: ids[other] for one, other in survivors.items()}
    assert survivors_of(told) == survivors_of(reversed(told)) == expected


async def test_merges_that_tell_of_nobody_known_make_both_known(shop: Shop) -> None:
    merge: Merged = a_merge(BEN, ANNA)
    await shop.hear(undone(merge), merge)
    rows = await shop.rows("SELECT id FROM customers ORDER BY id")
    assert [row.id for row in rows] == [ANNA, BEN]
