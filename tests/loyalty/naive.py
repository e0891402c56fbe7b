"""What a customer's points must be, worked out in the most naive way: point by point, from the list of what happened.

It shares nothing with the service: no fold, no lots, no ledger. After every fact everything is counted again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from math import floor
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Terms:
    """The programme: a point per euro that lives 60 days, gold from 40 base points on, 7 points for the first visit."""

    is_re_rated: bool
    is_clamped: bool
    is_guaranteed: bool
    grace_days: int
    gold_from: int = 40
    welcome: int = 7
    life_days: int = 60


@dataclass(frozen=True, slots=True)
class Line:
    quantity: int
    net_minor: int


@dataclass(slots=True)
class Happening:
    """A fact. `points` are spent, given back or (adjusted) added; `parts` are shares of `of` that came back."""

    kind: Literal["sale", "return", "redemption", "reversal", "adjustment"]
    name: UUID
    at: datetime
    points: int = 0
    lines: tuple[Line, ...] = ()
    of: UUID | None = None
    parts: tuple[tuple[int, Fraction], ...] = ()
    ends: datetime | None = None
    line_points: list[int] | None = None
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One point. `origin` is what it was earned by."""

    origin: UUID
    since: datetime
    ends: datetime


def first_instant(day: date) -> datetime:
    return datetime.combine(day, time(), BERLIN).astimezone(UTC)


def day_of(at: datetime) -> date:
    return at.astimezone(BERLIN).date()


def shared(total: int, weights: list[int]) -> list[int]:
    """By largest remainder, one point after the other."""
    if sum(weights) == 0:
        return [total if place == 0 else 0 for place in range(len(weights))]
    parts = [total * weight // sum(weights) for weight in weights]
    rest = [Fraction(total * weight, sum(weights)) - part for weight, part in zip(weights, parts, strict=True)]
    while sum(parts) < total:
        largest = rest.index(max(rest))
        parts[largest] += 1
        rest[largest] = Fraction(-1)
    return parts


@dataclass(slots=True)
class Count:
    """The customer's points while everything that happened is told again, in order."""

    terms: Terms
    purse: list[Point] = field(default_factory=list)
    debt: int = 0
    visits: int = 0
    now: dict[int, int] = field(default_factory=dict)
    best: dict[int, int] = field(default_factory=dict)
    spent: dict[UUID, list[Point | None]] = field(default_factory=dict)
    sold: dict[UUID, Happening] = field(default_factory=dict)
    returned: dict[UUID, list[Fraction]] = field(default_factory=dict)
    taken_back: int = 0
    given_back: int = 0

    def tell(self, fact: Happening) -> None:
        self.pass_time(fact.at)
        if fact.kind == "sale":
            self._sale(fact)
        elif fact.kind == "return":
            self._return(fact)
        elif fact.kind == "redemption" or fact.points < 0:
            self.spent[fact.name] = self._take(abs(fact.points))
        elif fact.kind == "reversal":
            assert fact.of is not None
            self._give_back(fact, fact.of, fact.points)
        else:
            self._add(Point(fact.name, fact.at, fact.ends or NEVER) for _ in range(fact.points))

    def pass_time(self, at: datetime) -> None:
        self.purse = [point for point in self.purse if point.ends > at]

    def tier(self, at: datetime) -> str:
        qualified = self.best if self.terms.is_guaranteed else self.now
        year = day_of(at).year
        return "gold" if max(qualified.get(year - 1, 0), qualified.get(year, 0)) >= self.terms.gold_from else "base"

    def price(self, sale: Happening, visits: int) -> tuple[list[int], str]:
        """Points per line and the tier they were earned at. What is paid in points (a cent each) earns nothing."""
        tier = self.tier(sale.at)
        total = sum(line.net_minor for line in sale.lines)
        earned = floor(Fraction(total - sale.points, 100) * (Fraction(3, 2) if tier == "gold" else 1))
        # Where all of it is paid in points, nothing earns, and the first line has the welcome.
        weights = [line.net_minor if sale.points < total else 0 for line in sale.lines]
        points = shared(earned, weights)
        if visits == 0:
            points = [have + more for have, more in zip(points, shared(self.terms.welcome, weights), strict=True)]
        return points, tier

    def base_points(self, sale: Happening) -> list[int]:
        money = [line.net_minor for line in sale.lines]
        return shared((sum(money) - sale.points) // 100, money)

    def _sale(self, sale: Happening) -> None:
        if sale.line_points is None or self.terms.is_re_rated:
            sale.line_points, sale.tier = self.price(sale, self.visits)
        self.visits += 1
        self.sold[sale.name] = sale
        self.returned[sale.name] = [Fraction(0) for _ in sale.lines]
        self.spent[sale.name] = self._take(sale.points)
        ends = first_instant(day_of(sale.at) + timedelta(days=self.terms.life_days + 1))
        self._add(Point(sale.name, sale.at, ends) for _ in range(sum(sale.line_points)))
        self._qualify(sale, sum(self.base_points(sale)))

    def _qualify(self, sale: Happening, points: int) -> None:
        year = day_of(sale.at).year
        self.now[year] = self.now.get(year, 0) + points
        self.best[year] = max(self.best.get(year, 0), self.now[year])

    def _return(self, fact: Happening) -> None:
        assert fact.of is not None
        sale, returned = self.sold[fact.of], self.returned[fact.of]
        paid = shared(sale.points, [line.net_minor for line in sale.lines])
        earned, base = sale.line_points or [], self.base_points(sale)
        self.given_back = self.taken_back = uncounted = 0
        for place, part in fact.parts:
            before, after = returned[place], returned[place] + part
            returned[place] = after
            self.given_back += floor(paid[place] * after) - floor(paid[place] * before)
            self.taken_back += floor(earned[place] * after) - floor(earned[place] * before)
            uncounted += floor(base[place] * after) - floor(base[place] * before)
        self._give_back(fact, sale.name, self.given_back)
        self._claw_back(sale.name, self.taken_back)
        self._qualify(sale, -uncounted)

    def _add(self, points: Iterable[Point]) -> None:
        for point in points:
            if self.debt:
                self.debt -= 1
            else:
                self.purse.append(point)

    def _take(self, count: int) -> list[Point | None]:
        """The soonest to end first, then the oldest; what is not there is owed."""
        self.purse.sort(key=lambda point: (point.ends, point.since))
        taken: list[Point | None] = list(self.purse[:count])
        del self.purse[:count]
        owed = count - len(taken)
        self.debt += owed
        return [*taken, *[None] * owed]

    def _give_back(self, fact: Happening, spend: UUID, count: int) -> None:
        """The last one taken first. One that was owed is a debt less, or a point of today."""
        for _ in range(count):
            point = self.spent[spend].pop()
            if point is None:
                ends = first_instant(day_of(fact.at) + timedelta(days=self.terms.life_days + 1))
                point = Point(fact.name, fact.at, ends)
            elif self.terms.grace_days and point.ends != NEVER:
                grace = first_instant(day_of(fact.at) + timedelta(days=self.terms.grace_days))
                point = Point(point.origin, point.since, max(point.ends, grace))
            self._add([point])
        self.pass_time(fact.at)

    def _claw_back(self, sale: UUID, count: int) -> None:
        self.purse.sort(key=lambda point: (point.origin != sale, point.ends, point.since))
        there = min(count, len(self.purse))
        del self.purse[:there]
        if not self.terms.is_clamped:
            self.debt += count - there

    def lots(self) -> Counter[tuple[UUID, datetime]]:
        return Counter((point.origin, point.ends) for point in self.purse)


@dataclass(slots=True)
class NaiveAccount:
    """Everything that was accepted, in the order of arrival."""

    terms: Terms
    facts: list[Happening] = field(default_factory=list)

    def count(self, until: datetime, *more: Happening) -> Count:
        """What there is at an instant, with what happened by then."""
        count = Count(self.terms)
        for fact in sorted([*self.facts, *more], key=lambda fact: fact.at):
            if fact.at <= until:
                count.tell(fact)
        count.pass_time(until)
        return count

    def has_enough(self, fact: Happening) -> bool:
        """Whether the points it takes are there at that instant, and nobody owes more for it in the end."""
        if len(self.count(fact.at).purse) < abs(fact.points):
            return False
        return self.count(NEVER, fact).debt <= self.count(NEVER).debt

    def price(self, sale: Happening) -> None:
        """At the tier of its own time, as the visit it is: the next to arrive, or under re-rate the next in order."""
        before = self.count(sale.at)
        visits = before.visits if self.terms.is_re_rated else sum(each.kind == "sale" for each in self.facts)
        sale.line_points, sale.tier = before.price(sale, visits)
