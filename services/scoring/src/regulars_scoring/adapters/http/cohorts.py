"""Cohorts: customers by the period of their first occasion, and what became of them."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Self, cast
from uuid import UUID

from fastapi import Query

from regulars_kit.http import Router, decode_cursor, encode_cursor
from regulars_kit.limits import LIMITS
from regulars_kit.models import PageLimit
from regulars_scoring.adapters.http.context import Here, Reader
from regulars_scoring.adapters.http.shape import Answer
from regulars_scoring.application.read_insight import read_insight
from regulars_scoring.domain.cohorts import Cohort, Span
from regulars_scoring.domain.insights import cohorts_name

router = Router(tags=["scoring"])


class CohortOut(Answer):
    """One entry per period: the first is that of the first purchases, the last the present one."""

    cohort: str
    """The period in which its customers bought first: `2026-03`, `2026 Q1`, `2026`."""
    customers: int
    active: list[int]
    """Customers with an occasion in the period."""
    retention: list[float]
    """Their share of the cohort, 0 to 1."""
    revenue_minor: list[int]
    """Net of returns."""
    revenue_per_customer_minor: list[float]
    """Divided by all customers of the cohort."""

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        cohort = Cohort(kept["label"], kept["customers"], tuple(kept["active"]), tuple(kept["net_minor"]))
        return cls(
            cohort=cohort.label,
            customers=cohort.customers,
            active=list(cohort.active),
            retention=list(cohort.retention),
            revenue_minor=list(cohort.net_minor),
            revenue_per_customer_minor=list(cohort.revenue_per_customer_minor),
        )


class CohortsOut(Answer):
    run_id: UUID
    as_of: date
    currency: str
    by: Span
    has_ended: bool
    """Whether the present period ended with `as_of`; else its figures are those of a part of it."""
    items: list[CohortOut]
    next_cursor: str | None


@router.get("/v1/scoring/cohorts")
async def get_cohorts(
    principal: Reader,
    here: Here,
    by: Span = "month",
    limit: Annotated[PageLimit, Query()] = LIMITS.page_default,
    cursor: str | None = None,
) -> CohortsOut:
    """Retention and revenue by cohort as of the last run, the newest cohort first."""
    model, triangle = await read_insight(cohorts_name(by), here.read)
    cohorts = cast(Sequence[Mapping[str, Any]], triangle["cohorts"])
    older = len(cohorts) if cursor is None else min(len(cohorts), _older(cursor))
    rest = max(0, older - limit)
    return CohortsOut(
        run_id=UUID(str(triangle["run_id"])),
        as_of=date.fromisoformat(str(triangle["as_of"])),
        currency=model.currency,
        by=by,
        has_ended=bool(triangle["has_ended"]),
        items=[CohortOut.of(cohort) for cohort in reversed(cohorts[rest:older])],
        next_cursor=encode_cursor(rest) if rest else None,
    )


def _older(cursor: str) -> int:
    """How many cohorts are older than those already told: the next run may add one at the other end."""
    return max(0, cast(int, decode_cursor(cursor, int)[0]))
