"""How membership follows what is heard, in its commit, in as few statements for many customers as for one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from regulars_campaign.application.following import due_message, judge
from regulars_campaign.application.ports import Listening, Listens, Now
from regulars_campaign.domain.calendar import Moment
from regulars_campaign.domain.campaigns import Trigger
from regulars_campaign.domain.gathering import customers_in, each, facets_in, newest, purchases_in
from regulars_campaign.domain.heard import Alarm, Balance, Consent, Heard, Return, Score, Stage, Tier, Traits
from regulars_campaign.domain.rules import Facet
from regulars_kit.values import CustomerId


async def note_event(heard: Sequence[Heard], begin: Listens) -> None:
    """Note what an event tells; it is followed before the commit, together with all that share the transaction."""
    async with begin() as unit:
        unit.note(heard)


async def follow_events(unit: Listening, now: Now) -> None:
    """Keep what the unit noted, and let the membership of the customers concerned follow.

    Purchases are locked before customers, each by their ids: whoever comes second sees what the first has written.
    """
    heard = unit.noted
    if not heard:
        return
    purchases = purchases_in(heard)
    returns = each(heard, Return)
    owners = await unit.deeds.keep_purchases(purchases)
    await unit.deeds.keep_returns(returns)
    customers = customers_in(heard, owners)
    if not customers:
        return  # nobody's purchases wait until they are claimed
    new = await unit.customers.take(customers)
    await _keep_states(unit, heard)
    await unit.deeds.roll_up(customers, returns, [purchase.id for purchase in purchases])
    moment = now()
    await _raise_alarms(unit, each(heard, Alarm), moment)
    await _judge(unit, customers, new, facets_in(heard), moment)


async def _keep_states(unit: Listening, heard: Sequence[Heard]) -> None:
    keep = unit.customers
    await keep.put_traits(newest(each(heard, Traits), lambda one: one.customer_id, lambda one: one.at))
    await keep.put_consents(newest(each(heard, Consent), lambda one: (one.customer_id, one.way), lambda one: one.at))
    await keep.put_stages(newest(each(heard, Stage), lambda one: one.customer_id, lambda one: one.at))
    await keep.put_tiers(newest(each(heard, Tier), lambda one: (one.customer_id, one.programme), lambda one: one.at))
    await keep.put_balances(
        newest(each(heard, Balance), lambda one: (one.customer_id, one.programme), lambda one: one.seq)
    )
    await keep.put_scores(newest(each(heard, Score), lambda one: one.customer_id, lambda one: one.scored_at))


async def _raise_alarms(unit: Listening, alarms: Sequence[Alarm], now: Moment) -> None:
    """The campaigns that wait for an alarm owe each of these customers a message."""
    if alarms:
        campaigns = await unit.campaigns.triggered(Trigger.CHURN_RISK_RAISED)
        customers = sorted({alarm.customer_id for alarm in alarms})
        await unit.messages.add_due(
            [due_message(campaign, customer, now) for campaign in campaigns for customer in customers]
        )


async def _judge(
    unit: Listening,
    customers: Sequence[CustomerId],
    new: Collection[CustomerId],
    facets: Collection[Facet],
    now: Moment,
) -> None:
    """Judge the customers by every rule that looks at one of the facets, and the new ones by the others too.

    Some rules hold for whoever is known, as "never bought anything" does.
    """
    touched, others = await unit.segments.told_apart(facets)
    await judge(unit, touched, customers, now)
    if new:
        await judge(unit, others, new, now)
