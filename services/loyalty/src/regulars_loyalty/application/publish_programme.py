"""Publish a version of a programme: checked as a whole, in force from its day, never changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from regulars_kit.values import Clock
from regulars_loyalty.application.ports import Begin, LoyaltyUnit, ProgrammeDocument, Writing
from regulars_loyalty.domain.announcements import ProgrammePublished
from regulars_loyalty.domain.programme import Programmes, Version
from regulars_loyalty.domain.programme_document import parse
from regulars_loyalty.domain.refusals import InvalidProgramme

View = dict[str, object]


async def publish_programme(code: str, document: Mapping[str, object], begin: Begin, now: Clock) -> View:
    """Answer with the version stored. The same document as the newest version again is that version again.

    Raises InvalidProgramme or NotSupported with the field's pointer; a store that another programme names is one.
    """
    parse(document, code, 0)
    async with begin() as unit:
        await unit.lock_programmes()
        newest = await _newest(unit, code)
        if newest is not None and newest.document == document:
            return view(newest)
        version = parse(document, code, newest.number + 1 if newest else 1)
        programmes = await unit.programmes()
        _check_stores(version, programmes)
        _check_wallet(version, programmes)
        stored = ProgrammeDocument(code, version.number, version.effective_from, document, now())
        await unit.publish_version(stored)
        await unit.write(Writing(announcements=[_announcement(version, document)]))
        return view(stored)


async def _newest(unit: LoyaltyUnit, code: str) -> ProgrammeDocument | None:
    mine = [each for each in await unit.documents() if each.code == code]
    return max(mine, key=lambda each: each.number, default=None)


def view(stored: ProgrammeDocument) -> View:
    """A version as the API shows it: what was sent, with its code and number."""
    return {"code": stored.code, "version": stored.number, **stored.document}


def _check_stores(version: Version, programmes: Programmes) -> None:
    """Two programmes cannot claim one store, or both `*`, at the same time."""
    for code, other in programmes.by_code.items():
        if code == version.programme:
            continue
        for store in sorted(version.stores & other.versions[-1].stores):
            place = "*" if store == "*" else "this store"
            raise InvalidProgramme(f"programme {code!r} has {place} already; take it out there first", field="/stores")


def _check_wallet(version: Version, programmes: Programmes) -> None:
    """Accounts are by programme and wallet: under another name everybody would begin again with nothing."""
    mine = programmes.by_code.get(version.programme)
    if mine is not None and mine.wallet != version.wallet:
        raise InvalidProgramme(f"the programme's wallet is {mine.wallet!r}, and stays so", field="/wallet")


def _announcement(version: Version, document: Mapping[str, object]) -> ProgrammePublished:
    margin_rate, return_period = document.get("margin_rate"), document.get("return_period")
    return ProgrammePublished(version, _text(margin_rate), _text(return_period))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
