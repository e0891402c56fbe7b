"""Programmes as stored, and as every unit of the process reads them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence

from regulars_loyalty.adapters.db.session import Session
from regulars_loyalty.application.ports import ProgrammeDocument
from regulars_loyalty.domain.programme import Programme, Programmes
from regulars_loyalty.domain.programme_document import parse

_ALL = "SELECT code, number, effective_from, document, recorded_at FROM programmes ORDER BY code, number"
_LOCK = "LOCK TABLE programmes IN SHARE ROW EXCLUSIVE MODE"
_ADD = "INSERT INTO programmes (code, number, effective_from, document, recorded_at) VALUES ($1, $2, $3, $4, $5)"


class ProgrammeCache:
    """The programmes of one process.

    Versions are only ever added, so their number, which each unit reads, says whether the cache holds them all: what
    any process published counts from the next unit on.
    """

    def __init__(self) -> None:
        self._count = 0
        self.at_hand = Programmes({})
        """The programmes as they were when somebody last looked."""

    async def programmes(self, session: Session) -> Programmes:
        if await session.versions() != self._count:
            documents = await all_documents(session)
            self.at_hand, self._count = programmes_of(documents), len(documents)
        return self.at_hand


def programmes_of(documents: Sequence[ProgrammeDocument]) -> Programmes:
    by_code = defaultdict(list)
    for each in documents:
        by_code[each.code].append(parse(each.document, each.code, each.number))
    return Programmes({code: Programme.of(versions) for code, versions in by_code.items()})


async def all_documents(session: Session) -> list[ProgrammeDocument]:
    rows = await session.fetch(_ALL)
    return [
        ProgrammeDocument(row["code"], row["number"], row["effective_from"], row["document"], row["recorded_at"])
        for row in rows
    ]


async def lock_programmes(session: Session) -> None:
    """Let others who publish wait for our commit, and see what those before us published. Readers do not wait."""
    await session.execute(_LOCK)
    await session.count_versions()


async def add_version(session: Session, version: ProgrammeDocument) -> None:
    document = json.dumps(version.document)
    values = (version.code, version.number, version.effective_from, document, version.recorded_at)
    await session.execute(_ADD, *values)
