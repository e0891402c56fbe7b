"""The CRM audit: the last window and the one before it, side by side."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from datetime import date
from typing import Literal
from uuid import UUID

from regulars_kit.http import Router
from regulars_scoring.adapters.http.context import Here, Reader
from regulars_scoring.adapters.http.shape import Answer
from regulars_scoring.application.read_insight import read_insight
from regulars_scoring.domain.insights import audit_name

router = Router(tags=["scoring"])


WindowDays = Literal["30", "90", "180", "365"]
"""As text, since an address holds nothing else; the run audits over these windows."""


class WindowOut(Answer):
    """Its first and last day, both in it."""

    first: date
    last: date


class MovementsOut(Answer):
    """`active` customers had an occasion in the window. Of them the `kept` were active in the window of equal length
    before it as well, the `new` had their first occasion, the `won_back` had been away for all of that window. The
    `lost` were active in it and not in this one; `away` are those who could be won back.
    """

    active: int
    kept: int
    new: int
    won_back: int
    lost: int
    away: int


class ShareOut(Answer):
    """`count` of `of`; null where that is nobody. Between `low` and `high` lies the truth 19 times of 20 (Wilson)."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


class DifferenceOut(Answer):
    """Now less before; null where one of the shares is. The truth lies between `low` and `high` 19 times of 20."""

    difference: float | None
    low: float | None
    high: float | None


class ComparisonOut(DifferenceOut):
    now: ShareOut
    before: ShareOut


class StandardisedOut(DifferenceOut):
    """Shares as they were had the customers of both windows the same mixture of ages, that of both together.

    Ages are days since the first purchase at each window's start, in strata from 0, 90, 180, 365 and 730 days on.
    """

    now: float | None
    before: float | None
    left_out: int
    """Customers of ages that occur in one window alone."""


class MigrationOut(Answer):
    before: str | None
    """Segment at the end of the window before; null: not a customer yet."""
    now: str
    customers: int


class AuditOut(Answer):
    """Comparisons are of the last window (`now`) with the one of equal length before it (`before`)."""

    run_id: UUID
    as_of: date
    window_days: int
    history_from: date | None = None
    """The first purchase of all: shares of windows that begin before it, or soon after, say little. Null in audits of
    earlier versions."""
    now: WindowOut
    before: WindowOut
    movements_now: MovementsOut
    movements_before: MovementsOut
    lost: ComparisonOut
    """Of those active in the window before each, who were not in it."""
    new: ComparisonOut
    """Of the active, who had their first occasion."""
    won_back: ComparisonOut
    """Of those away, who came back."""
    switching_away: ComparisonOut
    """Of customers with three gaps of their own or more who at the window's start had not been silent for longer than
    nine tenths of these, who were at its end.
    """
    best_repurchase: ComparisonOut
    """Of the best tenth by net revenue at the window's start, who bought within it."""
    best_repurchase_age_equalised: StandardisedOut
    migration: list[MigrationOut]
    """How many went from which segment to which, from the end of the window before to the end of this one. Each day's
    segments are by cuts of that day.
    """


@router.get("/v1/scoring/audit")
async def get_audit(principal: Reader, here: Here, window_days: WindowDays = "90") -> AuditOut:
    """What has become of the customers, as of the last run."""
    _, audit = await read_insight(audit_name(int(window_days)), here.read)
    return AuditOut.model_validate(audit)
