"""Work that can wait stands back as a session, too: niceness counts within a session alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
