"""What other services tell of a customer, cut into what is kept: sales, parts of the picture, a line of the timeline.

All of it may come late, twice or out of order, so each piece says by itself how it is put together with what is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from regulars_customer.domain.timeline import Entry, Figures
from regulars_kit.values import CustomerId

Told = TypeVar("Told")


class PartKind(StrEnum):
    """What the picture of a customer is made of beside their purchases."""

    BALANCE = "balance"
    TIER = "tier"
    SCORE = "score"
    SEGMENT = "segment"


PartKey = tuple[CustomerId, PartKind, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the picture as it stood `as_of`. Of two with one key that with the higher `rank` is the newer.

    `name` tells several of a kind apart: the wallet of a balance, the programme of a tier, the segment's id.
    """

    customer_id: CustomerId
    kind: PartKind
    name: str
    figures: Figures
    rank: int
    as_of: datetime

    @property
    def key(self) -> PartKey:
        return self.customer_id, self.kind, self.name


@dataclass(frozen=True, slots=True)
class Sale:
    """What one event tells of a purchase: itself, its customer, what came back of it. None: the event does not say.

    A return that matched no purchase is a sale of its own, with its own id and nothing sold.
    """

    id: UUID
    customer_id: CustomerId | None = None
    occurred_at: datetime | None = None
    currency: str | None = None
    net_minor: int | None = None
    returned_minor: int = 0
    is_voided: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What one event tells. `told_at`: when its fact was recorded.

    The entry joins the timeline; with `news`, only when one of these figures of its part was another before.
    """

    told_at: datetime
    entry: Entry | None = None
    part: Part | None = None
    sale: Sale | None = None
    news: tuple[str, ...] = ()


def joined(sales: Iterable[Sale]) -> list[Sale]:
    """One for each id, with all that is told of it, in the order of ids."""
    known: dict[UUID, Sale] = {}
    for sale in sales:
        known[sale.id] = _join(known[sale.id], sale) if sale.id in known else sale
    return [known[identity] for identity in sorted(known)]


def _join(one: Sale, other: Sale) -> Sale:
    return replace(
        one,
        customer_id=_either(one.customer_id, other.customer_id),
        occurred_at=_either(one.occurred_at, other.occurred_at),
        currency=_either(one.currency, other.currency),
        net_minor=_either(one.net_minor, other.net_minor),
        returned_minor=one.returned_minor + other.returned_minor,
        is_voided=one.is_voided or other.is_voided,
    )


def _either(one: Told | None, other: Told | None) -> Told | None:
    return other if one is None else one


def newest(parts: Iterable[Part]) -> list[Part]:
    """The newest with each key, in the order of keys. Of two with one rank, that which came later."""
    known: dict[PartKey, Part] = {}
    for part in parts:
        if part.key not in known or known[part.key].rank <= part.rank:
            known[part.key] = part
    return [known[key] for key in sorted(known)]


def is_news(heard: Heard, before: Figures | None) -> bool:
    """Is the event worth a line, where the part it tells of was `before` (None: not known)?"""
    if not heard.news or heard.part is None or before is None:
        return True
    return any(heard.part.figures.get(name) != before.get(name) for name in heard.news)
