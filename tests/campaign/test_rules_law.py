"""The law of segments: whatever happened, in whatever order it is told, rules say what a look at each fact says."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from campaign.naive import fulfils
from campaign.shop import NOON, Shop
from campaign.tables import empty
from campaign.worlds import World, rules, worlds
from regulars_campaign.domain.rule_document import parse

TODAY = NOON.date()


@settings(
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(world=worlds(), documents=st.lists(rules, min_size=8, max_size=8))
async def test_a_compiled_rule_says_what_a_look_at_each_fact_says(
    shop: Shop, world: World, documents: list[dict[str, object]]
) -> None:
    await empty(shop.service.database)
    for event in world.events:
        assert await shop.hear(event) is None, event
    async with shop.service.app.state.campaign.read() as unit:
        for document in documents:
            rule = parse(document)
            expected = {customer for customer, person in world.people.items() if fulfils(rule, person, TODAY)}
            assert await unit.judge.preview(rule, TODAY, 100) == (len(expected), sorted(expected)), document
            for customer, person in world.people.items():
                verdicts = await unit.judge.explain(rule, customer, TODAY)
                assert verdicts is not None
                assert verdicts[""] == fulfils(rule, person, TODAY), document


@settings(
    max_examples=15,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(world=worlds(), documents=st.lists(rules, min_size=3, max_size=3))
async def test_membership_that_followed_every_event_is_what_the_rule_says(
    shop: Shop, world: World, documents: list[dict[str, object]]
) -> None:
    await empty(shop.service.database)
    segments = [await shop.segment(document, f"s{place}") for place, document in enumerate(documents)]
    for event in world.events:
        assert await shop.hear(event) is None, event
    for segment, document in zip(segments, documents, strict=True):
        rule = parse(document)
        expected = {customer for customer, person in world.people.items() if fulfils(rule, person, TODAY)}
        assert await shop.members(segment) == expected, document
