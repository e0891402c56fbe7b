"""The two processes that measure the chain: tills that do not wait for each other, a partner who hears everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from chain_path.cast import receipt
from chain_path.receiver import receiver
from chain_path.tills import TILLS, Sale, sell
from purchase_path.measuring import Failed

CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
REFUSED = b"HTTP/1.1 422 Unprocessable Content\r\ncontent-length: 2\r\n\r\n{}"
CUSTOMERS = [UUID(int=number) for number in range(1, TILLS + 37)]


@asynccontextmanager
async def a_shop(answer: Callable[[], Awaitable[bytes]]) -> AsyncIterator[int]:
    """A server that answers every purchase so; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]))
                writer.write(await answer())
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def sold(folder: Path, port: int, customers: list[UUID]) -> list[Sale]:
    receipts = [(customer, receipt(customer, str(customer), "2026-11-25")) for customer in customers]
    return await asyncio.to_thread(sell, folder, port, "rk_test", 1_000, receipts)


async def test_the_tills_do_not_wait_for_the_answers_before(tmp_path: Path) -> None:
    everybody_is_here, come = asyncio.Event(), 0

    async def answer() -> bytes:
        nonlocal come
        come += 1
        if come == TILLS:
            everybody_is_here.set()
        await everybody_is_here.wait()
        return CREATED

    async with a_shop(answer) as port:
        sales = await sold(tmp_path, port, CUSTOMERS)
    assert [sale.customer for sale in sales] == CUSTOMERS
    # The shop answered nobody before all tills had sent: whoever was due later than that waited, from then on.
    last_of_the_first = max(sale.sent for sale in sales[:TILLS])
    assert min(sale.answered for sale in sales) >= last_of_the_first
    assert all(sale.due <= sale.sent <= sale.answered for sale in sales)
    gaps = [following.due - sale.due for sale, following in pairwise(sales)]
    assert gaps == pytest.approx([0.001] * len(gaps), abs=1e-5)


async def test_a_purchase_that_is_refused_ends_the_measuring(tmp_path: Path) -> None:
    answers = iter([CREATED, REFUSED, CREATED])

    async def answer() -> bytes:
        return next(answers)

    async with a_shop(answer) as port:
        with pytest.raises(Failed, match="of 3 purchases 1 were refused, the first with 422"):
            await sold(tmp_path, port, CUSTOMERS[:3])


def test_the_partner_knows_what_came_and_for_whom(tmp_path: Path) -> None:
    ada, ben = CUSTOMERS[:2]
    with receiver(tmp_path) as partner, httpx.Client(trust_env=False) as client:
        for type_, customer in (("loyalty.purchase_recorded.v1", ada), ("campaign.segment_entered.v1", ben)):
            event = {"specversion": "1.0", "id": "1", "type": type_, "subject": str(customer), "data": {"x": "y" * 900}}
            assert client.post(partner.url, json=event).status_code == 204
        assert partner.count() == 2
    told = partner.arrivals()
    expected = [("loyalty.purchase_recorded.v1", ada), ("campaign.segment_entered.v1", ben)]
    assert [(one.type, one.subject) for one in told] == expected
    assert told[0].at <= told[1].at
