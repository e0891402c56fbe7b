"""How fast a purchase gets its points, beside the fastest it could be: `make bench-purchase JSON=figures.json`.

One run on two cores, one durable PostgreSQL, the same rows written by everybody: pgbench with one data-modifying
statement is the limit; the loyalty service, an ORM endpoint and an endpoint that does nothing are called over HTTP. All
are measured in turn, and in turn again: the figures are medians over the rounds, with their spread. `--quick` takes a
minute and shows whether something broke; only a full run, on a machine with nothing else to do, is worth quoting.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from rich.console import Console

from purchase_path.house import House, opened_house
from purchase_path.machine import load_average, machine, use_two_cores
from purchase_path.measuring import Failed, Readings, measure_in_turn
from purchase_path.report import print_table, rows_of
from regulars.refusals import CannotStart

ROOT = Path(__file__).resolve().parents[1]
TABLE_WIDTH = 110
LONGEST_TURN_S = 45
"""A principal is signed for each turn, and lives for 60 s."""


def main() -> None:
    options = _options()
    cores = use_two_cores()
    load_before = load_average()
    shutil.rmtree(options.home, ignore_errors=True)
    options.home.mkdir(parents=True)
    try:
        with opened_house(options.home) as house:
            readings = _measure(house, options.seconds, options.rounds)
            written = house.written()
    except (Failed, CannotStart) as error:
        sys.exit(f"bench-purchase: {error}")
    report = {
        "benchmark": "purchase",
        "machine": machine(cores, options.home, load_before),
        "rounds": options.rounds,
        "seconds_a_turn": options.seconds,
        "rows": rows_of(readings),
    }
    shutil.rmtree(options.home)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    print_table(Console(width=TABLE_WIDTH), rows_of(readings), written)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-purchase", description=__doc__.split("\n\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--seconds", type=int, default=8, help=f"of each turn, at most {LONGEST_TURN_S} (default 8)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender has its turn (default 3)")
    parser.add_argument("--quick", action="store_true", help="one second a turn")
    parser.add_argument(
        "--home", type=Path, default=ROOT / ".cache" / "bench-purchase", help="emptied and used; on a real disk"
    )
    options = parser.parse_args()
    options.seconds = 1 if options.quick else options.seconds
    if not (1 <= options.seconds <= LONGEST_TURN_S and options.rounds >= 1):
        parser.error(f"a turn takes 1 to {LONGEST_TURN_S} seconds, and there is at least one round")
    return options


def _measure(house: House, seconds: int, rounds: int) -> Readings:
    progress = Console(stderr=True)

    def announce(name: str) -> None:
        house.settle()
        progress.print(f"{name} …", style="dim")

    with progress.status("warming up"):
        measure_in_turn(house.contenders(1), 1)
    return measure_in_turn(house.contenders(seconds), rounds, announce)


if __name__ == "__main__":
    main()
