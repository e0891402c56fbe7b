from __future__ import annotations

from collections.abc import Iterable, Sequence

from regulars_scoring.application.listening import Listening
from regulars_scoring.domain.costs import Cost, PointsMoved, Terms
from regulars_scoring.domain.heard import Heard, Registration


async def keep_costs(unit: Listening, noted: Sequence[Heard]) -> None:
    """Keep what was noted of costs, of points and of the terms they are valued by, each fact once.

    They are facts alone: what they come to is reckoned when it is asked for, so no order of events shows in it.
    """
    await unit.keep_costs(list(_costs(noted)))
    await unit.keep_points([each for each in noted if isinstance(each, PointsMoved)])
    await unit.keep_terms([each for each in noted if isinstance(each, Terms)])


def _costs(noted: Iterable[Heard]) -> Iterable[Cost]:
    for each in noted:
        if isinstance(each, Cost):
            yield each
        elif isinstance(each, Registration) and each.acquisition is not None:
            yield each.acquisition
