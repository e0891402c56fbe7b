from __future__ import annotations

from datetime import date

from regulars_kit.values import new_id
from regulars_scoring.application.ports import Call, House, Started, Transactions, Unit
from regulars_scoring.domain.choice import Asked
from regulars_scoring.domain.refusals import InTheFuture, RunUnderWay
from regulars_scoring.domain.runs import Run, Wanted


async def start_run(
    as_of: date | None, horizon_days: int, model: Asked, call: Call, begin: Transactions, house: House
) -> Started:
    """Queue a run over everybody as of a day (None: today). The same call a second time is answered as the first.

    Raises `InTheFuture`, and `RunUnderWay` while another has not ended.
    """
    today = house.today()
    if as_of is not None and as_of > today:
        raise InTheFuture("scores are of what has happened; the last day there can be is today", field="/as_of")
    async with begin() as unit:
        wanted = Wanted(as_of or today, horizon_days, model)
        return await unit.once(call, lambda: open_run(unit, wanted, call.client))


async def open_run(unit: Unit, wanted: Wanted, client: str) -> Run:
    """The run, queued in the unit's commit. Raises `RunUnderWay`."""
    run = await unit.runs.open(new_id(), wanted, client)
    if run is None:
        raise RunUnderWay("another run has not ended; wait for it, or cancel its job")
    return run
