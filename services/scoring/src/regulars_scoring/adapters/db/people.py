"""Whose an id is: merges as they were told, and from them one row for each id that another stands for.

Facts bear the id they came with. Days and states bear the surviving one, so that a merge costs what its two customers
have bought and the rest reads them as ever.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from regulars_kit.values import CustomerId
from regulars_scoring.adapters.db.rows import purchase_in, unmatched_return_in
from regulars_scoring.adapters.db.session import Session
from regulars_scoring.domain.merges import Merge
from regulars_scoring.domain.purchases import Purchase, Return

PEOPLE_LOCK = 7_420
"""Advisory lock: shared by those who follow events, alone for who merges, parts or erases customers."""

_ERASED = "SELECT id FROM erased_customers WHERE id = ANY($1)"
_KEEP_MERGES = """
    INSERT INTO merges AS mine (id, merged_id, surviving_id, is_undone)
    SELECT id, merged_id, surviving_id, bool_or(is_undone)
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::boolean[]) AS told (id, merged_id, surviving_id, is_undone)
    GROUP BY id, merged_id, surviving_id
    ON CONFLICT (id) DO UPDATE SET is_undone = true WHERE excluded.is_undone AND NOT mine.is_undone
"""
_MERGES_AMONG = """
    SELECT id, merged_id, surviving_id, is_undone FROM merges WHERE merged_id = ANY($1) AND surviving_id = ANY($1)
"""
_GROUPS = """
    WITH survivors AS (
        SELECT DISTINCT coalesce(alias.surviving_id, told.id) AS id
        FROM unnest($1::uuid[]) AS told (id) LEFT JOIN customer_alias AS alias USING (id)
    )
    SELECT id, id AS surviving_id FROM survivors
    UNION ALL
    SELECT alias.id, surviving_id FROM customer_alias AS alias JOIN survivors ON survivors.id = surviving_id
"""
_SURVIVORS = "SELECT id, surviving_id FROM customer_alias WHERE id = ANY($1)"
_NAME_NOBODY = "DELETE FROM customer_alias WHERE id = ANY($1)"
_NAME = "INSERT INTO customer_alias (id, surviving_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])"
_EMPTY = (
    "DELETE FROM days WHERE customer_id = ANY($1)",
    """
    UPDATE customers SET occasions = 0, total_minor = 0, first_day = NULL, last_day = NULL, first_net_minor = 0,
        version = version + 1
    WHERE id = ANY($1)
    """,
)
_PURCHASES = "SELECT * FROM purchases WHERE customer_id = ANY($1)"
_UNMATCHED = "SELECT * FROM returns WHERE customer_id = ANY($1) AND purchase_id IS NULL"
_ERASE = (
    "INSERT INTO erased_customers (id) SELECT * FROM unnest($1::uuid[])",
    "UPDATE purchases SET customer_id = NULL, earned = NULL WHERE customer_id = ANY($1)",
    "UPDATE returns SET customer_id = NULL WHERE customer_id = ANY($1)",
    "DELETE FROM merges WHERE merged_id = ANY($1) OR surviving_id = ANY($1)",
    *(f"DELETE FROM {table} WHERE customer_id = ANY($1)" for table in ("costs", "points", "score_history", "drafts")),
    "DELETE FROM customers WHERE id = ANY($1)",
)


class SqlPeople:
    """Within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def hold(self, ids: Collection[CustomerId], *, alone: bool) -> Collection[CustomerId]:
        # A statement of its own: the next one sees what was committed while we waited.
        await self._session.execute(f"SELECT pg_advisory_xact_lock{'' if alone else '_shared'}({PEOPLE_LOCK})")
        return {row["id"] for row in await self._session.fetch(_ERASED, list(ids))}

    async def keep_merges(self, merges: Sequence[Merge]) -> None:
        await self._session.execute(
            _KEEP_MERGES,
            [each.id for each in merges],
            [each.merged_id for each in merges],
            [each.surviving_id for each in merges],
            [each.is_undone for each in merges],
        )

    async def merges_among(self, ids: Collection[CustomerId]) -> Sequence[Merge]:
        return [Merge(**row) for row in await self._session.fetch(_MERGES_AMONG, list(ids))]

    async def groups_of(self, ids: Collection[CustomerId]) -> Mapping[CustomerId, CustomerId]:
        return {row["id"]: row["surviving_id"] for row in await self._session.fetch(_GROUPS, list(ids))}

    async def survivors_of(self, ids: Collection[CustomerId]) -> Mapping[CustomerId, CustomerId]:
        if not ids:
            return {}
        return {row["id"]: row["surviving_id"] for row in await self._session.fetch(_SURVIVORS, list(ids))}

    async def regroup(self, ids: Collection[CustomerId], survivors: Mapping[CustomerId, CustomerId]) -> None:
        await self._session.execute(_NAME_NOBODY, list(ids))
        await self._session.execute(_NAME, list(survivors), list(survivors.values()))

    async def empty(self, ids: Collection[CustomerId]) -> None:
        for statement in _EMPTY:
            await self._session.execute(statement, list(ids))

    async def purchases(self, ids: Collection[CustomerId]) -> Sequence[Purchase]:
        return [purchase_in(row) for row in await self._session.fetch(_PURCHASES, list(ids))]

    async def unmatched_returns(self, ids: Collection[CustomerId]) -> Sequence[Return]:
        return [unmatched_return_in(row) for row in await self._session.fetch(_UNMATCHED, list(ids))]

    async def erase(self, ids: Collection[CustomerId]) -> None:
        for statement in _ERASE:
            await self._session.execute(statement, list(ids))
