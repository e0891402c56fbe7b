"""A message is one sender's at a time: senders share the work, die at it, and are taken for dead."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from campaign.happenings import ANNA, BEN, alarmed
from campaign.shop import LEASE_OVER, Shop
from regulars_campaign.adapters.sending.file_sink import FileSink
from regulars_campaign.application.send_messages import LEASE
from regulars_campaign.domain.messages import Outcome
from regulars_campaign.domain.templates import Text


async def test_killed_between_claim_and_sending_the_letter_is_written_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.campaign()
    await shop.hear(alarmed())
    await _die_in(shop, monkeypatch, "before")
    assert shop.letters() == []
    assert await shop.deliver() == 0, "the claim is still somebody's"
    await shop.execute(LEASE_OVER)
    assert await shop.deliver() == 1
    assert len(shop.letters()) == 1
    assert await shop.types() == ["campaign.message_sent.v1"]


async def test_killed_between_sending_and_its_outcome_the_letter_is_written_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.campaign()
    await shop.hear(alarmed())
    await _die_in(shop, monkeypatch, "after")
    (letter,) = shop.letters()
    assert await shop.types() == []
    await shop.execute(LEASE_OVER)
    assert await shop.deliver() == 1
    assert shop.letters() == [letter], "the same file, under the same message id"
    assert await shop.types() == ["campaign.message_sent.v1"]


async def _die_in(shop: Shop, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """End a sender as a kill would: nothing after that instant happens."""
    send = FileSink.send

    async def die(sink: FileSink, message_id: UUID, address: str, text: Text) -> None:
        if moment == "after":
            await send(sink, message_id, address, text)
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(FileSink, "send", die)
        with pytest.raises(asyncio.CancelledError):
            await shop.deliver()


async def test_senders_side_by_side_share_the_work(shop: Shop) -> None:
    await shop.campaign()
    customers = [uuid4() for _ in range(120)]
    for customer in customers:
        await shop.hear(alarmed(customer))
    claimed = await asyncio.gather(*(shop.deliver() for _ in range(4)))
    assert sum(claimed) == 120
    assert len(shop.letters()) == 120
    assert len(await shop.types()) == 120


async def test_a_sender_that_was_taken_for_dead_says_nothing_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.campaign()
    await shop.hear(alarmed())
    send = FileSink.send

    async def slowly(sink: FileSink, message_id: UUID, address: str, text: Text) -> None:
        monkeypatch.setattr(FileSink, "send", send)
        await shop.execute(LEASE_OVER)
        assert await shop.deliver() == 1, "another sender takes over meanwhile"
        await send(sink, message_id, address, text)

    monkeypatch.setattr(FileSink, "send", slowly)
    assert await shop.deliver() == 1
    assert len(shop.letters()) == 1
    assert await shop.types() == ["campaign.message_sent.v1"]


async def test_a_sender_that_was_taken_for_dead_overrules_nobody_who_took_over(shop: Shop) -> None:
    campaign = await shop.campaign()
    await shop.hear(alarmed())
    begin = shop.service.app.state.campaign.begin
    claims = []
    for _ in range(2):
        async with begin() as unit:
            claims += await unit.messages.claim(1, timedelta(0))
    dead, alive = claims
    for outcome in (Outcome(dead, "no_consent"), Outcome(alive, None, "hash"), Outcome(dead, "no_address")):
        async with begin() as unit:
            finished = await unit.messages.finish([outcome], shop.clock())
            await unit.messages.put_back(dead, timedelta(0))
        assert bool(finished) == (outcome.message is alive)
    assert (await shop.get(f"/v1/campaigns/{campaign}"))["messages"] == {"waiting": 0, "sent": 1, "skipped": {}}


async def test_a_sender_whose_lease_runs_out_gives_back_what_it_has_not_begun(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await shop.campaign()
    for customer in (ANNA, BEN):
        await shop.hear(alarmed(customer))
    send = FileSink.send

    async def slowly(sink: FileSink, message_id: UUID, address: str, text: Text) -> None:
        await send(sink, message_id, address, text)
        shop.clock.now += LEASE

    monkeypatch.setattr(FileSink, "send", slowly)
    assert await shop.deliver() == 2
    assert (await shop.get(f"/v1/campaigns/{campaign}"))["messages"] == {"waiting": 1, "sent": 1, "skipped": {}}
    await shop.execute(LEASE_OVER)
    assert await shop.deliver() == 1
    assert len(shop.letters()) == 2
