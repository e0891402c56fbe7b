"""The sample's loader beside the shop: begun when there is something to load, ended when the shop closes."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from regulars import sample_process
from regulars.sample_process import is_sample_loaded, load_sample
from regulars.samples.online_retail import journal as journals
from regulars.samples.online_retail.journal import Journal

# Says what it was asked; where there is a pipe `endless`, it says that it began, and waits to be interrupted.
STAND_IN = """
import pathlib, sys, time
home = pathlib.Path(sys.argv[sys.argv.index("--home") + 1])
(home / "asked").write_text(" ".join(sys.argv[1:]))
try:
    if (home / "endless").exists():
        (home / "endless").write_text("begun")
        time.sleep(600)
except KeyboardInterrupt:
    (home / "ended").touch()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose loader is a stand-in, since the real one has tests of its own."""
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    monkeypatch.setattr(sample_process, "LOADER", [sys.executable, str(tmp_path / "stand_in.py")])
    return tmp_path


def test_a_sample_is_in_when_the_loader_has_written_its_summary(tmp_path: Path) -> None:
    assert not is_sample_loaded(tmp_path)
    journals.write(tmp_path, begun := Journal(weeks=1))
    assert not is_sample_loaded(tmp_path)
    journals.write(tmp_path, replace(begun, summary={"receipts": 1}))
    assert is_sample_loaded(tmp_path)


def test_a_damaged_journal_is_left_to_the_loader_to_complain_about(tmp_path: Path) -> None:
    journals.path_in(tmp_path).write_text("[half")
    assert not is_sample_loaded(tmp_path)


async def test_the_loader_is_told_where_the_shop_is_and_which_dates_to_keep(home: Path) -> None:
    await load_sample("http://shop", home / "admin-key", home, original_dates=True, stop=asyncio.Event())
    assert (
        home / "asked"
    ).read_text() == f"--url http://shop --key-file {home}/admin-key --home {home} --original-dates"


async def test_closing_the_shop_ends_the_loader_in_good_order(home: Path) -> None:
    os.mkfifo(home / "endless")
    stop = asyncio.Event()
    loading = asyncio.create_task(load_sample("http://shop", home / "key", home, original_dates=False, stop=stop))
    assert await asyncio.to_thread((home / "endless").read_text) == "begun"
    stop.set()
    await loading
    assert (home / "ended").exists()
