"""What customers did, summed up per customer for one leaf: from the totals, or from the roll-ups by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, any_, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from regulars_campaign.adapters.db.tables import rollups, totals
from regulars_campaign.domain.calendar import Period
from regulars_campaign.domain.rules import Behaviour, Deed, Occurrence, Where


@dataclass(frozen=True, slots=True)
class Source:
    """Which deeds count. Two leaves that ask of the same ones share one join."""

    deed: Deed
    currency: str | None
    window: Period | None
    where: Where

    @classmethod
    def of(cls, leaf: Behaviour | Occurrence) -> Source:
        currency = leaf.currency if isinstance(leaf, Behaviour) else None
        return cls(leaf.deed, currency, leaf.window, leaf.where)


def deeds_of(source: Source, today: date, *, is_scoped: bool) -> Select[tuple[Any, ...]]:
    """Per customer: `times`, `net_minor`, `least_minor`, `most_minor`, `first_day`, `last_day`; none for who did none.

    Groups by `customer_id`, which the caller narrows down further when it `is_scoped`.
    """
    if source.window is None and source.where.is_everything:
        return _grouped(totals, source, "first_day", "last_day")
    grouped = _grouped(rollups, source, "day", "day")
    if not is_scoped:
        grouped = grouped.where(rollups.c.times > text("0"))  # true of all rows: opens the indexes over everybody
    if source.window is not None:
        # A day ahead of the shop's own is that of a till whose clock is fast: it counts from tomorrow on.
        grouped = grouped.where(rollups.c.day >= literal(source.window.before(today)), rollups.c.day <= literal(today))
    return grouped.where(*_conditions(source.where))


def _grouped(table: Table, source: Source, first: str, last: str) -> Select[tuple[Any, ...]]:
    columns = table.c
    grouped = select(
        columns.customer_id,
        func.sum(columns.times).label("times"),
        func.sum(columns.net_minor).label("net_minor"),
        func.min(columns.least_minor).label("least_minor"),
        func.max(columns.most_minor).label("most_minor"),
        func.min(columns[first]).label("first_day"),
        func.max(columns[last]).label("last_day"),
    )
    grouped = grouped.where(columns.deed == literal(source.deed.value)).group_by(columns.customer_id)
    return grouped if source.currency is None else grouped.where(columns.currency == literal(source.currency))


def _conditions(where: Where) -> list[ColumnElement[bool]]:
    found = [rollups.c.category == one_of(where.categories) if where.categories else rollups.c.category.is_(None)]
    if where.stores:
        found.append(rollups.c.store == one_of(where.stores))
    if where.channels:
        found.append(rollups.c.channel == one_of(where.channels))
    return found


def one_of(values: Sequence[str]) -> ColumnElement[Any]:
    """What a column equals when it is one of the values."""
    return any_(literal(list(values), ARRAY(Text)))
