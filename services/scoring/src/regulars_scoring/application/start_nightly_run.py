from __future__ import annotations

from contextlib import suppress
from datetime import time

from regulars_scoring.application.ports import House, Transactions
from regulars_scoring.application.start_run import open_run
from regulars_scoring.domain.refusals import RunUnderWay
from regulars_scoring.domain.runs import Wanted, is_due

CLIENT = "schedule"


async def start_nightly_run(at: time, horizon_days: int, begin: Transactions, house: House) -> None:
    """Queue the night's run when its hour has passed and no run was begun since; every customer has grown older."""
    with suppress(RunUnderWay):
        async with begin() as unit:
            last = await unit.runs.page(None, 1)
            began = last[0].created_at if last else None
            if is_due(house.now(), at, house.zone, began, await unit.known_since()):
                await open_run(unit, Wanted(house.today(), horizon_days, "auto"), CLIENT)
