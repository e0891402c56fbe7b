"""The ledger of messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_campaign.adapters.db.session import Session
from regulars_campaign.adapters.db.tables import messages
from regulars_campaign.domain.messages import Claimed, Message, Outcome, State
from regulars_kit.values import CustomerId

# Due, or claimed so long ago that its sender must be dead. All instants are the database's, so that no two machines'
# clocks are compared.
_CLAIM = text(
    """
    UPDATE messages AS message
    SET state = 'claimed', attempts = message.attempts + 1, next_try_at = now() + CAST(:lease AS interval)
    FROM campaigns
    WHERE campaigns.id = message.campaign_id AND message.id IN (
        SELECT due.id FROM messages due JOIN campaigns running ON running.id = due.campaign_id
        WHERE due.state IN ('due', 'claimed') AND due.next_try_at <= now() AND running.state = 'running'
        ORDER BY due.next_try_at LIMIT :limit FOR UPDATE OF due SKIP LOCKED
    )
    RETURNING message.id, message.campaign_id, campaigns.code AS campaign, message.step, message.customer_id,
        message.channel, campaigns.purpose, message.template_id, message.template_version, message.attempts
    """
)
# Both only while the claim is the sender's own, for `attempts` grows with each: one that was taken for dead must not
# write over what its successor does.
_PUT_BACK = text(
    """
    UPDATE messages SET state = 'due', next_try_at = now() + CAST(:wait AS interval)
    WHERE id = :id AND state = 'claimed' AND attempts = :attempts
    """
)
_FINISH = text(
    """
    UPDATE messages SET state = :state, reason = :reason, content_hash = :content_hash, ended_at = :at
    WHERE id = :id AND state = 'claimed' AND attempts = :attempts RETURNING id
    """
)


_ADD_DUE = """
    INSERT INTO messages (id, campaign_id, step, customer_id, channel, state, due_at, template_id, template_version)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[],
                         $8::uuid[], $9::integer[])
    ON CONFLICT DO NOTHING RETURNING id
"""


class SqlMessages:
    def __init__(self, connection: AsyncConnection, session: Session) -> None:
        self._connection = connection
        self._session = session

    async def add_due(self, due: Sequence[Message]) -> int:
        if not due:
            return 0
        added = await self._session.fetch(
            _ADD_DUE,
            [message.id for message in due],
            [message.campaign_id for message in due],
            [message.step for message in due],
            [message.customer_id for message in due],
            [message.channel for message in due],
            [message.state for message in due],
            [message.due_at for message in due],
            [message.template_id for message in due],
            [message.template_version for message in due],
        )
        return len(added)

    async def claim(self, limit: int, lease: timedelta) -> Sequence[Claimed]:
        claimed = await self._connection.execute(_CLAIM, {"limit": limit, "lease": lease})
        return [Claimed(**row) for row in claimed.mappings()]

    async def put_back(self, message: Claimed, wait: timedelta) -> None:
        await self._connection.execute(_PUT_BACK, {"id": message.id, "attempts": message.attempts, "wait": wait})

    async def finish(self, outcomes: Sequence[Outcome], at: datetime) -> Collection[UUID]:
        finished: set[UUID] = set()
        for outcome in sorted(outcomes, key=lambda outcome: outcome.message.id):
            values = {
                "id": outcome.message.id,
                "attempts": outcome.message.attempts,
                "state": State.SENT if outcome.reason is None else State.SKIPPED,
                "reason": outcome.reason,
                "content_hash": outcome.content_hash,
                "at": at,
            }
            finished |= set(await self._connection.scalars(_FINISH, values))
        return finished

    async def page(
        self, *, customer_id: CustomerId | None, campaign_id: UUID | None, after: UUID | None, limit: int
    ) -> Sequence[Message]:
        query = select(messages).order_by(messages.c.id).limit(limit)
        if customer_id is not None:
            query = query.where(messages.c.customer_id == customer_id)
        if campaign_id is not None:
            query = query.where(messages.c.campaign_id == campaign_id)
        if after is not None:
            query = query.where(messages.c.id > after)
        rows = (await self._connection.execute(query)).mappings()
        return [Message(**{**row, "state": State(row["state"])}) for row in rows]

    async def counts(self, campaign_ids: Collection[UUID]) -> Mapping[UUID, Mapping[tuple[str, str | None], int]]:
        table = messages.c
        counted = select(table.campaign_id, table.state, table.reason, func.count())
        grouped = counted.where(table.campaign_id.in_(campaign_ids)).group_by(
            table.campaign_id, table.state, table.reason
        )
        found: dict[UUID, dict[tuple[str, str | None], int]] = {}
        for campaign_id, state, reason, count in await self._connection.execute(grouped):
            found.setdefault(campaign_id, {})[state, reason] = count
        return found
