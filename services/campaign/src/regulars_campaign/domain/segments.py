"""Segments: a rule with a name, and who fulfils it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NewType
from uuid import UUID

from regulars_campaign.domain.rules import Rule

SegmentId = NewType("SegmentId", UUID)
MOST_SEGMENTS = 200

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
"""Codes of segments, templates and campaigns: small letters, digits, `_` and `-`, up to 64 of them."""


@dataclass(frozen=True, slots=True)
class Segment:
    """`document` is the rule as it was written. `swept_on`: the day for which everybody was judged last.

    None: nobody was yet, and the membership is still being built.
    """

    id: SegmentId
    code: str
    name: str | None
    document: Mapping[str, object]
    rule: Rule
    created_at: datetime
    swept_on: date | None = None

    @property
    def is_ready(self) -> bool:
        return self.swept_on is not None
