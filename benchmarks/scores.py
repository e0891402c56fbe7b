"""What scoring costs beside `lifetimes` and `pymc-marketing`: `make bench-scoring JSON=figures.json`.

The same simulated customers, the same models and the same answers (sums of CLV within 0.01 %, or it fails), CPU seconds
and peak memory, each turn in a process of its own. A turn counts user and system time from the columns in memory to
the last score, without imports and after a warm-up on 2,000 customers, which compiles what is to be compiled; states
count from the file. `--quick` takes some minutes, the environments included, and shows whether something broke.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from rich.console import Console

from purchase_path.machine import load_average, machine, use_two_cores
from purchase_path.measuring import Failed
from scoring_path.environments import PINS
from scoring_path.report import print_table, rows_of
from scoring_path.running import FULL, QUICK, measure

ROOT = Path(__file__).resolve().parents[1]
TABLE_WIDTH = 120


def main() -> None:
    options = _options()
    cores = use_two_cores()
    load_before = load_average()
    shutil.rmtree(options.home, ignore_errors=True)
    options.home.mkdir(parents=True)
    progress = Console(stderr=True)
    sizes = QUICK if options.quick else FULL
    try:
        turns = measure(
            sizes, options.rounds, options.home, options.peers, lambda text: progress.print(f"{text} …", style="dim")
        )
        rows = rows_of(turns)
    except Failed as error:
        sys.exit(f"bench-scoring: {error}")
    report = {
        "benchmark": "scoring",
        "machine": machine(cores, options.home, load_before),
        "peers": PINS,
        "rounds": options.rounds,
        "rows": rows,
        "turns": turns,
    }
    shutil.rmtree(options.home)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    print_table(Console(width=TABLE_WIDTH), rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-scoring", description=__doc__.split("\n\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender has its turn (default 3)")
    parser.add_argument("--quick", action="store_true", help="few customers, one round")
    parser.add_argument("--home", type=Path, default=ROOT / ".cache" / "bench-scoring", help="emptied and used")
    parser.add_argument("--peers", type=Path, default=ROOT / ".cache" / "bench", help="keeps the peers' environments")
    options = parser.parse_args()
    options.rounds = 1 if options.quick else options.rounds
    if options.rounds < 1:
        parser.error("there is at least one round")
    return options


if __name__ == "__main__":
    main()
