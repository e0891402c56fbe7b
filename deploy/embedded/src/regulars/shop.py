"""The running process: what is started in which order, and ended in the reverse one."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

import structlog
import uvloop

from regulars.behind_process import STOP_TIMEOUT_S, Behind
from regulars.home import Home, Keys
from regulars.postgres import PostgresServer
from regulars.refusals import CannotStart
from regulars.sample_process import is_sample_loaded, load_sample
from regulars.serving import listen
from regulars.topology import front_of, opened_house, prepare_databases
from regulars.welcome import Greeting
from regulars_kit.lifecycle import run_loops, serving
from regulars_kit.observe import set_up_logs

SAMPLE_CURRENCY = "GBP"
_WATCH_EVERY_S = 0.5
_PATIENCE_S = 30.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What `regulars up` was asked for. `has_sample` False leaves a new home empty.

    `messages_dir` None: the invented customers of the sample are written to in the home, real ones not at all.
    """

    home: Path
    host: str
    port: int
    has_sample: bool
    original_dates: bool
    messages_dir: Path | None = None


def open_shop(options: Options, say: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM, then end in good order. Raises `CannotStart`.

    Call it from the main thread, which PostgreSQL's life hangs on. `say` prints a text for the one who started it.
    """
    set_up_logs("warning", as_json=False)
    with Home(options.home) as home, closing(listen(options.host, options.port)) as listener:
        keys = home.keys()
        with PostgresServer(home.postgres_dir) as postgres:
            shop = _Shop(options, home, keys, postgres, listener, say)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(shop.run())


class _Shop:
    def __init__(
        self,
        options: Options,
        home: Home,
        keys: Keys,
        postgres: PostgresServer,
        listener: socket.socket,
        say: Callable[[str], None],
    ) -> None:
        self._options = options
        self._home = home
        self._keys = keys
        self._postgres = postgres
        self._listener = listener
        self._say = say
        host, port = listener.getsockname()[:2]
        self._address = ("127.0.0.1" if host == "0.0.0.0" else str(host), int(port))
        self._url = "http://{}:{}".format(*self._address)

    @property
    def _messages_dir(self) -> Path | None:
        of_the_sample = self._home.folder / "messages" if self._options.has_sample else None
        return self._options.messages_dir or of_the_sample

    async def run(self) -> None:
        """Until a signal. At the end no more requests are taken, what was accepted is committed, then relayed."""
        await prepare_databases(self._postgres)
        async with opened_house(self._postgres, self._keys, self._messages_dir) as house, asyncio.TaskGroup() as group:
            served = asyncio.Event()
            behind = Behind(self._postgres.data_dir, self._keys, self._messages_dir)
            after_requests = [self._watch_postgres, behind.run, *house.front_loops()]
            group.create_task(run_loops(after_requests, stop=served, drain_s=STOP_TIMEOUT_S + 5))
            await run_loops([serving(front_of(house, behind.metrics), self._listener), self._welcome])
            served.set()

    async def _watch_postgres(self, stop: asyncio.Event) -> None:
        """Start PostgreSQL again when it ends by itself (the kernel was short of memory); till then: 503."""
        while not await _happens_within(_WATCH_EVERY_S, stop):
            if self._postgres.is_running:
                continue
            _log.warning("postgres_ended", log=str(self._postgres.log_path))
            try:
                # In a thread, since recovery takes time; PostgreSQL's life hangs on it now, and it ends with the loop.
                await asyncio.to_thread(self._postgres.start)
            except CannotStart as refusal:
                _log.error("postgres_does_not_start", reason=str(refusal))

    async def _welcome(self, stop: asyncio.Event) -> None:
        """Greet once the first request is answered, then fill a new home."""
        wants_sample = self._options.has_sample and not is_sample_loaded(self._home.folder)
        currency = await asyncio.to_thread(self._first_currency) or (SAMPLE_CURRENCY if wants_sample else None)
        today = datetime.now().astimezone().date()
        self._say(Greeting(self._url, self._keys.admin_key, self._home.admin_key_path, currency, today).text())
        if wants_sample:
            dates = self._options.original_dates
            await load_sample(self._url, self._home.admin_key_path, self._home.folder, original_dates=dates, stop=stop)

    def _first_currency(self) -> str | None:
        """The currency of the first programme, None without one; asked as anyone would, through the door.

        By the standard library, since an import of httpx takes as long as all of the start's database work.
        """
        with closing(HTTPConnection(*self._address, timeout=_PATIENCE_S)) as connection:
            connection.request("GET", "/v1/programmes", headers={"Authorization": f"Bearer {self._keys.admin_key}"})
            answer = connection.getresponse()
            items = json.load(answer)["items"] if answer.status == HTTPStatus.OK else []
        return next((str(currency) for item in items for currency in item.get("earn", {})), None)


async def _happens_within(timeout_s: float, event: asyncio.Event) -> bool:
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except TimeoutError:
        return False
    return True
