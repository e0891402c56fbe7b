"""The process behind the requests, as the shop sees it: started, started again when it ends, asked, ended."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from dataclasses import asdict
from pathlib import Path

import structlog

from regulars.behind import END_OF_PAGE, NICENESS
from regulars.home import Keys
from regulars.server_user import before_exec

PAUSE_S = 0.5
"""Before it is started again."""

STOP_TIMEOUT_S = 35.0
"""Its loops drain within 30 seconds; what then still runs is killed."""

_LONGEST_PAGE_BYTES = 4 * 1024 * 1024
_ANSWER_TIMEOUT_S = 2.0

_log = structlog.get_logger(__name__)


class Behind:
    """One process that runs what the services do behind the requests, on the home's PostgreSQL.

    Call `run` from the main thread, which the process's life hangs on.
    """

    def __init__(self, postgres_dir: Path, keys: Keys, messages_dir: Path | None) -> None:
        told = {
            "postgres_dir": str(postgres_dir),
            "keys": {**asdict(keys), "identifier_key": keys.identifier_key.hex()},
            "messages_dir": messages_dir and str(messages_dir.absolute()),
        }
        self._told = json.dumps(told).encode() + b"\n"
        self._asking = asyncio.Lock()
        self._owed = 0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Keep it running until `stop`, then end it in good order."""
        stopped = asyncio.ensure_future(stop.wait())
        while not stop.is_set():
            process = await self._start()
            ended = asyncio.ensure_future(process.wait())
            try:
                await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
                if stop.is_set():
                    await _end(process, ended)
                else:
                    _log.warning("behind_ended", status=process.returncode)
                    await asyncio.wait([stopped], timeout=PAUSE_S)
            finally:
                # Also when we are cancelled in the middle: it must not outlive us.
                if process.returncode is None:
                    process.kill()
                self._hang_up()

    async def metrics(self) -> str:
        """Its page of metrics; empty while it is away, or busy, as at its start."""
        async with self._asking:
            if self._streams is None:
                return ""
            reader, writer = self._streams
            page = b""
            try:
                writer.write(b"\n")
                self._owed += 1
                async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                    # An answer that came too late for whoever asked comes before ours.
                    while self._owed:
                        page = await reader.readuntil(END_OF_PAGE)
                        self._owed -= 1
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                return ""
            return page.removesuffix(END_OF_PAGE).decode()

    async def _start(self) -> asyncio.subprocess.Process:
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "regulars.behind", str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Ctrl-C is for us; we pass it on in our own time.
                start_new_session=True,
                preexec_fn=before_exec(None, dies_with_us=True, niceness=NICENESS),
            )
        self._owed = 0
        self._streams = await asyncio.open_connection(sock=ours, limit=_LONGEST_PAGE_BYTES)
        self._streams[1].write(self._told)
        return process

    def _hang_up(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _end(process: asyncio.subprocess.Process, ended: asyncio.Future[int]) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(asyncio.shield(ended), STOP_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await ended
