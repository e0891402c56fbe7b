"""Stories of an account, and a till that hears of them in any order: what the fold's laws are tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from builders import a_programme, a_purchase, lines_of, made, redeemed, returned, reversed_
from regulars_kit.values import Refused
from regulars_loyalty.domain.account import Account, Move
from regulars_loyalty.domain.facts import (
    Fact,
    PointsAdjusted,
    PointsRedeemed,
    PurchaseMade,
    PurchaseReturned,
    RedemptionReversed,
)
from regulars_loyalty.domain.folding import advance, apply, fold, is_late
from regulars_loyalty.domain.late import MoveKey, fold_late, net
from regulars_loyalty.domain.programme import Programme

START = datetime(2025, 1, 10, 9, tzinfo=UTC)
RULES = [
    {"code": "welcome", "when": {"first_purchase": True}, "bonus": 7},
    {"code": "third", "when": {"every_nth_visit": 3}, "multiplier": "2"},
]
SMALL_TIERS = [{"code": "base", "from": 0}, {"code": "gold", "from": 100, "multiplier": "1.5"}]


def a_busy_club(*, life: str = "P5M", on_return: str = "revoke", **policies: Any) -> Programme:
    """A club in which much happens to little money."""
    return a_programme(
        expires={"after": life}, tiers=SMALL_TIERS, rules=RULES, qualify={"on_return": on_return}, policies=policies
    )


def clubs(**fixed: Any) -> st.SearchStrategy[Programme]:
    choices: dict[str, st.SearchStrategy[Any]] = {
        "on_return": st.sampled_from(["revoke", "guarantee"]),
        "debt": st.sampled_from(["debt", "clamp"]),
        "late": st.sampled_from(["no-rerate", "re-rate"]),
        "grace_days": st.sampled_from([0, 40]),
    }
    return st.builds(a_busy_club, **{**choices, **{name: st.just(value) for name, value in fixed.items()}})


@dataclass(slots=True)
class Story:
    """Facts in the order in which they happened, and what is left to return and to reverse."""

    club: Programme
    facts: list[Fact] = field(default_factory=list)
    left: dict[UUID, list[Fraction]] = field(default_factory=dict)
    spent: dict[UUID, int] = field(default_factory=dict)

    def sell(self, at: datetime, nets: Sequence[int], in_points: int) -> None:
        purchase = a_purchase(when=at, lines=lines_of(*nets), paid_in_points_minor=min(in_points, sum(nets)))
        self.left[purchase.purchase_id] = [Fraction(1)] * len(nets)
        self.facts.append(made(purchase, self.club))

    def give_back(self, at: datetime, choice: int, share: Fraction) -> None:
        sales = [fact for fact in self.facts if isinstance(fact, PurchaseMade) and any(self.left[fact.fact_id])]
        if not sales:
            return
        sale = sales[choice % len(sales)]
        left = self.left[sale.fact_id]
        shares = [(place, min(share, rest)) for place, rest in enumerate(left) if rest]
        for place, part in shares:
            left[place] -= part
        self.facts.append(returned(sale, at, *shares))

    def spend(self, at: datetime, points: int) -> None:
        fact = redeemed(points, at)
        self.spent[fact.fact_id] = points
        self.facts.append(fact)

    def reverse(self, at: datetime, choice: int, points: int) -> None:
        spends = [fact for fact in self.facts if isinstance(fact, PointsRedeemed) and self.spent[fact.fact_id]]
        if spends:
            spend = spends[choice % len(spends)]
            part = min(points, self.spent[spend.fact_id])
            self.spent[spend.fact_id] -= part
            self.facts.append(reversed_(spend, at, part))

    def adjust(self, at: datetime, points: int, days: int) -> None:
        expires_at = at + timedelta(days=days) if points > 0 else None
        self.facts.append(PointsAdjusted(redeemed(1, at).fact_id, at, points, expires_at))


KINDS = ("sell", "sell", "sell", "give_back", "spend", "reverse", "adjust")


@st.composite
def stories(draw: st.DrawFn, club: Programme, kinds: Sequence[str] = KINDS, longest: int = 9) -> Story:
    """Up to `longest` facts, at instants of their own, over two years and a half."""
    story = Story(club)
    hours = draw(st.lists(st.integers(0, 20_000), min_size=1, max_size=longest, unique=True))
    for hour in sorted(hours):
        at, choice, points = START + timedelta(hours=hour), draw(st.integers(0, 3)), draw(st.integers(1, 120))
        kind = draw(st.sampled_from(kinds))
        if kind == "sell":
            nets = draw(st.lists(st.integers(0, 9_000), min_size=1, max_size=3))
            story.sell(at, nets, draw(st.sampled_from([0, 0, 40])) if "spend" in kinds else 0)
        elif kind == "give_back":
            story.give_back(at, choice, draw(st.sampled_from([Fraction(1, 3), Fraction(1, 2), Fraction(1)])))
        elif kind == "spend":
            story.spend(at, points)
        elif kind == "reverse":
            story.reverse(at, choice, points)
        else:
            story.adjust(at, draw(st.integers(-30, 200).filter(bool)) if "spend" in kinds else points, 60)
    return story


def parent_of(fact: Fact) -> UUID | None:
    """The fact that must have been heard of before this one can be."""
    if isinstance(fact, PurchaseReturned):
        return fact.shares[0].purchase_id
    return fact.redemption_id if isinstance(fact, RedemptionReversed) else None


def arrival_order(facts: Sequence[Fact], shuffled: Sequence[Fact]) -> list[Fact]:
    """The shuffled facts, each moved behind its parent."""
    arrived: list[Fact] = []
    waiting = list(shuffled)
    while waiting:
        ready = next(each for each in waiting if parent_of(each) in {None, *(fact.fact_id for fact in arrived)})
        waiting.remove(ready)
        arrived.append(ready)
    return arrived


@dataclass(slots=True)
class Till:
    """Hears facts in the order of arrival and does what the use cases do: on top, or late with a whole fold."""

    club: Programme
    account: Account = field(default_factory=lambda: Account(UUID(int=1)))
    history: list[Fact] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    late: int = 0

    def hear(self, fact: Fact) -> bool:
        """False when the fact, or the one it is about, was refused."""
        parent = parent_of(fact)
        if parent is not None and parent not in {each.fact_id for each in self.history}:
            return False
        try:
            fact = self._fold(fact)
        except Refused:
            return False
        finally:
            self._post()
        self.history.append(fact)
        return True

    def pass_time(self, at: datetime) -> None:
        """The job that writes down what time alone has changed."""
        advance(self.account, self.club, at)
        self._post()

    def in_order(self) -> list[Fact]:
        return sorted(self.history, key=lambda fact: fact.at)

    def refolded(self) -> Account:
        return fold(UUID(int=1), self.in_order(), self.club, self.account.newest_at)

    def posted(self) -> dict[MoveKey, int]:
        return {key: points for key, points in net(self.moves).items() if points}

    def _fold(self, fact: Fact) -> Fact:
        if is_late(self.account, fact, self.club):
            self.late += 1
            posted = net(self.moves)
            self.account, fact = fold_late(self.account, self.in_order(), posted, fact, self.club)
        else:
            apply(self.account, fact, self.club, is_judged=True)
        if isinstance(fact, PurchaseMade):
            fact = replace(fact, price=self.account.bought[fact.fact_id].price)
        return fact

    def _post(self) -> None:
        self.moves += self.account.moves
        self.account.moves = []
