"""The unit of work of what is heard: a few statements over arrays, however many events share the transaction.

Everybody holds the people first, shared or alone, then locks in one order, costs, returns, purchases, goods, customers,
and each of them by its key; a run that publishes locks customers alone, in the same order. They may wait for each
other, and never in a circle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_kit import outbox
from regulars_kit.values import CustomerId
from regulars_scoring.adapters.db import costs as kept
from regulars_scoring.adapters.db import publishing
from regulars_scoring.adapters.db.goods import keep_goods
from regulars_scoring.adapters.db.house import HouseCache
from regulars_scoring.adapters.db.people import SqlPeople
from regulars_scoring.adapters.db.recent import read_recent
from regulars_scoring.adapters.db.rows import customer_in, purchase_in
from regulars_scoring.adapters.db.session import Session, ToMessage
from regulars_scoring.application.listening import Posted
from regulars_scoring.application.ports import Customer
from regulars_scoring.domain.costs import Cost, PointsMoved, Terms
from regulars_scoring.domain.facts import CustomerScored, Fact
from regulars_scoring.domain.goods import Goods
from regulars_scoring.domain.heard import Heard
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.purchases import Posting, Purchase, Return
from regulars_scoring.domain.rfm import Recent
from regulars_scoring.domain.state import DayChange, Entry

# Prepared plans are made while tables are small and kept when they are not: no scan of a whole table may be in one.
_NO_SCANS = "SET LOCAL enable_seqscan = off"

_KEEP_RETURNS = """
    INSERT INTO returns (return_id, purchase_id, customer_id, day, currency, amount_minor, is_void, programme)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::date[], $5::text[], $6::bigint[], $7::boolean[],
                         $8::text[]) AS told (return_id, purchase_id)
    ORDER BY return_id, purchase_id
    ON CONFLICT DO NOTHING RETURNING return_id, purchase_id
"""
# As `Purchase.joined` does it.
_KEEP_PURCHASES = """
    INSERT INTO purchases AS mine
        (purchase_id, customer_id, day, currency, total_minor, returned_minor, is_returned, is_voided,
         programme, costed_minor, cost_minor, earned, returned_costed_minor, returned_cost_minor, taken_back)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::date[], $4::text[], $5::bigint[], $6::bigint[], $7::boolean[],
                         $8::boolean[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],
                         $14::bigint[], $15::bigint[]) AS told (purchase_id)
    ORDER BY purchase_id
    ON CONFLICT (purchase_id) DO UPDATE
        SET customer_id = coalesce(mine.customer_id, excluded.customer_id),
            day = coalesce(mine.day, excluded.day),
            currency = coalesce(mine.currency, excluded.currency),
            total_minor = coalesce(mine.total_minor, excluded.total_minor),
            returned_minor = mine.returned_minor + excluded.returned_minor,
            is_returned = mine.is_returned OR excluded.is_returned,
            is_voided = mine.is_voided OR excluded.is_voided,
            programme = coalesce(mine.programme, excluded.programme),
            costed_minor = coalesce(mine.costed_minor, excluded.costed_minor),
            cost_minor = coalesce(mine.cost_minor, excluded.cost_minor),
            earned = coalesce(mine.earned, excluded.earned),
            returned_costed_minor = mine.returned_costed_minor + excluded.returned_costed_minor,
            returned_cost_minor = mine.returned_cost_minor + excluded.returned_cost_minor,
            taken_back = mine.taken_back + excluded.taken_back
    RETURNING old.*
"""
# Also whoever is known and registered is locked by it, though not changed.
_LOCK = """
    INSERT INTO customers AS mine (id, registered_at)
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[]) AS told (id) ORDER BY id
    ON CONFLICT (id) DO UPDATE SET registered_at = excluded.registered_at
        WHERE mine.registered_at IS NULL AND excluded.registered_at IS NOT NULL
"""
# A statement of its own: it sees what was committed while we waited for the locks.
_POST = """
    WITH posted AS (
        INSERT INTO days AS mine (customer_id, day, net_minor, open_purchases)
        SELECT * FROM unnest($1::uuid[], $2::date[], $3::bigint[], $4::integer[])
        ON CONFLICT (customer_id, day) DO UPDATE
            SET net_minor = mine.net_minor + excluded.net_minor,
                open_purchases = mine.open_purchases + excluded.open_purchases
        RETURNING new.customer_id, new.day,
                  coalesce(old.net_minor, 0) AS net_before, coalesce(old.open_purchases, 0) AS open_before,
                  new.net_minor AS net_after, new.open_purchases AS open_after
    )
    SELECT * FROM posted JOIN customers ON customers.id = posted.customer_id
"""
_LEDGERS = "SELECT customer_id, day, net_minor, open_purchases FROM days WHERE customer_id = ANY($1)"
_STORE = """
    UPDATE customers
    SET occasions = told.occasions, total_minor = told.total_minor, first_day = told.first_day,
        last_day = told.last_day, first_net_minor = told.first_net_minor, version = told.version
    FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::date[], $5::date[], $6::bigint[], $7::integer[])
        AS told (id, occasions, total_minor, first_day, last_day, first_net_minor, version)
    WHERE customers.id = told.id
"""


class SqlListening:
    """`to_message` puts a fact into the words of the bus."""

    def __init__(self, connection: AsyncConnection, cache: HouseCache, to_message: ToMessage) -> None:
        self.noted: list[Heard] = []
        self._session = Session(connection, _NO_SCANS)
        self.people = SqlPeople(self._session)
        self._cache = cache
        self._to_message = to_message

    def note(self, heard: Heard) -> None:
        self.noted.append(heard)

    async def reporting_currency(self, seen: str | None) -> str | None:
        return await self._cache.reporting_currency(self._session, seen)

    async def keep_returns(self, returns: Sequence[Return]) -> Sequence[Return]:
        if not returns:
            return ()
        rows = await self._session.fetch(
            _KEEP_RETURNS,
            [each.return_id for each in returns],
            [each.purchase_id for each in returns],
            [each.customer_id for each in returns],
            [each.day for each in returns],
            [each.currency for each in returns],
            [each.amount_minor for each in returns],
            [each.is_void for each in returns],
            [each.programme for each in returns],
        )
        kept = {(row["return_id"], row["purchase_id"]) for row in rows}
        return [each for each in returns if each.key in kept]

    async def keep_purchases(self, told: Mapping[UUID, Purchase]) -> Mapping[UUID, Purchase]:
        if not told:
            return {}
        purchases = told.values()
        rows = await self._session.fetch(
            _KEEP_PURCHASES,
            list(told),
            [each.customer_id for each in purchases],
            [each.day for each in purchases],
            [each.currency for each in purchases],
            [each.total_minor for each in purchases],
            [each.returned_minor for each in purchases],
            [each.is_returned for each in purchases],
            [each.is_voided for each in purchases],
            [each.programme for each in purchases],
            [None if each.total_minor is None else each.line_costs.costed_minor for each in purchases],
            [None if each.total_minor is None else each.line_costs.cost_minor for each in purchases],
            [each.earned for each in purchases],
            [each.returned_line_costs.costed_minor for each in purchases],
            [each.returned_line_costs.cost_minor for each in purchases],
            [each.taken_back for each in purchases],
        )
        return {row["purchase_id"]: purchase_in(row) for row in rows if row["purchase_id"] is not None}

    async def keep_goods(self, told: Mapping[tuple[UUID, UUID | None], Goods]) -> None:
        await keep_goods(self._session, told)

    async def keep_costs(self, costs: Sequence[Cost]) -> None:
        await kept.keep_costs(self._session, costs)

    async def keep_points(self, moved: Sequence[PointsMoved]) -> None:
        await kept.keep_points(self._session, moved)

    async def keep_terms(self, terms: Sequence[Terms]) -> None:
        await kept.keep_terms(self._session, terms)

    async def lock(self, registered: Mapping[CustomerId, datetime | None]) -> None:
        if registered:
            await self._session.execute(_LOCK, list(registered), list(registered.values()))

    async def post(self, postings: Sequence[Posting]) -> Sequence[Posted]:
        rows = await self._session.fetch(
            _POST,
            [each.customer_id for each in postings],
            [each.day for each in postings],
            [each.change.net_minor for each in postings],
            [each.change.open_purchases for each in postings],
        )
        customers: dict[CustomerId, Customer] = {}
        changes: dict[CustomerId, list[DayChange]] = defaultdict(list)
        for row in rows:
            before, after = Entry(row["net_before"], row["open_before"]), Entry(row["net_after"], row["open_after"])
            changes[row["id"]].append(DayChange(row["day"], before, after))
            if row["id"] not in customers:
                customers[row["id"]] = customer_in(row)
        return [Posted(customer, changes[customer_id]) for customer_id, customer in customers.items()]

    async def ledgers(self, ids: Collection[CustomerId]) -> Mapping[CustomerId, Mapping[date, Entry]]:
        ledgers: dict[CustomerId, dict[date, Entry]] = defaultdict(dict)
        for row in await self._session.fetch(_LEDGERS, list(ids)):
            ledgers[row["customer_id"]][row["day"]] = Entry(row["net_minor"], row["open_purchases"])
        return ledgers

    async def store(self, customers: Sequence[Customer]) -> None:
        states = [each.state for each in customers]
        await self._session.execute(
            _STORE,
            [each.id for each in customers],
            [state.occasions for state in states],
            [state.total_minor for state in states],
            [state.first_day for state in states],
            [state.last_day for state in states],
            [state.first_net_minor for state in states],
            [each.version for each in customers],
        )

    async def model(self) -> Model | None:
        return await self._cache.models.serving(self._session)

    async def recent(self, until: Mapping[CustomerId, date], window_days: int) -> Mapping[CustomerId, Recent]:
        return await read_recent(self._session, until, window_days)

    async def publish(self, scored: Sequence[CustomerScored]) -> None:
        await publishing.publish(self._session, scored)

    async def announce(self, facts: Sequence[Fact]) -> None:
        await outbox.append(self._session.connection, [self._to_message(fact) for fact in facts])
