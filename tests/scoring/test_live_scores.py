"""Between two runs a purchase places its customer anew, at once, and what changed is said in the same commit."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from builders import ANNA, an_id
from regulars_contracts.events.scoring import ChurnRiskRaised, CustomerScored
from scoring.shop import TODAY, Shop, a_claim, a_return, a_sale, code_of

YESTERDAY = TODAY - timedelta(days=1)


async def of_anna(shop: Shop, type_: str = CustomerScored.type) -> list[dict[str, object]]:
    """What was said of Anna, in its order."""
    return [event.data for event in await shop.told(type_) if event.data["customer_id"] == str(ANNA)]


async def test_a_first_purchase_after_the_run_is_scored_at_once(scored: Shop) -> None:
    await scored.hear(a_sale(2500, TODAY))
    (said,) = await of_anna(scored)
    live = await scored.score()
    assert (said["rfm"], said["rfm_segment"], said["decile"]) == (live["rfm"], live["rfm_segment"], live["decile"])
    assert (said["as_of"], said["currency"]) == (str(TODAY), "EUR")
    assert live["state"] == {
        "occasions": 1,
        "first_day": str(TODAY),
        "last_day": str(TODAY),
        "total_minor": 2500,
    }


async def test_a_purchase_raises_what_is_expected(scored: Shop) -> None:
    await scored.hear(a_sale(2500, TODAY - timedelta(days=60)))
    before = await scored.score()
    await scored.hear(a_sale(2500, YESTERDAY))
    after = await scored.score()
    assert after["clv"] > before["clv"]
    assert after["churn_90"] < before["churn_90"]
    assert (after["decile"], after["rfm"]["recency"]) <= (before["decile"], 5)


async def test_a_purchase_that_changes_no_published_figure_is_silent(scored: Shop) -> None:
    await scored.hear(a_sale(2500, YESTERDAY))
    said = await of_anna(scored)
    await scored.hear(a_sale(0, YESTERDAY))
    assert await of_anna(scored) == said


async def test_an_alarm_is_raised_once_on_entering_the_high_band(scored: Shop) -> None:
    old = a_sale(2500, TODAY - timedelta(days=175))
    await scored.hear(old, a_sale(100, TODAY - timedelta(days=174)), a_sale(100, TODAY - timedelta(days=174)))
    assert (await scored.score())["churn_band"] == "high"
    assert len(await of_anna(scored, ChurnRiskRaised.type)) == 1
    back = [a_sale(100, YESTERDAY - timedelta(days=3 * number)) for number in range(8)]
    await scored.hear(*back)
    assert (await scored.score())["churn_band"] != "high"
    await scored.hear(*(a_return(100, sale) for sale in back))
    assert len(await of_anna(scored, ChurnRiskRaised.type)) == 2


async def test_time_alone_raises_an_alarm_in_the_next_run(scored: Shop) -> None:
    await scored.hear(*(a_sale(1000, TODAY - timedelta(days=3 * number)) for number in range(8)))
    assert (await scored.score())["churn_band"] != "high"
    before = await of_anna(scored, ChurnRiskRaised.type)
    scored.watch.moves_on(days=120)
    run = await scored.run()
    assert len(await of_anna(scored, ChurnRiskRaised.type)) == len(before) + 1
    assert run["alarms"] >= 1
    again = await scored.run()
    assert again["alarms"] == 0


async def test_a_claimed_purchase_scores_its_customer(scored: Shop) -> None:
    sale = a_sale(2500, YESTERDAY, customer_id=None)
    await scored.hear(sale)
    assert await of_anna(scored) == []
    await scored.hear(a_claim(sale))
    assert len(await of_anna(scored)) == 1


async def test_who_gave_everything_back_has_no_score(scored: Shop) -> None:
    sale = a_sale(2500, YESTERDAY)
    await scored.hear(sale, a_return(2500, sale))
    assert code_of(await scored.send("GET", f"/v1/scores/{ANNA}")) == (404, "not_scored_yet")


async def test_a_score_can_be_had_as_of_another_day(scored: Shop) -> None:
    await scored.hear(a_sale(1000, "2026-03-01"), a_sale(1000, "2026-05-01"))
    then = await scored.score(as_of="2026-04-01")
    assert (then["as_of"], then["state"]["occasions"]) == ("2026-04-01", 1)
    early = await scored.send("GET", f"/v1/scores/{ANNA}?as_of=2026-02-01")
    assert code_of(early) == (404, "not_scored_yet")


async def test_a_till_ahead_of_our_calendar_is_no_trouble(scored: Shop) -> None:
    await scored.hear(a_sale(1000, TODAY + timedelta(days=1)))
    assert (await scored.score())["as_of"] == str(TODAY + timedelta(days=1))


async def test_the_history_tells_each_change_once(scored: Shop) -> None:
    for number in range(3):
        await scored.hear(a_sale(1000 * (number + 1), TODAY - timedelta(days=30 - 10 * number)))
    said = await of_anna(scored)
    history = (await scored.get(f"/v1/scores/{ANNA}/history"))["items"]
    names = ("as_of", "run_id", "rfm", "rfm_segment", "decile", "churn_band", "churn_90", "p_alive", "clv_major")
    assert [[item[name] for name in names] for item in history] == [
        [event[name] for name in names] for event in reversed(said)
    ]
    page = await scored.get(f"/v1/scores/{ANNA}/history?limit=2")
    rest = await scored.get(f"/v1/scores/{ANNA}/history?limit=2&cursor={page['next_cursor']}")
    assert page["items"] + rest["items"] == history


async def test_a_purchase_during_a_run_is_not_overwritten_by_it(scored: Shop) -> None:
    customer = (await scored.told(CustomerScored.type))[0].data["customer_id"]
    await scored.takes_the_last_run_up_again("UPDATE customers SET scored_run = NULL")
    # The run has drafted; before it publishes, somebody buys.
    await scored.hear(a_sale(70_000, TODAY, UUID(str(customer))))
    assert await scored.work()
    live = await scored.score(UUID(str(customer)))
    (row,) = await scored.rows(f"SELECT clv_major, decile FROM customers WHERE id = '{customer}'")
    assert tuple(row) == (round(live["clv"]), live["decile"])
    said = [event.data for event in await scored.told(CustomerScored.type) if event.data["customer_id"] == customer]
    assert [event["clv_major"] for event in said[1:]] == [round(live["clv"])]


async def test_the_score_says_what_it_was_reckoned_by(scored: Shop) -> None:
    await scored.hear(a_sale(1000, YESTERDAY))
    live, model = await scored.score(), await scored.get("/v1/scoring/model")
    assert (live["run_id"], live["model"], live["horizon_days"]) == (model["run_id"], model["model"], 90)
    assert (live["value_of"], live["churn_horizon"]) == ("revenue", live["churn_90"])
    assert UUID(live["run_id"]) != an_id()
    assert date.fromisoformat(live["as_of"]) == TODAY
