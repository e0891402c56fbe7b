"""The queries: set-based, so that two hundred customers take as many statements as one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, Select, bindparam, delete, insert, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_customer.adapters.db.rows import consent_row_of, customers_of, profile_row_of, row_of
from regulars_customer.adapters.db.tables import consents, customers, identifiers
from regulars_customer.application.ports import IdentifierKey
from regulars_customer.domain.consents import Consent
from regulars_customer.domain.customer import Customer
from regulars_customer.domain.identifiers import Held, Identifier
from regulars_kit.values import CustomerId

# Sorted: two transactions that want the same identifiers wait for each other in one order, and never in a circle.
_LINK = text(
    """
    INSERT INTO identifiers (id, customer_id, kind, value, hash, is_verified, linked_at)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:customers AS uuid[]), CAST(:kinds AS text[]),
                         CAST(:values AS text[]), CAST(:hashes AS text[]), CAST(:verified AS boolean[]),
                         CAST(:instants AS timestamptz[]))
                  AS link (id, customer_id, kind, value, hash, is_verified, linked_at)
    ORDER BY kind, value
    ON CONFLICT (kind, value) DO NOTHING
    RETURNING kind, value
    """
)
_UPDATE = update(customers).where(customers.c.id == bindparam("customer"))


class SqlCustomers:
    """The store of customers within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def holders(self, wanted: Sequence[Identifier]) -> Mapping[IdentifierKey, CustomerId]:
        keys = [identifier.key for identifier in wanted]
        table = identifiers.c
        found = await self._connection.execute(
            select(table.kind, table.value, table.customer_id).where(tuple_(table.kind, table.value).in_(keys))
        )
        return {(kind, value): CustomerId(customer_id) for kind, value, customer_id in found}

    async def load(self, ids: Collection[CustomerId]) -> Mapping[CustomerId, Customer]:
        return await self._read(select(customers).where(customers.c.id.in_(ids)))

    async def lock(self, ids: Collection[CustomerId]) -> Mapping[CustomerId, Customer]:
        if not ids:
            return {}
        # Locked in one order by everyone. The identifiers are read after the lock is ours, so they are the last ones.
        locking = select(customers).where(customers.c.id.in_(ids)).order_by(customers.c.id).with_for_update()
        return await self._read(locking)

    async def page(self, *, tag: str | None, after: CustomerId | None, limit: int) -> Sequence[Customer]:
        wanted: list[ColumnElement[bool]] = []
        if tag is not None:
            wanted.append(customers.c.tags.contains([tag]))
        if after is not None:
            wanted.append(customers.c.id > after)
        query = select(customers).where(*wanted).order_by(customers.c.id).limit(limit)
        return list((await self._read(query)).values())

    async def add(self, new: Sequence[Customer]) -> None:
        if new:
            await self._connection.execute(insert(customers), [row_of(customer) for customer in new])

    async def update(self, changed: Sequence[Customer]) -> None:
        if changed:
            rows = [profile_row_of(customer) for customer in changed]
            await self._connection.execute(_UPDATE, [{**row, "customer": row["id"]} for row in rows])

    async def link(self, links: Sequence[tuple[CustomerId, Held]]) -> frozenset[IdentifierKey]:
        if not links:
            return frozenset()
        linked = await self._connection.execute(_LINK, _columns_of(links))
        wanted = {held.identifier.key for _, held in links}
        taken = wanted - {(kind, value) for kind, value in linked}
        # Two of the transaction's own customers may claim the same one.
        return frozenset(taken if len(wanted) == len(links) else taken | _doubles(links))

    async def mark(self, link: Held) -> None:
        marked = update(identifiers).where(identifiers.c.id == link.id).values(is_verified=link.is_verified)
        await self._connection.execute(marked)

    async def unlink(self, link: Held) -> None:
        await self._connection.execute(delete(identifiers).where(identifiers.c.id == link.id))

    async def record(self, records: Sequence[tuple[CustomerId, Consent]]) -> None:
        if records:
            await self._connection.execute(insert(consents), [consent_row_of(*record) for record in records])

    async def _read(self, query: Select[tuple[object, ...]]) -> dict[CustomerId, Customer]:
        rows = (await self._connection.execute(query)).mappings().all()
        ids = [row["id"] for row in rows]
        if not ids:
            return {}
        held = select(identifiers).where(identifiers.c.customer_id.in_(ids)).order_by(identifiers.c.id)
        records = select(consents).where(consents.c.customer_id.in_(ids)).order_by(consents.c.id)
        return customers_of(
            rows,
            (await self._connection.execute(held)).mappings(),
            (await self._connection.execute(records)).mappings(),
        )


def _columns_of(links: Sequence[tuple[CustomerId, Held]]) -> dict[str, list[object]]:
    return {
        "ids": [held.id for _, held in links],
        "customers": [customer_id for customer_id, _ in links],
        "kinds": [held.identifier.kind.value for _, held in links],
        "values": [held.identifier.value for _, held in links],
        "hashes": [held.identifier.hash for _, held in links],
        "verified": [held.is_verified for _, held in links],
        "instants": [held.linked_at for _, held in links],
    }


def _doubles(links: Sequence[tuple[CustomerId, Held]]) -> set[IdentifierKey]:
    keys = [held.identifier.key for _, held in links]
    return {key for key in keys if keys.count(key) > 1}
