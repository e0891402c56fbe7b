"""`python -m regulars.samples`: the short-lived process that loads the sample beside the running shop."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import uvloop
from rich.console import Console

from regulars.samples import online_retail
from regulars_kit.priority import step_back

_NICENESS = 5
"""Behind the tills, and before what follows from the receipts."""


def main() -> int:
    """Load what is left of the sample. 0: it is in; 1: it stopped and the next start goes on; 130: interrupted."""
    asked = _arguments().parse_args()
    step_back(_NICENESS)
    # A stop is an interruption too: what was answered is noted, and the terminal gets its cursor back.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    try:
        key = asked.key_file.read_text(encoding="utf-8").strip()
        loading = online_retail.load(asked.url, key, asked.home, original_dates=asked.original_dates, console=console)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(loading)
    except (online_retail.LoadStopped, OSError) as stopped:
        console.print(str(stopped), markup=False, highlight=False)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m regulars.samples", description=__doc__)
    parser.add_argument("--url", required=True, help="where the shop answers, as http://127.0.0.1:8080")
    parser.add_argument("--key-file", required=True, type=Path, help="the file that holds the API key")
    parser.add_argument("--home", required=True, type=Path, help="where sample.json is kept")
    parser.add_argument("--original-dates", action="store_true", help="keep 2010 and 2011")
    return parser


if __name__ == "__main__":
    sys.exit(main())
