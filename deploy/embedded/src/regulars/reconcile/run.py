"""Look, and look again while it does not agree and there is time; then say how it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from regulars.reconcile import statements
from regulars.reconcile.comparing import MOST_KEPT, Difference, Outcome
from regulars.reconcile.projections import PROJECTIONS, SERVICES
from regulars.reconcile.sources import Sources

PAUSE_S = 0.5

Report = Sequence[Outcome]


async def reconcile(sources: Sources, wait_s: float, say: Callable[[str], None]) -> bool:
    """Whether everything agrees, at the latest `wait_s` seconds from now. Raises `CannotLook`."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + wait_s
    while True:
        bus = await look_at_bus(sources)
        # While events are under way the rest differs anyhow: that is read when it may tell something.
        if not bus.differences or clock() >= deadline:
            report = [*[await each.compare(sources) for each in PROJECTIONS], bus]
            if agrees(report) or clock() >= deadline:
                say(text_of(report))
                return agrees(report)
        await asyncio.sleep(PAUSE_S)


async def look_at_bus(sources: Sources) -> Outcome:
    """Events that are not published yet, or published and not heard by everybody who hears them."""
    outcome = Outcome("bus")
    for service in SERVICES:
        async with sources.reading(service) as connection:
            _note(outcome, service, "to publish", await connection.fetchval(statements.UNSENT))
    for lag in await sources.lags():
        _note(outcome, lag.group, f"to hear on {lag.topic}", lag.events)
    return outcome


def _note(outcome: Outcome, who: str, figure: str, events: int) -> None:
    outcome.compared += 1
    if events:
        outcome.add(Difference(who, figure, "0", str(events)))


def agrees(report: Report) -> bool:
    return not any(outcome.differences for outcome in report)


def text_of(report: Report) -> str:
    """The table, and the first differences."""
    lines = [f"{'projection':<20}{'compared':>12}{'differences':>14}"]
    lines += [f"{each.name:<20}{each.compared:>12}{each.differences:>14}" for each in report]
    differences = [(outcome.name, each) for outcome in report for each in outcome.first]
    lines += [""] if differences else []
    lines += [_line(name, each) for name, each in differences[:MOST_KEPT]]
    lines += ["", "Everything agrees." if agrees(report) else _differs(report)]
    return "\n".join(lines)


def _line(name: str, difference: Difference) -> str:
    told, known = (said or "nothing" for said in (difference.told, difference.known))
    source = "expected" if name == "bus" else "the outbox says" if name.startswith("feed") else "loyalty says"
    return f"{name}: {difference.who}, {difference.figure}: {source} {told}, {name} says {known}"


def _differs(report: Report) -> str:
    count = sum(outcome.differences for outcome in report)
    shown = f"; the first {MOST_KEPT} are shown" if count > MOST_KEPT else ""
    return f"{count} differences{shown}."
