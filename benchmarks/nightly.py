"""What a run over a million customers takes inside the service, and the tills beside it: `make bench-nightly JSON=…`.

The embedded run, on two cores, with the customers' purchases of two years in scoring's database as their events would
have left them. Two runs: that of the first night, after which every customer is published, and that of the night after
it, which tells who has changed by a day. Tills sell before each and all the while. `--quick` shows whether something
broke.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta

import numpy as np
from rich.console import Console

from chain_path.preparing import until_settled
from chain_path.running import opened
from framing import Announce, framed, parser_of
from nightly_path.filling import fill, some_of
from nightly_path.night import Load, Tills, through_the_night
from nightly_path.report import Row, print_table, rows_of

TABLE_WIDTH = 120
WARM_UP_S = 5


def main() -> None:
    options = _options()
    with framed("nightly", options) as frame:
        rows = _measure(options, frame.announce)
        frame.report |= {"customers": options.customers, "purchases_a_second": options.rate, "rows": rows}
    print_table(Console(width=TABLE_WIDTH), rows, options.customers)


def _measure(options: argparse.Namespace, announce: Announce) -> list[Row]:
    chance, today = np.random.default_rng(4), datetime.now(UTC).date()
    load = Load(options.rate, options.calm, options.turn)
    with opened("embedded", options.home) as shop:
        announce(f"{options.customers:,} customers")
        fill(shop, options.customers)
        tills = Tills(shop, options.home, load.rate, lambda number: some_of(options.customers, number, chance))
        tills.sell(WARM_UP_S)
        nights = {}
        for name, as_of in (("first_night", today - timedelta(days=1)), ("night", today)):
            until_settled(shop)
            announce(f"{name}: tills, then a run beside them")
            nights[name] = through_the_night(shop, tills, as_of, load)
    return rows_of(nights)


def _options() -> argparse.Namespace:
    parser = parser_of("nightly", __doc__)
    parser.add_argument("--customers", type=int, default=1_000_000, help="in the shop (default 1,000,000)")
    parser.add_argument("--rate", type=float, default=50.0, help="purchases a second (default 50)")
    parser.add_argument("--calm", type=int, default=60, help="seconds of tills before each run (default 60)")
    parser.add_argument("--turn", type=int, default=10, help="seconds of tills at a time in a run (default 10)")
    parser.add_argument("--quick", action="store_true", help="20,000 customers, ten seconds of tills before each run")
    options = parser.parse_args()
    if options.quick:
        options.customers, options.calm, options.turn = 20_000, 10, 2
    if options.rate * options.turn < 1 or options.customers < 10_000 or options.rate * options.calm > options.customers:
        parser.error("there are at least 10,000 customers, more than there are sales in a turn, and a sale in each")
    return options


if __name__ == "__main__":
    main()
