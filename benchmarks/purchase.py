"""How fast a purchase gets its points, beside the fastest it could be: `make bench-purchase JSON=figures.json`.

One run on two cores, one durable PostgreSQL, the same rows written by everybody: pgbench with one data-modifying
statement is the limit; the loyalty service, an ORM endpoint and an endpoint that does nothing are called over HTTP. All
are measured in turn, and in turn again: the figures are medians over the rounds, with their spread. `--quick` takes a
minute and shows whether something broke; only a full run, on a machine with nothing else to do, is worth quoting.
"""

from __future__ import annotations

import argparse

from rich.console import Console

from framing import Announce, framed, parser_of
from purchase_path.house import House, opened_house
from purchase_path.measuring import Readings, measure_in_turn
from purchase_path.report import print_table, rows_of

TABLE_WIDTH = 110
LONGEST_TURN_S = 45
"""A principal is signed for each turn, and lives for 60 s."""


def main() -> None:
    options = _options()
    with framed("purchase", options) as frame:
        with opened_house(options.home) as house:
            readings = _measure(house, options.seconds, options.rounds, frame.announce)
            written = house.written()
        rows = rows_of(readings)
        frame.report |= {"rounds": options.rounds, "seconds_a_turn": options.seconds, "rows": rows}
    print_table(Console(width=TABLE_WIDTH), rows, written)


def _options() -> argparse.Namespace:
    parser = parser_of("purchase", __doc__)
    parser.add_argument("--seconds", type=int, default=8, help=f"of each turn, at most {LONGEST_TURN_S} (default 8)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender has its turn (default 3)")
    parser.add_argument("--quick", action="store_true", help="one second a turn")
    options = parser.parse_args()
    options.seconds = 1 if options.quick else options.seconds
    if not (1 <= options.seconds <= LONGEST_TURN_S and options.rounds >= 1):
        parser.error(f"a turn takes 1 to {LONGEST_TURN_S} seconds, and there is at least one round")
    return options


def _measure(house: House, seconds: int, rounds: int, announce: Announce) -> Readings:
    def before_each(name: str) -> None:
        house.settle()
        announce(name)

    announce("warming up")
    measure_in_turn(house.contenders(1), 1)
    return measure_in_turn(house.contenders(seconds), rounds, before_each)


if __name__ == "__main__":
    main()
