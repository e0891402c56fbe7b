"""What many events say together: of each thing once, as if each event had been taken alone and in its order."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from regulars_campaign.domain.heard import FACETS, Cancelled, Claim, Heard, Purchase, Return
from regulars_campaign.domain.rules import Facet
from regulars_kit.values import CustomerId

One = TypeVar("One", bound=Heard)


@dataclass(frozen=True, slots=True)
class SpokenOf:
    """A purchase that was told, claimed, cancelled, or of which something came back. None: nobody said it yet."""

    id: UUID
    customer_id: CustomerId | None
    is_void: bool = False
    receipt: Purchase | None = None


def each(heard: Iterable[Heard], kind: type[One]) -> list[One]:
    return [one for one in heard if isinstance(one, kind)]


def newest(told: Iterable[One], key: Callable[[One], Hashable], rank: Callable[[One], datetime | int]) -> Sequence[One]:
    """Of those with one key that with the highest rank; of equal ones the last."""
    kept: dict[Hashable, One] = {}
    for one in sorted(told, key=rank):
        kept[key(one)] = one
    return list(kept.values())


def purchases_in(heard: Iterable[Heard]) -> Sequence[SpokenOf]:
    """The purchases spoken of, by their ids. The first customer named owns it; what was cancelled stays so."""
    known: dict[UUID, SpokenOf] = {}
    for one in heard:
        said = _spoken_of(one)
        if said is not None:
            before = known.get(said.id)
            known[said.id] = said if before is None else _joined(before, said)
    return [known[purchase_id] for purchase_id in sorted(known)]


def _spoken_of(one: Heard) -> SpokenOf | None:
    match one:
        case Purchase():
            return SpokenOf(one.id, one.customer_id, receipt=one)
        case Claim():
            return SpokenOf(one.purchase_id, one.customer_id)
        case Cancelled():
            return SpokenOf(one.purchase_id, one.customer_id, is_void=True)
        case Return(purchase_id=purchase_id) if purchase_id is not None:
            return SpokenOf(purchase_id, one.customer_id)
    return None


def _joined(before: SpokenOf, said: SpokenOf) -> SpokenOf:
    owner = said.customer_id if before.customer_id is None else before.customer_id
    return SpokenOf(before.id, owner, before.is_void or said.is_void, said.receipt or before.receipt)


def customers_in(heard: Iterable[Heard], owners: Iterable[CustomerId]) -> Sequence[CustomerId]:
    """Everybody who is spoken of, the purchases' `owners` too, by their ids."""
    named = {one.customer_id for one in heard if one.customer_id is not None}
    return sorted(named.union(owners))


def facets_in(heard: Iterable[Heard]) -> frozenset[Facet]:
    """What they may change a verdict by."""
    kinds: set[type[Heard]] = {type(one) for one in heard}
    return frozenset().union(*(FACETS[kind] for kind in kinds))
