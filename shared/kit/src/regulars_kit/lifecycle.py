"""How a process starts and stops: one task group, one stop event set by a signal, thirty seconds to end the work."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp

DRAIN_S = 30.0
"""From SIGTERM to the end; what still runs then is cancelled."""

_YOUNG_OBJECTS = 200_000
"""Python's own 700 are used up by a purchase or two."""

Loop = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""Runs until the event is set, ends what it began, and returns."""

log = structlog.get_logger("regulars.process")


async def run_loops(loops: Sequence[Loop], *, stop: asyncio.Event | None = None, drain_s: float = DRAIN_S) -> None:
    """Run `loops` side by side until `stop`, or SIGTERM or SIGINT when there is none. A loop that fails ends them all.

    A second signal cuts the drain short.
    """
    ended = asyncio.Event() if stop is None else stop
    hurry = asyncio.Event()
    with _signals(ended, hurry) if stop is None else contextlib.nullcontext():
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(loop(ended)) for loop in loops]
            group.create_task(_drain(running, ended, hurry, drain_s))


async def _drain(
    running: Sequence[asyncio.Task[None]], stop: asyncio.Event, hurry: asyncio.Event, drain_s: float
) -> None:
    everything: asyncio.Future[Any] = asyncio.ensure_future(asyncio.wait(running))
    stopped: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
    hurried: asyncio.Future[Any] = asyncio.ensure_future(hurry.wait())
    try:
        await asyncio.wait([stopped, everything], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait([hurried, everything], timeout=drain_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in (everything, stopped, hurried):
            future.cancel()
    for task in running:
        if not task.done():
            log.warning("cut short", task=task.get_name())
            task.cancel()


@contextlib.contextmanager
def _signals(stop: asyncio.Event, hurry: asyncio.Event) -> Iterator[None]:
    def receive() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, receive)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers: the process has one place for those."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serving(app: ASGIApp, listener: socket.socket, *, drain_s: float = DRAIN_S) -> Loop:
    """A loop that serves `app` on a bound socket. At `stop`: no new connections, open requests end, then lifespans."""

    async def serve(stop: asyncio.Event) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            # Nobody here asks for the client's address, so nobody need look for it in the headers.
            proxy_headers=False,
            timeout_graceful_shutdown=int(drain_s),
            # A till's connection stays open between two customers.
            timeout_keep_alive=75,
        )
        server = _Server(config)
        spare_the_collector()
        stopping = asyncio.ensure_future(_stop(server, stop))
        try:
            await server.serve(sockets=[listener])
        finally:
            stopping.cancel()
        if not stop.is_set():
            raise RuntimeError("the server ended by itself: see the log above")

    return serve


def spare_the_collector() -> None:
    """Let garbage collection leave alone what stays as long as the process, and come less often for the rest.

    Looking through a service's modules, models and routes takes 75 ms, several times a minute under load: the longest
    wait of a till would be for that.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 10)


async def _stop(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to (host, port); port 0 takes a free one. Raises OSError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
