"""What is known of a customer from others, as the 360 view and the timeline read it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_customer.adapters.db.entries import read_entries
from regulars_customer.application.ports import KnownPart
from regulars_customer.domain.heard import Part, PartKind
from regulars_customer.domain.life_cycle import History, LifeCycle, Stage
from regulars_customer.domain.timeline import Entry, Kind, Place
from regulars_kit.values import CustomerId

_LIFE_CYCLE = text("SELECT * FROM life_cycles WHERE customer_id = :customer")
_PARTS = text("SELECT * FROM parts WHERE customer_id = :customer ORDER BY kind, name")


class SqlPicture:
    """Reads within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def life_cycle(self, customer_id: CustomerId) -> LifeCycle | None:
        row = (await self._connection.execute(_LIFE_CYCLE, {"customer": customer_id})).mappings().one_or_none()
        return None if row is None else life_cycle_of(row)

    async def parts(self, customer_id: CustomerId) -> Sequence[KnownPart]:
        rows = (await self._connection.execute(_PARTS, {"customer": customer_id})).mappings()
        return [KnownPart(_part(row), row["updated_at"]) for row in rows]

    async def timeline(
        self, customer_id: CustomerId, kinds: Collection[Kind], before: Place | None, limit: int
    ) -> Sequence[Entry]:
        return await read_entries(self._connection, customer_id, kinds, before, limit)


def life_cycle_of(row: RowMapping) -> LifeCycle:
    """The life cycle of a row of `life_cycles`."""
    return LifeCycle(
        customer_id=row["customer_id"],
        stage=Stage(row["stage"]),
        since=row["since"],
        history=History(row["purchases"], row["first_at"], row["previous_at"], row["last_at"], row["net_minor"]),
        as_of=row["as_of"],
        updated_at=row["updated_at"],
    )


def _part(row: RowMapping) -> Part:
    figures: dict[str, Any] = row["figures"]
    return Part(row["customer_id"], PartKind(row["kind"]), row["name"], figures, row["rank"], row["as_of"])
