"""How far a load has come, in HOME/sample.json: what was answered is not sent again after an interruption.

It is written after the answer, so it may be behind the shop, never ahead; what is sent twice is a replay.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from regulars.samples.online_retail.client import LoadStopped
from regulars.samples.online_retail.lanes import LANES, LINES_PER_BATCH

# Steps are counted, so a count is worth something only under the same order of sending.
_ORDER = f"1/{LANES}/{LINES_PER_BATCH}"


@dataclass(frozen=True, slots=True)
class Journal:
    """The state of a load. `steps` counts the answered steps of each lane; `refused` counts refusals by code.

    `weeks` is by how much dates move, fixed at the first start; `summary` is None until the load is finished.
    """

    weeks: int
    order: str = _ORDER
    has_programme: bool = False
    steps: tuple[int, ...] = (0,) * LANES
    receipts: int = 0
    returns: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    summary: Mapping[str, object] | None = None

    def answered(self, lane: int, *, receipts: int, returns: int, refused: Iterable[str]) -> Journal:
        """One more step of a lane is answered."""
        steps = tuple(count + (place == lane) for place, count in enumerate(self.steps))
        return replace(
            self,
            steps=steps,
            receipts=self.receipts + receipts,
            returns=self.returns + returns,
            refused=dict(Counter(self.refused) + Counter(refused)),
        )


def path_in(home: Path) -> Path:
    """Where the journal lies."""
    return home / "sample.json"


def read(home: Path) -> Journal | None:
    """The journal of a load begun before; None when there is none. Raises LoadStopped when it cannot be read.

    Never guessed anew: a load with other dates would contradict the receipts that are already in the shop.
    """
    stored = _read(path_in(home))
    if stored is None:
        return None
    try:
        journal = Journal(**{**stored, "steps": tuple(stored["steps"])})
    except (TypeError, KeyError) as broken:
        raise _unreadable(path_in(home)) from broken
    if journal.order != _ORDER and journal.summary is None:
        # Everything is sent again and counted again; what is there is answered as a replay.
        return Journal(journal.weeks, has_programme=journal.has_programme)
    return journal


def write(home: Path, journal: Journal) -> None:
    """Keep the journal, whole or not at all."""
    _write(path_in(home), asdict(journal))


def read_customers(home: Path) -> dict[int, str]:
    """The ids in the shop by the retailer's customer number; empty until all are registered."""
    return {int(number): str(customer_id) for number, customer_id in (_read(_customers_in(home)) or {}).items()}


def write_customers(home: Path, customers: Mapping[int, str]) -> None:
    """Keep the ids. A file of their own: they are many and written once, the journal after every step."""
    _write(_customers_in(home), {str(number): customer_id for number, customer_id in customers.items()})


def _customers_in(home: Path) -> Path:
    return home / "sample-customers.json"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        stored = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as broken:
        raise _unreadable(path) from broken
    if not isinstance(stored, dict):
        raise _unreadable(path)
    return stored


def _write(path: Path, document: Mapping[str, object]) -> None:
    draft = path.with_suffix(".json.new")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _unreadable(path: Path) -> LoadStopped:
    return LoadStopped(f"{path} cannot be read; restore it, or start with another home")
