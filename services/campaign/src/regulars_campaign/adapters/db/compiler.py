"""The one compiler of rules: each becomes a true-or-false column over the customers, every value a bound parameter.

What a leaf looks at is joined to the customers once, grouped by customer before it is joined, so that one look over
everybody is a few hash joins, and one over a handful of customers a few index scans. A join that finds nothing gives
NULL, and a NULL is false at the leaf: above it there are only true and false.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, any_, bindparam, false, func, literal, not_, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Numeric, Text, Uuid

from regulars_campaign.adapters.db.deed_sources import Source, deeds_of, one_of
from regulars_campaign.adapters.db.tables import accounts, consents, customers, scores
from regulars_campaign.domain.rules import (
    BalanceIs,
    Behaviour,
    Bounds,
    Branch,
    End,
    Every,
    HasConsent,
    Leaf,
    Measure,
    Occurrence,
    Op,
    Rule,
    ScoreIs,
    ScoreWithin,
    Some,
    StageIs,
    TierIs,
    TraitIs,
)

Bool = ColumnElement[bool]
Column = ColumnElement[Any]

IDS = bindparam("ids", type_=ARRAY(Uuid))
"""The customers that a scoped compilation looks at."""

_COMPARE: dict[Op, Callable[[Column, Column], Bool]] = {
    Op.GTE: lambda left, right: left >= right,
    Op.GT: lambda left, right: left > right,
    Op.LTE: lambda left, right: left <= right,
    Op.LT: lambda left, right: left < right,
    Op.EQ: lambda left, right: left == right,
}


class Compilation:
    """Compiles rules for one day over one FROM, of everybody or of the customers in `:ids`.

    After the last rule, `source` is what the columns stand on.
    """

    def __init__(self, today: date, *, is_scoped: bool) -> None:
        self._today = today
        self._is_scoped = is_scoped
        self._joined: dict[object, FromClause] = {}
        self.source: FromClause = customers

    def verdict(self, rule: Rule) -> Bool:
        """A column that is true for those who fulfil the rule and false for all others, never NULL."""
        if not isinstance(rule, Branch):
            return func.coalesce(self._leaf(rule), false())
        parts = [self.verdict(part) for part in rule.parts]
        if isinstance(rule, Every):
            return and_(*parts)
        return or_(*parts) if isinstance(rule, Some) else not_(or_(*parts))

    def select(self, *columns: Column) -> Select[tuple[Any, ...]]:
        """The columns over the customers it looks at."""
        found = select(*columns).select_from(self.source)
        return found.where(customers.c.id == any_(IDS)) if self._is_scoped else found

    def _leaf(self, leaf: Leaf) -> Bool:
        compile_leaf = _LEAVES[type(leaf)]
        return compile_leaf(self, leaf)

    def join_table(self, table: FromClause) -> FromClause:
        """A table with at most one row per customer."""
        if table not in self._joined:
            self._joined[table] = table
            self.source = self.source.outerjoin(table, table.c.customer_id == customers.c.id)
        return table

    def join(self, key: object, grouped: Select[tuple[Any, ...]]) -> FromClause:
        """A query with one row per customer; one with the same key is joined once."""
        if key not in self._joined:
            if self._is_scoped:
                grouped = grouped.where(grouped.selected_columns.customer_id == any_(IDS))
            joined = grouped.subquery(f"s{len(self._joined)}")
            self._joined[key] = joined
            self.source = self.source.outerjoin(joined, joined.c.customer_id == customers.c.id)
        return self._joined[key]

    def trait(self, leaf: TraitIs) -> Bool:
        value = customers.c.traits[leaf.trait]
        if isinstance(leaf.values[0], int):
            within: Bool = value.contained_by(literal(list(leaf.values), JSONB))
            return within
        # Holds for a text that is one of them, and for a list that has one of them.
        found: Bool = value.has_any(literal(list(leaf.values), ARRAY(Text)))
        return found

    def consent(self, leaf: HasConsent) -> Bool:
        table = consents.c
        wanted = (table.purpose == literal(leaf.purpose), table.channel == literal(leaf.channel), table.is_granted)
        return self.join(leaf, select(table.customer_id).where(*wanted)).c.customer_id.is_not(None)

    def stage(self, leaf: StageIs) -> Bool:
        return customers.c.stage == one_of(leaf.stages)

    def tier(self, leaf: TierIs) -> Bool:
        return self._account(leaf, accounts.c.tier == one_of(leaf.tiers), leaf.programme)

    def balance(self, leaf: BalanceIs) -> Bool:
        return self._account(leaf, _within(accounts.c.points, leaf.bounds), leaf.programme)

    def _account(self, leaf: Leaf, wanted: Bool, programme: str | None) -> Bool:
        found = select(accounts.c.customer_id).where(wanted).group_by(accounts.c.customer_id)
        if programme is not None:
            found = found.where(accounts.c.programme == literal(programme))
        return self.join(leaf, found).c.customer_id.is_not(None)

    def score_is(self, leaf: ScoreIs) -> Bool:
        return self.join_table(scores).c[leaf.score.value] == one_of(leaf.words)

    def score_within(self, leaf: ScoreWithin) -> Bool:
        found = self.join_table(scores).c
        within = _within(found[leaf.score.value], leaf.bounds)
        return within if leaf.currency is None else and_(within, found.currency == literal(leaf.currency))

    def behaviour(self, leaf: Behaviour) -> Bool:
        done = self._deeds(leaf).c
        if leaf.measure is Measure.AVG:
            # Compared by multiplication: a quotient would be rounded.
            return and_(*(_COMPARE[op](done.net_minor, literal(n, Numeric) * done.times) for op, n in leaf.bounds))
        return _within(_MEASURED[leaf.measure](done), leaf.bounds)

    def occurrence(self, leaf: Occurrence) -> Bool:
        done = self._deeds(leaf).c
        day: Column = done.first_day if leaf.end is End.FIRST else done.last_day
        compared: list[Bool] = []
        if leaf.within is not None:
            compared.append(day >= literal(leaf.within.before(self._today)))
        if leaf.before is not None:
            compared.append(day < literal(leaf.before.before(self._today)))
        return and_(*compared)

    def _deeds(self, leaf: Behaviour | Occurrence) -> FromClause:
        source = Source.of(leaf)
        return self.join(source, deeds_of(source, self._today, is_scoped=self._is_scoped))


def _within(value: Column, bounds: Bounds) -> Bool:
    return and_(*(_COMPARE[op](value, literal(number, Numeric)) for op, number in bounds))


_MEASURED: Mapping[Measure, Callable[[Any], Column]] = {
    Measure.COUNT: lambda done: func.coalesce(done.times, 0),
    Measure.SUM: lambda done: func.coalesce(done.net_minor, 0),
    Measure.MIN: lambda done: done.least_minor,
    Measure.MAX: lambda done: done.most_minor,
}

_LEAVES: Mapping[type[Leaf], Callable[[Compilation, Any], Bool]] = {
    TraitIs: Compilation.trait,
    HasConsent: Compilation.consent,
    StageIs: Compilation.stage,
    TierIs: Compilation.tier,
    BalanceIs: Compilation.balance,
    ScoreIs: Compilation.score_is,
    ScoreWithin: Compilation.score_within,
    Behaviour: Compilation.behaviour,
    Occurrence: Compilation.occurrence,
}
