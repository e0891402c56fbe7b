"""Whose the rows of a run are: a million ids in sixteen megabytes, and the way back from an id to its row."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from regulars_scoring.adapters.engine.population import Ints


@dataclass(slots=True)
class Names:
    """Whose rows they are, and of which version, in their order; ids as bytes, for objects are ten times as large."""

    ids: bytearray = field(default_factory=bytearray)
    versions: array[int] = field(default_factory=lambda: array("i"))

    def __iter__(self) -> Iterator[tuple[UUID, int]]:
        for place, version in enumerate(self.versions):
            yield UUID(bytes=bytes(self.ids[16 * place : 16 * place + 16])), version

    def finder(self, values: Ints) -> Callable[[UUID], int | None]:
        """`values` run parallel to the names; what it returns finds one's own, None for whoever is not among them."""
        ids = np.frombuffer(bytes(self.ids), "S16")
        order = np.argsort(ids)
        ids, ordered = ids[order], values[order]

        def find(customer_id: UUID) -> int | None:
            place = int(np.searchsorted(ids, customer_id.bytes))
            # NumPy leaves out the zeros at the end of such a text.
            is_here = place < ids.size and bytes(ids[place]) == customer_id.bytes.rstrip(b"\0")
            return int(ordered[place]) if is_here else None

        return find
