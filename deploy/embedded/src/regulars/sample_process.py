"""The loader of the sample as a process of its own: at low priority, so that the shop it fills stays quick."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

from regulars.server_user import before_exec

LOADER = [sys.executable, "-m", "regulars.samples"]
_STOP_TIMEOUT_S = 10.0


def is_sample_loaded(home: Path) -> bool:
    """Whether the loader has written its summary. Read here, since the loader's own module brings DuckDB along."""
    try:
        journal = json.loads((home / "sample.json").read_bytes())
    except (OSError, ValueError):
        # Nothing begun, or nothing that can be read: the loader says which.
        return False
    return isinstance(journal, dict) and journal.get("summary") is not None


async def load_sample(url: str, key_file: Path, home: Path, *, original_dates: bool, stop: asyncio.Event) -> None:
    """Return when the sample is in, or could not be loaded, or `stop` is set. The next start goes on where it ended."""
    command = [*LOADER, "--url", url, "--key-file", str(key_file), "--home", str(home)]
    command += ["--original-dates"] if original_dates else []
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        # Ctrl-C is for us; we pass it on in our own time.
        start_new_session=True,
        preexec_fn=before_exec(None, dies_with_us=True),
    )
    ended = asyncio.create_task(process.wait())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
        await _end(process, ended)


async def _end(process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    try:
        await asyncio.wait_for(asyncio.shield(ended), _STOP_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await ended
