"""The life cycle: where a customer stands, by their purchases and their silence alone.

A stage follows from what is known, never from the order in which it became known: the same purchases heard in any
order end in the same stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from regulars_kit.values import CustomerId


class Stage(StrEnum):
    """`prospect`: known, and has bought nothing. `customer`: one purchase. `repeat`: two or more. `loyal`: many.

    `lapsed`: silent for too long. `won_back`: came back from that, with one purchase so far.
    """

    PROSPECT = "prospect"
    CUSTOMER = "customer"
    REPEAT = "repeat"
    LOYAL = "loyal"
    LAPSED = "lapsed"
    WON_BACK = "won_back"


@dataclass(frozen=True, slots=True)
class Rules:
    """`lapsed_after`: so long without a purchase is silence. `loyal_from`: so many purchases are many."""

    lapsed_after: timedelta = timedelta(days=365)
    loyal_from: int = 5


@dataclass(frozen=True, slots=True)
class History:
    """A customer's purchases in short. What was voided never happened; goods brought back were bought all the same.

    `net_minor` by currency: what was paid less what was given back. `previous_at`: the last purchase but one.
    """

    purchases: int = 0
    first_at: datetime | None = None
    previous_at: datetime | None = None
    last_at: datetime | None = None
    net_minor: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LifeCycle:
    """`since` None: nothing ever moved them from where they began. `as_of`: when a purchase of theirs was last told."""

    customer_id: CustomerId
    stage: Stage
    since: datetime | None
    history: History
    as_of: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """From one stage into another. `at`: since when, in business time."""

    from_stage: Stage
    to_stage: Stage
    at: datetime
    reason: str


def stage_of(history: History, rules: Rules, at: datetime) -> Stage:
    """Where a customer with this history stands at an instant.

    Silence is `lapsed_after` or longer. Back from it, the first purchase makes them `won_back`; from the second on all
    their purchases count again.
    """
    if history.last_at is None:
        return Stage.PROSPECT
    if at - history.last_at >= rules.lapsed_after:
        return Stage.LAPSED
    if history.previous_at is not None and history.last_at - history.previous_at >= rules.lapsed_after:
        return Stage.WON_BACK
    if history.purchases >= rules.loyal_from:
        return Stage.LOYAL
    return Stage.CUSTOMER if history.purchases < 2 else Stage.REPEAT


def judged(life_cycle: LifeCycle, rules: Rules, at: datetime) -> tuple[LifeCycle, Move | None]:
    """The life cycle as its history stands at an instant, and the move that this is; None: they stay where they are."""
    stage = stage_of(life_cycle.history, rules, at)
    if stage is life_cycle.stage:
        return life_cycle, None
    move = Move(life_cycle.stage, stage, _since(stage, life_cycle.history, rules, at), _reason(life_cycle.stage, stage))
    return replace(life_cycle, stage=stage, since=move.at), move


def _since(stage: Stage, history: History, rules: Rules, at: datetime) -> datetime:
    if history.last_at is None:
        return at
    return history.last_at + rules.lapsed_after if stage is Stage.LAPSED else history.last_at


_REASONS = {
    Stage.CUSTOMER: "first_purchase",
    Stage.REPEAT: "second_purchase",
    Stage.LOYAL: "many_purchases",
    Stage.LAPSED: "silence",
    Stage.WON_BACK: "purchase_after_silence",
}

# What no further purchase and no passing of time can do: a purchase was voided, or became known late.
_CORRECTIONS = {
    Stage.CUSTOMER: {Stage.REPEAT, Stage.LOYAL, Stage.LAPSED, Stage.WON_BACK},
    Stage.REPEAT: {Stage.LOYAL, Stage.LAPSED},
    Stage.LOYAL: {Stage.LAPSED},
}


def _reason(before: Stage, after: Stage) -> str:
    if after is Stage.PROSPECT or before in _CORRECTIONS.get(after, ()):
        return "corrected"
    return _REASONS[after]
