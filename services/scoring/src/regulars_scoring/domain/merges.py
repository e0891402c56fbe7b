"""Ids that turned out to be one customer's, and which of them stands for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from regulars_kit.values import CustomerId


@dataclass(frozen=True, slots=True)
class Merge:
    """`surviving_id` stands for the customer `merged_id`, too, until it is undone: that is for ever, also when it is
    heard before the merge is.
    """

    id: UUID
    merged_id: CustomerId
    surviving_id: CustomerId
    is_undone: bool = False

    @property
    def ids(self) -> frozenset[CustomerId]:
        return frozenset((self.merged_id, self.surviving_id))


def survivors_of(merges: Iterable[Merge]) -> Mapping[CustomerId, CustomerId]:
    """By each id that another one stands for, the one that does so in the end.

    Merges join all that stands behind both ids, one after the other by their own ids, which ascend in time. While it
    is not heard yet that an earlier one was undone, two may say different things of an id, or go round in a circle:
    then all of the ids are one customer, who survives as the later merge says.
    """
    into: dict[CustomerId, CustomerId] = {}

    def last(customer_id: CustomerId) -> CustomerId:
        while customer_id in into:
            customer_id = into[customer_id]
        return customer_id

    for merge in sorted((each for each in merges if not each.is_undone), key=lambda each: each.id):
        merged, surviving = last(merge.merged_id), last(merge.surviving_id)
        if merged != surviving:
            into[merged] = surviving
    return {customer_id: last(customer_id) for customer_id in into}
