"""Read a programme's books as sums: issued, redeemed, expired, taken back, and what is owed to customers."""

from __future__ import annotations

from dataclasses import asdict

from regulars_loyalty.application.ports import Begin
from regulars_loyalty.application.publish_programme import View


async def read_totals(programme: str | None, begin: Begin) -> View:
    """Totals in points over the postings written so far, and customers per tier. Raises UnknownProgramme."""
    async with begin() as unit:
        code = (await unit.programmes()).default(programme).code
        return {"programme": code, **asdict(await unit.totals(code))}
