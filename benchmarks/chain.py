"""How soon a purchase is a score, a segment's member and a webhook: `make bench-chain JSON=figures.json`.

200 purchases a second for a minute, each by a customer whom it brings into a segment, on the embedded run and on the
cluster, both on the same two cores as the tills and the partner who is told. Beside it the till's own wait, with all of
that going on and without, and a purchase through nginx beside one at the loyalty service itself. `--quick` takes a few
minutes and shows whether something broke; only a full run, on a machine with nothing else to do, is worth quoting.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from chain_path.cast import a_cast
from chain_path.chain import ENTERED, RECORDED, SCORED, Load, measure_chain
from chain_path.door import measure_door
from chain_path.report import Row, print_table, row_of_door, rows_of_chain
from chain_path.running import Way, opened
from purchase_path.machine import load_average, machine, use_two_cores
from purchase_path.measuring import Failed
from regulars.refusals import CannotStart

ROOT = Path(__file__).resolve().parents[1]
TABLE_WIDTH = 120
WAYS: tuple[Way, ...] = ("embedded", "cluster")
HEARD = {"chain": (RECORDED, SCORED, ENTERED), "segment": (ENTERED,)}


def main() -> None:
    options = _options()
    cores = use_two_cores()
    load_before = load_average()
    shutil.rmtree(options.home, ignore_errors=True)
    options.home.mkdir(parents=True)
    load = Load(options.rate, options.seconds, HEARD[options.heard])
    progress = Console(stderr=True)
    rows: list[Row] = []
    sent_late: dict[str, float] = {}
    try:
        for way in options.ways:
            _measure(way, options, load, rows, sent_late, lambda text: progress.print(f"{text} …", style="dim"))
    except (Failed, CannotStart) as error:
        sys.exit(f"bench-chain: {error}")
    report = {
        "benchmark": "chain",
        "machine": machine(cores, options.home, load_before),
        "purchases_a_second": load.rate,
        "seconds": load.seconds,
        "partner_is_told": load.heard,
        "sent_late_p99_ms": sent_late,
        "rows": rows,
    }
    shutil.rmtree(options.home)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    print_table(Console(width=TABLE_WIDTH), rows, load.heard)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-chain", description=__doc__.split("\n\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--seconds", type=int, default=60, help="of the load (default 60)")
    parser.add_argument("--rate", type=float, default=200.0, help="purchases a second (default 200)")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="of running (default both)")
    parser.add_argument("--heard", choices=HEARD, default="chain", help="by the partner: all three events or the last")
    parser.add_argument("--rounds", type=int, default=3, help="how often nginx and the service have their turns")
    parser.add_argument("--turn", type=int, default=8, help="seconds of such a turn (default 8, at most 45)")
    parser.add_argument("--quick", action="store_true", help="ten seconds of load, one short turn through nginx")
    parser.add_argument(
        "--home", type=Path, default=ROOT / ".cache" / "bench-chain", help="emptied and used; on a real disk"
    )
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.rounds, options.turn = 10, 1, 2
    if not (options.seconds >= 1 and options.rate * options.seconds >= 100 and options.rounds >= 1):
        parser.error("there are at least 100 purchases and one round")
    if not 1 <= options.turn <= 45:
        parser.error("a turn takes 1 to 45 seconds: a principal lives for 60")
    return options


def _measure(
    way: Way,
    options: argparse.Namespace,
    load: Load,
    rows: list[Row],
    sent_late: dict[str, float],
    announce: Callable[[str], None],
) -> None:
    """Add the way's rows."""
    announce(f"{way}: opening")
    with opened(way, options.home) as shop:
        chain = measure_chain(shop, options.home, load, lambda text: announce(f"{way}: {text}"))
        rows += rows_of_chain(way, chain, load.rate)
        sent_late[way] = round(chain.sent_late.p99_ms, 2)
        if way == "cluster":
            customers = a_cast(load.purchases, random.Random(4)).lapsed
            readings = measure_door(shop, customers, options.home, options.turn, options.rounds, announce)
            rows.append(row_of_door(readings))


if __name__ == "__main__":
    main()
