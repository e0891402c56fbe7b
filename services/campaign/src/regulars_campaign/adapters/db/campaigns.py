"""Campaigns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_campaign.adapters.db.tables import campaigns
from regulars_campaign.domain.campaigns import Campaign, Channel, Purpose, State, Trigger
from regulars_campaign.domain.segments import SegmentId


class SqlCampaigns:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, campaign: Campaign) -> bool:
        added = await self._connection.execute(insert(campaigns).values(asdict(campaign)).on_conflict_do_nothing())
        return added.rowcount == 1

    async def load(self, campaign_id: UUID, *, for_update: bool = False) -> Campaign | None:
        query = select(campaigns).where(campaigns.c.id == campaign_id)
        found = await self._all(query.with_for_update() if for_update else query)
        return found[0] if found else None

    async def page(self, *, after: UUID | None, limit: int) -> Sequence[Campaign]:
        query = select(campaigns).order_by(campaigns.c.id).limit(limit)
        return await self._all(query if after is None else query.where(campaigns.c.id > after))

    async def store(self, campaign: Campaign) -> None:
        settled = {
            "state": campaign.state,
            "template_version": campaign.template_version,
            "launched_at": campaign.launched_at,
        }
        await self._connection.execute(update(campaigns).where(campaigns.c.id == campaign.id).values(settled))

    async def triggered(self, trigger: Trigger, segments: Collection[SegmentId] = ()) -> Sequence[Campaign]:
        query = select(campaigns).where(campaigns.c.state == State.RUNNING, campaigns.c.trigger == trigger)
        if trigger is Trigger.SEGMENT_ENTERED:
            query = query.where(campaigns.c.segment_id.in_(segments))
        # Shared with nobody who pauses it: a pause waits for what is being triggered, and then holds.
        return await self._all(query.order_by(campaigns.c.id).with_for_update(read=True))

    async def _all(self, query: Select[tuple[Any, ...]]) -> Sequence[Campaign]:
        return [_campaign(row) for row in (await self._connection.execute(query)).mappings()]


def _campaign(row: RowMapping) -> Campaign:
    closed = {
        "trigger": Trigger(row["trigger"]),
        "channel": Channel(row["channel"]),
        "purpose": Purpose(row["purpose"]),
        "state": State(row["state"]),
    }
    return Campaign(**{**row, **closed})
