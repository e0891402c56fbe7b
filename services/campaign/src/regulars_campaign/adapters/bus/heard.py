"""What this service hears of the others: customers, what they allow, buy, have and are expected to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from regulars_campaign.adapters.bus.reading import balance_of, purchase_of, return_of, score_of
from regulars_campaign.application.note_balance import note_balance
from regulars_campaign.application.note_claim import note_claim
from regulars_campaign.application.note_consent import note_consent
from regulars_campaign.application.note_purchase import note_purchase
from regulars_campaign.application.note_return import note_return
from regulars_campaign.application.note_score import note_score
from regulars_campaign.application.note_stage import note_stage
from regulars_campaign.application.note_tier import note_tier
from regulars_campaign.application.note_traits import note_traits
from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.application.raise_churn_alarm import raise_churn_alarm
from regulars_campaign.domain.rules import HasConsent
from regulars_contracts.envelope import parse
from regulars_contracts.events import Event
from regulars_contracts.events.customer import ConsentChanged, Registered, StageChanged, TraitsChanged
from regulars_contracts.events.loyalty import (
    AccountEvent,
    BalanceChanged,
    PointsAdjusted,
    PointsEarned,
    PointsExpired,
    PointsRestored,
    PointsSpent,
    PurchaseClaimed,
    PurchaseRecorded,
    PurchaseReturned,
    TierChanged,
)
from regulars_contracts.events.scoring import ChurnRiskRaised, CustomerScored
from regulars_kit.inbox import Handler
from regulars_kit.values import CustomerId

GROUP = "regulars-campaign"
TOPICS = ("regulars.customer", "regulars.loyalty", "regulars.scoring")

Deliver = Callable[[UUID], Transactions]
"""Transactions for one delivery of the event with this id: its inbox row is in their commit."""

Said = TypeVar("Said", bound=Event)

_ACCOUNT_EVENTS: tuple[type[AccountEvent], ...] = (
    PointsEarned,
    PointsSpent,
    PointsRestored,
    PointsExpired,
    PointsAdjusted,
    BalanceChanged,
)


def handlers(deliver: Deliver, zone: ZoneInfo, now: Now) -> Mapping[str, Handler]:
    """Event type -> its handler. A handler raises ValueError for an event that does not fit its type."""
    ears: list[tuple[str, Handler]] = [
        *_customers(deliver, now),
        *_deeds(deliver, zone, now),
        *_points(deliver, now),
        *_scores(deliver, now),
    ]
    return dict(ears)


def _hear(
    event: type[Said], deliver: Deliver, handle: Callable[[Said, Transactions], Awaitable[None]]
) -> tuple[str, Handler]:
    async def handler(event_id: UUID, body: bytes) -> None:
        await handle(event.model_validate(parse(body).data), deliver(event_id))

    return event.type, handler


def _customers(deliver: Deliver, now: Now) -> list[tuple[str, Handler]]:
    async def registered(event: Registered, begin: Transactions) -> None:
        await note_traits(CustomerId(event.customer_id), event.traits, event.registered_at, begin, now)

    async def traits(event: TraitsChanged, begin: Transactions) -> None:
        await note_traits(CustomerId(event.customer_id), event.traits, event.occurred_at, begin, now)

    async def consent(event: ConsentChanged, begin: Transactions) -> None:
        way = HasConsent(event.purpose, event.channel)
        await note_consent(CustomerId(event.customer_id), way, event.granted, event.occurred_at, begin, now)

    async def stage(event: StageChanged, begin: Transactions) -> None:
        await note_stage(CustomerId(event.customer_id), event.to_stage, event.changed_at, begin, now)

    return [
        _hear(Registered, deliver, registered),
        _hear(TraitsChanged, deliver, traits),
        _hear(ConsentChanged, deliver, consent),
        _hear(StageChanged, deliver, stage),
    ]


def _deeds(deliver: Deliver, zone: ZoneInfo, now: Now) -> list[tuple[str, Handler]]:
    async def recorded(event: PurchaseRecorded, begin: Transactions) -> None:
        balance = None if event.balance is None else balance_of(event.programme, event.balance)
        await note_purchase(purchase_of(event), balance, zone, begin, now)

    async def returned(event: PurchaseReturned, begin: Transactions) -> None:
        balance = None if event.balance is None else balance_of(event.programme, event.balance)
        await note_return(return_of(event), balance, zone, begin, now)

    async def claimed(event: PurchaseClaimed, begin: Transactions) -> None:
        balance = balance_of(event.programme, event.balance)
        await note_claim(event.purchase_id, CustomerId(event.customer_id), balance, begin, now)

    return [
        _hear(PurchaseRecorded, deliver, recorded),
        _hear(PurchaseReturned, deliver, returned),
        _hear(PurchaseClaimed, deliver, claimed),
    ]


def _points(deliver: Deliver, now: Now) -> list[tuple[str, Handler]]:
    async def moved(event: AccountEvent, begin: Transactions) -> None:
        await note_balance(CustomerId(event.customer_id), balance_of(event.programme, event.balance), begin, now)

    async def tier(event: TierChanged, begin: Transactions) -> None:
        await note_tier(CustomerId(event.customer_id), event.programme, event.to_tier, event.at, begin, now)

    return [*(_hear(event, deliver, moved) for event in _ACCOUNT_EVENTS), _hear(TierChanged, deliver, tier)]


def _scores(deliver: Deliver, now: Now) -> list[tuple[str, Handler]]:
    async def scored(event: CustomerScored, begin: Transactions) -> None:
        await note_score(CustomerId(event.customer_id), score_of(event), begin, now)

    async def alarmed(event: ChurnRiskRaised, begin: Transactions) -> None:
        await raise_churn_alarm(CustomerId(event.customer_id), begin, now)

    return [_hear(CustomerScored, deliver, scored), _hear(ChurnRiskRaised, deliver, alarmed)]
