"""The limit: PostgreSQL's own pgbench, writing the same rows by one prepared statement a transaction."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from purchase_path.measuring import Failed, Reading
from purchase_path.shop import CUSTOMERS
from regulars.cluster import SUPERUSER

STATEMENT = Path(__file__).with_name("purchase.sql")
_THREADS = 2
# So few accounts would be read whole and hashed for a hundred purchases; by their index the peer is faster.
_PLAN = {"PGOPTIONS": "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"}


@dataclass(frozen=True, slots=True)
class Pgbench:
    """`binary` against `database` of the server whose socket lies in `socket_dir`; scripts go to `folder`."""

    binary: Path
    socket_dir: Path
    database: str
    database_url: str
    folder: Path

    def measure(self, clients: int, seconds: float, purchases_each: int = 1) -> Reading:
        """Purchases a second when each transaction writes `purchases_each`. Raises `Failed`."""
        script = self.folder / f"purchase-{purchases_each}.sql"
        counts = {"{count}": purchases_each, "{each}": CUSTOMERS // purchases_each}
        script.write_text(_filled(STATEMENT.read_text(), counts))
        command = [str(self.binary), "--no-vacuum", "--protocol=prepared", f"--file={script}", f"--client={clients}"]
        command += [f"--jobs={min(clients, _THREADS)}", f"--time={round(seconds)}"]
        command += [f"--host={self.socket_dir}", f"--username={SUPERUSER}", self.database]
        done = subprocess.run(command, env={**os.environ, **_PLAN}, capture_output=True, text=True, check=False)
        per_s = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
        if done.returncode or per_s is None:
            raise Failed(f"pgbench failed: {done.stderr or done.stdout}")
        return Reading(float(per_s[1]) * purchases_each)


def _filled(statement: str, counts: Mapping[str, int]) -> str:
    """The numbers stand in the text, not in pgbench's variables, so that PostgreSQL plans for them."""
    for place, count in counts.items():
        statement = statement.replace(place, str(count))
    return statement
