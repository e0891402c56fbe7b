"""The way back from an id to its row."""

from __future__ import annotations

from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from regulars_scoring.adapters.engine.names import Names

# Among them those that end in zeros, which NumPy leaves out of texts.
IDS = st.lists(st.uuids() | st.integers(0, 255).map(lambda high: UUID(int=high << 120)), unique=True, min_size=2)


@given(IDS)
def test_everybody_finds_their_own_value_and_a_stranger_none(ids: list[UUID]) -> None:
    *known, stranger = ids
    names = Names()
    for place, customer in enumerate(known):
        names.ids += customer.bytes
        names.versions.append(place)
    find = names.finder(np.arange(len(known)))
    assert [find(customer) for customer in known] == list(range(len(known)))
    assert find(stranger) is None
    assert list(names) == list(zip(known, range(len(known)), strict=True))
