"""How soon a purchase is a score, a segment's member and a webhook: `make bench-chain JSON=figures.json`.

200 purchases a second for a minute, each by a customer whom it brings into a segment, on the embedded run and on the
cluster, both on the same two cores as the tills and the partner who is told. Beside it the till's own wait, with all of
that going on and without, and a purchase through nginx beside one at the loyalty service itself. `--quick` takes a few
minutes and shows whether something broke; only a full run, on a machine with nothing else to do, is worth quoting.
"""

from __future__ import annotations

import argparse
import random

from rich.console import Console

from chain_path.cast import a_cast
from chain_path.chain import ENTERED, RECORDED, SCORED, Load, measure_chain
from chain_path.door import measure_door
from chain_path.report import Row, print_table, row_of_door, rows_of_chain
from chain_path.running import Way, opened
from framing import Announce, framed, parser_of

TABLE_WIDTH = 120
WAYS: tuple[Way, ...] = ("embedded", "cluster")
HEARD = {"chain": (RECORDED, SCORED, ENTERED), "segment": (ENTERED,)}


def main() -> None:
    options = _options()
    load = Load(options.rate, options.seconds, HEARD[options.heard])
    rows: list[Row] = []
    sent_late: dict[str, float] = {}
    with framed("chain", options) as frame:
        for way in options.ways:
            _measure(way, options, load, rows, sent_late, frame.announce)
        frame.report |= {
            "purchases_a_second": load.rate,
            "seconds": load.seconds,
            "partner_is_told": load.heard,
            "sent_late_p99_ms": sent_late,
            "rows": rows,
        }
    print_table(Console(width=TABLE_WIDTH), rows, load.heard)


def _options() -> argparse.Namespace:
    parser = parser_of("chain", __doc__)
    parser.add_argument("--seconds", type=int, default=60, help="of the load (default 60)")
    parser.add_argument("--rate", type=float, default=200.0, help="purchases a second (default 200)")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="of running (default both)")
    parser.add_argument("--heard", choices=HEARD, default="chain", help="by the partner: all three events or the last")
    parser.add_argument("--rounds", type=int, default=3, help="how often nginx and the service have their turns")
    parser.add_argument("--turn", type=int, default=8, help="seconds of such a turn (default 8, at most 45)")
    parser.add_argument("--quick", action="store_true", help="ten seconds of load, one short turn through nginx")
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
    announce: Announce,
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
