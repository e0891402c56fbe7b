"""What every benchmark does around its measuring: options, two cores, an empty folder, and its report as JSON."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from purchase_path.machine import load_average, machine, use_two_cores
from purchase_path.measuring import Failed
from regulars.refusals import CannotStart

ROOT = Path(__file__).resolve().parents[1]

Announce = Callable[[str], None]
"""Says on the standard error what comes next."""


def parser_of(name: str, description: str | None) -> argparse.ArgumentParser:
    """With `--json` and `--home`. `description` is the program's docstring: its first paragraph is shown."""
    parser = argparse.ArgumentParser(prog=f"bench-{name}", description=(description or "").split("\n\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument(
        "--home", type=Path, default=ROOT / ".cache" / f"bench-{name}", help="emptied and used; on a real disk"
    )
    return parser


@dataclass(slots=True)
class Frame:
    """`report` takes what is the benchmark's own in it."""

    announce: Announce
    report: dict[str, object] = field(default_factory=dict)


@contextmanager
def framed(name: str, options: argparse.Namespace) -> Iterator[Frame]:
    """Measure within the block, in an empty `options.home`; then the report goes to `options.json`, if that is given.

    Ends the program with a line of why where it cannot be done.
    """
    progress = Console(stderr=True)
    frame = Frame(lambda text: progress.print(f"{text} …", style="dim"))
    cores, load_before = use_two_cores(), load_average()
    shutil.rmtree(options.home, ignore_errors=True)
    options.home.mkdir(parents=True)
    try:
        yield frame
    except (Failed, CannotStart) as error:
        sys.exit(f"bench-{name}: {error}")
    report = {"benchmark": name, "machine": machine(cores, options.home, load_before), **frame.report}
    shutil.rmtree(options.home)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
