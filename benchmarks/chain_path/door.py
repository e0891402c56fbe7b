"""A purchase through nginx beside one at the loyalty service itself: 32 tills each, as fast as they are answered.

Four wrk of eight connections on either side: at the service they are shared out over its two processes, and through
nginx each has a key of its own, since nginx holds one key to so many requests a second. Meanwhile nobody else works.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from uuid import UUID

from chain_path.preparing import make_till_key
from chain_path.running import Running
from purchase_path.load import Load, run_load
from purchase_path.measuring import Reading, Readings, measure_in_turn
from purchase_path.tools import find_wrk
from regulars_kit.auth import HEADER, Principal, Signer

CLIENTS = 32
_WRKS = 4
_PATH = "/v1/purchases"
_UPSTREAM = re.compile(r"upstream loyalty-serve \{(.*?)\}", re.DOTALL)
_PORT = re.compile(r"server 127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True)
class Line:
    """Where one wrk sends its purchases, and by whose authority."""

    url: str
    headers: Mapping[str, str]


def measure_door(
    shop: Running,
    customers: Sequence[UUID],
    folder: Path,
    seconds: int,
    rounds: int,
    announce: Callable[[str], None],
) -> Readings:
    """The readings of `nginx` and of `service`, a cluster's. Raises `Failed`."""
    wrk, file = find_wrk(), folder / "door-customers"
    file.write_text("".join(f"{customer}\n" for customer in customers))
    with shop.client() as client:
        keys = [make_till_key(client, number) for number in range(_WRKS)]
    through = [Line(shop.url, {"Authorization": f"Bearer {key}"}) for key in keys]

    def before_each(name: str) -> None:
        shop.write_checkpoint()
        announce(f"{CLIENTS} tills: {name}")

    with shop.only_tills_served():
        turns = {
            "nginx": partial(_measure, wrk, lambda: through, seconds, file),
            "service": partial(_measure, wrk, partial(_past_the_door, shop.home), seconds, file),
        }
        measure_in_turn(turns, 1)
        return measure_in_turn(turns, rounds, before_each)


def _past_the_door(home: Path) -> list[Line]:
    """To the processes themselves, as the gateway would send it. A principal lives for 60 s, so it is a fresh one."""
    signer = Signer((home / "principal-private.pem").read_text(), "gateway")
    headers = {HEADER: signer.sign(Principal("bench", None, frozenset({"purchases:write"})), "loyalty")}
    upstream = _UPSTREAM.search((home / "nginx" / "upstreams.conf").read_text())
    assert upstream is not None, "nginx knows no loyalty service"
    ports = _PORT.findall(upstream[1])
    return [Line(f"http://127.0.0.1:{port}", headers) for port in islice(cycle(ports), _WRKS)]


def _measure(wrk: Path, lines: Callable[[], Sequence[Line]], seconds: int, customers: Path) -> Reading:
    chosen = lines()
    with ThreadPoolExecutor(len(chosen)) as pool:
        runs = [
            pool.submit(
                run_load,
                wrk,
                [line.url + _PATH],
                Load(CLIENTS // len(chosen), seconds, customers, headers=dict(line.headers)),
            )
            for line in chosen
        ]
        return side_by_side([run.result().reading for run in runs])


def side_by_side(readings: Sequence[Reading]) -> Reading:
    """Loads at the same time as one: purchases are added up; of the waits it is the median p50 and the worst p99."""
    p50s = [reading.p50_ms for reading in readings if reading.p50_ms is not None]
    p99s = [reading.p99_ms for reading in readings if reading.p99_ms is not None]
    return Reading(sum(reading.per_s for reading in readings), median(p50s), max(p99s))
