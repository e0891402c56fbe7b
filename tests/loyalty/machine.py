"""A customer to whom anything may happen, in any order and twice, beside a naive count of what her points must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from builders import a_line, a_purchase, an_id
from loyalty.drivers import Driver, Reply
from loyalty.ledger import Ledger
from loyalty.naive import NEVER, Happening, Line, NaiveAccount, Terms
from regulars_loyalty.domain.purchase import Purchase
from regulars_loyalty.domain.returning import LineWanted

SECOND = timedelta(seconds=1)
START = datetime(2025, 10, 1, 9, tzinfo=UTC)

lateness = st.one_of(st.just(0), st.just(0), st.integers(1, 24 * 70))
few = st.integers(1, 40)
some_lines = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 1500)), min_size=1, max_size=3)
some_of_it = st.one_of(
    st.tuples(st.just("quantity"), st.integers(1, 4)), st.tuples(st.just("net_minor"), st.integers(0, 900)), st.none()
)
terms = st.builds(
    Terms,
    is_re_rated=st.booleans(),
    is_clamped=st.booleans(),
    is_guaranteed=st.booleans(),
    grace_days=st.sampled_from([0, 0, 20]),
)


def document(terms: Terms) -> dict[str, Any]:
    """The terms as a programme."""
    return {
        "expires": {"after": f"P{terms.life_days}D"},
        "tiers": [{"code": "base", "from": 0}, {"code": "gold", "from": terms.gold_from, "multiplier": "1.5"}],
        "rules": [{"code": "welcome", "when": {"first_purchase": True}, "bonus": terms.welcome}],
        "qualify": {"on_return": "guarantee" if terms.is_guaranteed else "revoke"},
        "policies": {
            "debt": "clamp" if terms.is_clamped else "debt",
            "late": "re-rate" if terms.is_re_rated else "no-rerate",
            "grace_days": terms.grace_days,
        },
    }


class AnnasYear(RuleBasedStateMachine):
    """Every rule asks the service for something, says what it must answer, and tells the naive count."""

    def __init__(self, open_driver: Callable[[], Driver]) -> None:
        super().__init__()
        self.driver = open_driver()
        self.now = START
        self.ticks = 0
        self.sales: list[tuple[Purchase, Happening]] = []
        self.returned: dict[UUID, list[Fraction]] = {}
        self.voids: set[UUID] = set()
        self.redemptions: dict[UUID, tuple[datetime, int]] = {}
        self.sent: list[tuple[Callable[[], Reply], Reply]] = []
        self.ledger = Ledger()

    @initialize(terms=terms, shape=some_lines, has_bought=st.sampled_from([True, True, True, False]))
    def open_the_shop(self, terms: Terms, shape: list[tuple[int, int]], has_bought: bool) -> None:
        self.naive = NaiveAccount(terms)
        self.driver.now = self.now
        self.driver.publish(**document(terms))
        if has_bought:
            self._buy(shape, 0, self.instant(0))

    def instant(self, hours_ago: int, not_before: datetime = START) -> datetime:
        """An instant of its own, so that nothing happens at the same time."""
        self.ticks += 1
        late = max(self.now - timedelta(hours=hours_ago), not_before)
        return late + timedelta(microseconds=self.ticks)

    def ask(self, request: Callable[[], Reply], refused: str | None) -> Reply:
        """Send it; the answer must be the refusal, or none."""
        reply = request()
        assert reply.code == refused, reply
        if refused is None:
            self.sent.append((request, reply))
        return reply

    @rule(shape=some_lines, percent_in_points=st.sampled_from([0, 0, 0, 2, 100]), hours_ago=lateness)
    def buy(self, shape: list[tuple[int, int]], percent_in_points: int, hours_ago: int) -> None:
        self._buy(shape, percent_in_points, self.instant(hours_ago))

    def _buy(self, shape: list[tuple[int, int]], percent_in_points: int, at: datetime) -> None:
        lines = [
            a_line(net, line_id=str(place), quantity_milli=pieces * 1000) for place, (pieces, net) in enumerate(shape)
        ]
        paid = sum(net for _, net in shape) * percent_in_points // 100
        purchase = a_purchase(when=at, lines=lines, paid_in_points_minor=paid)
        sale = Happening("sale", purchase.purchase_id, at, paid, tuple(Line(*each) for each in shape))
        self.naive.price(sale)
        short = paid > 0 and not self.naive.has_enough(sale)
        reply = self.ask(lambda: self.driver.sell(purchase), "insufficient_points" if short else None)
        if short:
            return
        assert [line["points"] for line in reply.body["lines"]] == sale.line_points
        assert (reply.body["earned"], reply.body["tier"]) == (sum(sale.line_points or []), sale.tier)
        self.naive.facts.append(sale)
        self.sales.append((purchase, sale))
        self.returned[sale.name] = [Fraction(0)] * len(lines)

    @precondition(lambda self: self.sales)
    @rule(data=st.data(), choices=st.lists(some_of_it, min_size=1, max_size=3), hours_ago=lateness)
    def bring_back(self, data: st.DataObject, choices: list[tuple[str, int] | None], hours_ago: int) -> None:
        purchase, sale = data.draw(st.sampled_from(self.sales))
        wanted = [_wanted(place, choice) for place, choice in enumerate(choices[: len(sale.lines)])]
        parts = self._parts(sale, wanted)
        return_id, at = an_id(), self.instant(hours_ago, sale.at)
        refused = None if parts else "nothing_left_to_return"
        reply = self.ask(lambda: self.driver.give_back(purchase.purchase_id, return_id, tuple(wanted), at), refused)
        if parts:
            self._brought_back(sale, return_id, at, parts, reply)

    @precondition(lambda self: self.sales)
    @rule(data=st.data(), hours_ago=lateness)
    def void(self, data: st.DataObject, hours_ago: int) -> None:
        purchase, sale = data.draw(st.sampled_from(self.sales))
        if sale.name in self.voids:
            return
        at = self.instant(hours_ago, sale.at)
        parts = [(place, 1 - part) for place, part in enumerate(self.returned[sale.name]) if part < 1]
        refused = None if parts else "nothing_left_to_return"
        reply = self.ask(lambda: self.driver.void(purchase.purchase_id, at), refused)
        if parts:
            self.voids.add(sale.name)
            self._brought_back(sale, UUID(reply.body["return_id"]), at, parts, reply)

    def _parts(self, sale: Happening, wanted: list[LineWanted]) -> list[tuple[int, Fraction]]:
        """Which shares of the lines are meant; none where one is more than is left."""
        parts = []
        for place, each in enumerate(wanted):
            line, left = sale.lines[place], 1 - self.returned[sale.name][place]
            part = left
            if each.quantity_milli is not None:
                part = Fraction(each.quantity_milli, line.quantity * 1000)
            elif each.net_minor is not None and line.net_minor:
                part = Fraction(each.net_minor, line.net_minor)
            elif each.net_minor:
                return []
            if left == 0 or part > left:
                return []
            parts.append((place, part))
        return parts

    def _brought_back(
        self, sale: Happening, name: UUID, at: datetime, parts: list[tuple[int, Fraction]], reply: Reply
    ) -> None:
        for place, part in parts:
            self.returned[sale.name][place] += part
        self.naive.facts.append(Happening("return", name, at, of=sale.name, parts=tuple(parts)))
        count = self.naive.count(at)
        assert (reply.body["taken_back"], reply.body["restored"]) == (count.taken_back, count.given_back)

    @rule(points=few, hours_ago=lateness)
    def redeem(self, points: int, hours_ago: int) -> None:
        at, key = self.instant(hours_ago), str(an_id())
        fact = Happening("redemption", an_id(), at, points)
        refused = None if self.naive.has_enough(fact) else "insufficient_points"
        if not self.naive.facts:
            refused = "unknown_customer"
        reply = self.ask(lambda: self.driver.redeem(points, at, key), refused)
        if refused is None:
            fact.name = UUID(reply.body["redemption_id"])
            self.naive.facts.append(fact)
            self.redemptions[fact.name] = (at, points)

    @precondition(lambda self: self.redemptions)
    @rule(data=st.data(), points=few, hours_ago=lateness)
    def reverse(self, data: st.DataObject, points: int, hours_ago: int) -> None:
        redemption_id = data.draw(st.sampled_from(sorted(self.redemptions)))
        spent_at, left = self.redemptions[redemption_id]
        at, key = self.instant(hours_ago, spent_at), str(an_id())
        refused = None if points <= left else "nothing_left_to_reverse"
        reply = self.ask(lambda: self.driver.reverse(redemption_id, points, at, key), refused)
        if refused is None:
            self.redemptions[redemption_id] = (spent_at, left - points)
            name = UUID(reply.body["reversal_id"])
            self.naive.facts.append(Happening("reversal", name, at, points, of=redemption_id))

    @rule(points=st.integers(-15, 40).filter(bool), days=st.integers(1, 90), hours_ago=lateness)
    def adjust(self, points: int, days: int, hours_ago: int) -> None:
        at, key = self.instant(hours_ago), str(an_id())
        ends = at + timedelta(days=days) if points > 0 else None
        fact = Happening("adjustment", an_id(), at, points, ends=ends)
        refused = None if points > 0 or self.naive.has_enough(fact) else "insufficient_points"
        if points < 0 and not self.naive.facts:
            refused = "unknown_customer"
        reply = self.ask(lambda: self.driver.adjust(points, at, ends, key), refused)
        if refused is None:
            fact.name = UUID(reply.body["adjustment_id"])
            self.naive.facts.append(fact)

    @rule(hours=st.integers(1, 24 * 75), is_noted=st.booleans())
    def time_passes(self, hours: int, is_noted: bool) -> None:
        self.now += timedelta(hours=hours)
        self.driver.now = self.now
        if is_noted:
            self.driver.expire()

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        """The first answer, and nothing else: the invariants see whether anything moved."""
        request, reply = data.draw(st.sampled_from(self.sent))
        assert request() == reply

    @precondition(lambda self: self.sent)
    @invariant()
    def the_service_says_what_the_count_says(self) -> None:
        self.driver.now = self.now + SECOND
        count = self.naive.count(self.now + SECOND)
        wallet, lots = self.driver.wallet(), self.driver.lots()
        said = (wallet["spendable"], wallet["debt"], wallet["tier"])
        assert said == (len(count.purse), count.debt, count.tier(self.now))
        assert all(0 < lot["remaining"] <= lot["issued"] for lot in lots), "I2"
        remaining: Counter[tuple[UUID, datetime]] = Counter()
        for lot in lots:
            remaining[UUID(lot["origin"]), _ends(lot)] += lot["remaining"]
        assert remaining == count.lots()

    @precondition(lambda self: self.sent)
    @invariant()
    def the_books_balance(self) -> None:
        self.ledger.read_on(self.driver.entries(self.ledger.seq))
        self.ledger.check(self.driver.totals())

    def teardown(self) -> None:
        if self.sent:
            self.ledger.check_nothing_changed(self.driver.entries(0))
        self.driver.close()


def _wanted(place: int, choice: tuple[str, int] | None) -> LineWanted:
    if choice is None:
        return LineWanted(str(place))
    kind, value = choice
    return LineWanted(str(place), value * 1000) if kind == "quantity" else LineWanted(str(place), None, value)


def _ends(lot: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(lot["expires_at"]) if lot["expires_at"] else NEVER
