"""`python -m regulars.behind FD`: what goes on behind the requests, in a process of its own and at lower priority.

Consumers, relays, schedules, jobs and webhooks of all services. The socket on FD tells it what to run on (one line of
JSON), asks it for its metrics (an empty line each), and by its end that the shop is closed.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from functools import partial
from pathlib import Path

import uvloop

from regulars.home import Keys
from regulars.metrics import metrics_text
from regulars.postgres import PostgresServer
from regulars.topology import opened_house
from regulars_kit.lifecycle import run_loops
from regulars_kit.observe import set_up_logs

NICENESS = 10
END_OF_PAGE = b"\0"


def main() -> None:
    set_up_logs("warning", as_json=False)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(socket.socket(fileno=int(sys.argv[1]))))


async def _work(connection: socket.socket) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    reader, writer = await asyncio.open_connection(sock=connection)
    told = json.loads(await reader.readline())
    keys = Keys(**{**told["keys"], "identifier_key": bytes.fromhex(told["keys"]["identifier_key"])})
    messages_dir = told["messages_dir"] and Path(told["messages_dir"])
    async with opened_house(PostgresServer(Path(told["postgres_dir"])), keys, messages_dir) as house:
        telling = asyncio.create_task(_tell(reader, writer, partial(metrics_text, house.registries()), stop))
        await run_loops(house.background_loops(), stop=stop)
        telling.cancel()


async def _tell(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, page: partial[bytes], stop: asyncio.Event
) -> None:
    """Answer until the shop hangs up. However this ends, nobody is left to work for."""
    try:
        while await reader.readline():
            writer.write(page() + END_OF_PAGE)
            await writer.drain()
    finally:
        stop.set()


if __name__ == "__main__":
    main()
