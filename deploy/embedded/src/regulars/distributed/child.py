"""A process of ours: started with a log of its own, watched, started again when it ends by itself, and ended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import structlog

from regulars.refusals import CannotStart
from regulars.server_user import ServerUser, before_exec

STOP_TIMEOUT_S = 40.0
"""A service drains within 30 seconds; what then still runs is killed."""

STEADY_S = 20.0
"""A process that lived this long may be started at once when it ends, whatever came before."""

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
_LOG_LIMIT_BYTES = 10 * 1024 * 1024

_log = structlog.get_logger("regulars.cluster")


class Startable(Protocol):
    """What can be started, waited for and ended. `name` is that of its log; `pid` None: it is not running."""

    @property
    def name(self) -> str: ...

    @property
    def log_path(self) -> Path: ...

    @property
    def pid(self) -> int | None: ...

    async def start(self) -> None:
        """Start it, or leave it alone when it runs already."""
        ...

    async def until_ended(self) -> str:
        """Wait until it is gone, and say how it went."""
        ...

    async def end(self) -> None:
        """In good order while it can be had, else by force. Nothing when it is gone already."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """A program, what it is told, where it writes. `ready_at`: the port whose /readyz says when it is ready.

    `user` None: ourselves. `sockets` are open files that it inherits under the same numbers. `niceness` is how far it
    stands back behind the others (0 to 19).
    """

    name: str
    arguments: Sequence[str]
    log_path: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_at: int | None = None
    user: ServerUser | None = None
    sockets: Sequence[int] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    niceness: int = 0


class Child:
    """A command as a child that leads a process group, so that Ctrl-C reaches us first. It dies with us."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._process: asyncio.subprocess.Process | None = None

    @property
    def name(self) -> str:
        return self.command.name

    @property
    def log_path(self) -> Path:
        return self.command.log_path

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Call it in the event loop of the main thread, which the child's life hangs on. Raises OSError."""
        if self.pid is not None:
            return
        command = self.command
        is_long = command.log_path.exists() and command.log_path.stat().st_size > _LOG_LIMIT_BYTES
        with command.log_path.open("wb" if is_long else "ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | command.environment,
                pass_fds=command.sockets,
                # Linux shares the processors out between sessions first: those who step back share one, the
                # supervisor's, and the others have one each.
                start_new_session=command.niceness == 0,
                process_group=0 if command.niceness else None,
                preexec_fn=before_exec(command.user, dies_with_us=True, niceness=command.niceness),
            )

    async def until_ended(self) -> str:
        assert self._process is not None
        status = await self._process.wait()
        _end_group(self._process.pid)
        return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

    async def end(self) -> None:
        if (process := self._process) is None or process.returncode is not None:
            return
        process.send_signal(self.command.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            _log.warning("killed", process=self.name, reason=f"still there after {STOP_TIMEOUT_S:.0f} s")
            process.kill()
            await process.wait()
            _end_group(process.pid)


def _end_group(leader: int) -> None:
    """What a process that has ended leaves: a killed nginx's workers would go on, and keep its port."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


class Held(Protocol):
    """Which processes are not to run just now, by their names."""

    def has(self, name: str) -> bool: ...

    async def until_free(self, name: str) -> None: ...


async def keep(child: Startable, held: Held, changed: Callable[[], None], say: Callable[[str], None]) -> None:
    """Start it again whenever it ends, after a pause that grows while it keeps ending. Until cancelled.

    One that is held waits until it is not. `changed` is called when another process, or none, stands in its place;
    `say` prints a line for the one who started us.
    """
    clock = asyncio.get_running_loop().time
    pause_s = FIRST_PAUSE_S
    while True:
        began = clock()
        how = await _start_and_wait(child, held, changed)
        if held.has(child.name):
            changed()
            say(f"{child.name} is stopped; `regulars cluster start {child.name}` starts it again.")
            await held.until_free(child.name)
            pause_s = FIRST_PAUSE_S
            continue
        pause_s = FIRST_PAUSE_S if clock() - began > STEADY_S else pause_s
        say(f"{child.name} ended ({how}); it is started again in {pause_s:g} s. Its log: {child.log_path}")
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _start_and_wait(child: Startable, held: Held, changed: Callable[[], None]) -> str:
    """How it ended, or why it could not be started."""
    if held.has(child.name):
        return "it is held"
    try:
        await child.start()
    except (OSError, CannotStart) as error:
        return str(error)
    changed()
    if held.has(child.name):
        # Asked for while it was starting.
        await child.end()
    return await child.until_ended()
