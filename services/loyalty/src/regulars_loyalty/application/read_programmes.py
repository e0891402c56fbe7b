"""Read programmes as they were published."""

from __future__ import annotations

from datetime import datetime

from regulars_kit.values import Clock
from regulars_loyalty.application.ports import Begin
from regulars_loyalty.application.publish_programme import View, view


async def list_programmes(begin: Begin) -> list[View]:
    """The newest version of every programme, by code."""
    async with begin() as unit:
        newest = {each.code: each for each in sorted(await unit.documents(), key=lambda each: each.number)}
        return [view(newest[code]) for code in sorted(newest)]


async def read_programme(code: str, at: datetime | None, begin: Begin, now: Clock) -> View:
    """The version in force at an instant (None: now). Raises UnknownProgramme where there is none."""
    async with begin() as unit:
        version = (await unit.programmes()).named(code).at(at or now())
        documents = await unit.documents()
        return view(next(each for each in documents if (each.code, each.number) == (code, version.number)))
