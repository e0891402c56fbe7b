"""A sender killed with SIGKILL at any instant: every message is written once and told once."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest

from campaign.happenings import alarmed
from campaign.shop import Desk, Shop, WallClock, a_service

if TYPE_CHECKING:
    from conftest import FreshDatabase

MESSAGES, KILLS = 100, 3
TESTS = str(Path(__file__).resolve().parents[1])
LEASE_OVER = "UPDATE messages SET next_try_at = now() WHERE state = 'claimed'"


@pytest.fixture
def luck(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.node.name)


async def kill_after(lines: int, database_url: str, sink: Path) -> None:
    """Let a sender say so many lines, then kill it."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "campaign.killed_sender", database_url, str(sink)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": TESTS},
    )
    assert child.stdout is not None
    for _ in range(lines):
        assert await asyncio.wait_for(child.stdout.readline(), 30)
    child.kill()
    await child.wait()


async def test_a_sender_killed_again_and_again_writes_each_message_once(
    fresh_database: FreshDatabase, tmp_path: Path, luck: random.Random
) -> None:
    url = await fresh_database("regulars_campaign")
    desk, clock = Desk(), WallClock()
    service = a_service(url, desk, clock, sink_dir=tmp_path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=service.app), base_url="http://campaign") as client:
        shop = Shop(service, client, clock, desk, tmp_path)
        campaign = await shop.campaign()
        for _ in range(MESSAGES):
            await shop.hear(alarmed(uuid4()))
        for _ in range(KILLS):
            await kill_after(luck.randint(1, 30), url, tmp_path)
            await shop.execute(LEASE_OVER)
        while await shop.deliver():
            pass
        assert (await shop.get(f"/v1/campaigns/{campaign}"))["messages"]["sent"] == MESSAGES
        told = [event.data["message_id"] for event in await shop.told()]
        assert len(told) == len(set(told)) == MESSAGES
        written = [letter["message_id"] for letter in shop.letters()]
        assert sorted(written) == sorted(map(str, told))
    await service.database.close()
