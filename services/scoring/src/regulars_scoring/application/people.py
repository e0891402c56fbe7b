"""What merging and erasing ask of the world: whose an id is, and the facts that have to be counted again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from regulars_kit.values import CustomerId
from regulars_scoring.domain.merges import Merge
from regulars_scoring.domain.purchases import Purchase, Return


class People(Protocol):
    """Facts are kept under the id they came with; days and states are the surviving id's."""

    async def hold(self, ids: Collection[CustomerId], *, alone: bool) -> Collection[CustomerId]:
        """Until the transaction ends nobody else merges, parts or erases customers, which only who holds them `alone`
        may do: then nobody else follows anything.

        Answers with those of the ids who were erased before. Called before anything else.
        """

    async def keep_merges(self, merges: Sequence[Merge]) -> None:
        """Keep what is told of each, in any order: what is undone once stays so."""

    async def merges_among(self, ids: Collection[CustomerId]) -> Sequence[Merge]:
        """Those of two ids that are both among these, also such as are undone."""

    async def groups_of(self, ids: Collection[CustomerId]) -> Mapping[CustomerId, CustomerId]:
        """All ids of the customers behind these ids, each with its surviving one, which may be itself."""

    async def survivors_of(self, ids: Collection[CustomerId]) -> Mapping[CustomerId, CustomerId]:
        """The surviving id of those that another stands for."""

    async def regroup(self, ids: Collection[CustomerId], survivors: Mapping[CustomerId, CustomerId]) -> None:
        """From now on these stand for those of the ids that they name, and nobody for the rest."""

    async def empty(self, ids: Collection[CustomerId]) -> None:
        """Locked customers have no days and have bought nothing, until it is posted anew; published figures stay."""

    async def purchases(self, ids: Collection[CustomerId]) -> Sequence[Purchase]:
        """All that came under these ids."""

    async def unmatched_returns(self, ids: Collection[CustomerId]) -> Sequence[Return]:
        """Returns of no known purchase that came under these ids."""

    async def erase(self, ids: Collection[CustomerId]) -> None:
        """Take the ids of locked customers off what was sold and came back, delete the rest that bears them, and
        remember who was erased."""
