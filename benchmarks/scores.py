"""What scoring costs beside `lifetimes` and `pymc-marketing`: `make bench-scoring JSON=figures.json`.

The same simulated customers, the same models and the same answers (sums of CLV within 0.01 %, or it fails), CPU seconds
and peak memory, each turn in a process of its own. A turn counts user and system time from the columns in memory to
the last score, without imports and after a warm-up on 2,000 customers, which compiles what is to be compiled; states
count from the file. `--quick` takes some minutes, the environments included, and shows whether something broke.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from framing import ROOT, framed, parser_of
from scoring_path.environments import PINS
from scoring_path.report import print_table, rows_of
from scoring_path.running import FULL, QUICK, measure

TABLE_WIDTH = 120


def main() -> None:
    options = _options()
    sizes = QUICK if options.quick else FULL
    with framed("scoring", options) as frame:
        turns = measure(sizes, options.rounds, options.home, options.peers, frame.announce)
        rows = rows_of(turns)
        frame.report |= {"peers": PINS, "rounds": options.rounds, "rows": rows, "turns": turns}
    print_table(Console(width=TABLE_WIDTH), rows)


def _options() -> argparse.Namespace:
    parser = parser_of("scoring", __doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender has its turn (default 3)")
    parser.add_argument("--quick", action="store_true", help="few customers, one round")
    parser.add_argument("--peers", type=Path, default=ROOT / ".cache" / "bench", help="keeps the peers' environments")
    options = parser.parse_args()
    options.rounds = 1 if options.quick else options.rounds
    if options.rounds < 1:
        parser.error("there is at least one round")
    return options


if __name__ == "__main__":
    main()
