"""What is heard of the shop: each event in our own words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from regulars_kit.values import CustomerId
from regulars_scoring.domain.costs import Cost, PointsMoved, Terms
from regulars_scoring.domain.merges import Merge
from regulars_scoring.domain.purchases import Claim, Return, Sale


@dataclass(frozen=True, slots=True)
class Registration:
    """Somebody is a customer, who may have bought before this was heard."""

    customer_id: CustomerId
    at: datetime
    acquisition: Cost | None = None


@dataclass(frozen=True, slots=True)
class Erasure:
    """Somebody is to be forgotten: from now on nothing is theirs, whatever is heard yet."""

    customer_id: CustomerId


Heard = Sale | Claim | Return | Registration | Cost | PointsMoved | Terms | Merge | Erasure


def ids_in(heard: Heard) -> Collection[CustomerId]:
    """The customers that it names."""
    match heard:
        case Terms():
            return ()
        case Merge():
            return heard.ids
        case Sale() | Return():
            return () if heard.customer_id is None else (heard.customer_id,)
        case _:
            return (heard.customer_id,)


def unlinked(heard: Heard, erased: Collection[CustomerId]) -> Heard | None:
    """What it still tells when these are erased: goods that were sold, or came back, are nobody's; None: nothing."""
    if isinstance(heard, Erasure) or not any(customer_id in erased for customer_id in ids_in(heard)):
        return heard
    match heard:
        case Sale():
            return replace(heard, customer_id=None, earned=None)
        case Return():
            return replace(heard, customer_id=None)
        case _:
            return None
