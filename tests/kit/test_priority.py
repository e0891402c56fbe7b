"""Work that can wait stands back as a session, too: niceness counts within a session alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import FreshDatabase

_STEP_BACK = """
import os
from pathlib import Path
from regulars_kit.priority import step_back
step_back(7)
step_back(3)
group = Path("/proc/self/autogroup")
print(os.nice(0), group.read_text().split()[-1] if group.exists() else "none")
"""


@pytest.mark.parametrize(("leads", "of_its_session"), [(True, "7"), (False, "0")])
def test_a_process_takes_its_own_session_with_it(leads: bool, of_its_session: str) -> None:
    asked = [sys.executable, "-c", _STEP_BACK]
    said = subprocess.run(asked, start_new_session=leads, capture_output=True, text=True, check=True).stdout
    niceness, session = said.split()
    assert niceness == "7"
    if Path("/proc/self/autogroup").exists():
        assert session == of_its_session


_CONNECT = """
import asyncio, os, sys, time
from pathlib import Path
from regulars_kit.bus.connections import connect
from regulars_kit.db import Database
from regulars_kit.priority import step_back
from sqlalchemy import text

async def pids():
    own = await connect(sys.argv[1], "own")
    async with Database(sys.argv[1], name="pooled").transaction() as connection:
        told = [own.get_server_pid(), await connection.scalar(text("SELECT pg_backend_pid()"))]
        time.sleep(1)
        print(*[os.getpriority(os.PRIO_PROCESS, pid) for pid in told])
        print(*[Path(f"/proc/{pid}/autogroup").read_text().split()[-1] for pid in told])

step_back(int(sys.argv[2]))
asyncio.run(pids())
"""


@pytest.mark.parametrize("niceness", ["0", "7"])
async def test_its_backends_come_along(fresh_database: FreshDatabase, niceness: str) -> None:
    asked = [sys.executable, "-c", _CONNECT, await fresh_database(), niceness]
    process = await asyncio.create_subprocess_exec(*asked, start_new_session=True, stdout=subprocess.PIPE)
    said, _ = await process.communicate()
    assert set(said.decode().split()) == {niceness}
