"""Facts of costs as they are kept: each once, by its key, whatever the order in which they come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction

from regulars_kit.values import currency_exponent
from regulars_scoring.adapters.db.session import Session
from regulars_scoring.domain.costs import Cost, PointsMoved, Terms

# All of them lock in the order of their keys.
_KEEP_COSTS = """
    INSERT INTO costs (kind, id, customer_id, day, currency, amount_minor)
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::date[], $5::text[], $6::bigint[]) AS told (kind, id)
    ORDER BY kind, id
    ON CONFLICT DO NOTHING
"""
_KEEP_POINTS = """
    INSERT INTO points (customer_id, programme, wallet, account_seq, cause, day, points)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::date[], $7::bigint[])
        AS told (customer_id, programme, wallet, account_seq, cause)
    ORDER BY customer_id, programme, wallet, account_seq, cause
    ON CONFLICT DO NOTHING
"""
_KEEP_TERMS = """
    INSERT INTO terms (programme, version, effective_from, margin_over, margin_under, point_minor)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::date[], $4::numeric[], $5::numeric[], $6::jsonb[])
        AS told (programme, version)
    ORDER BY programme, version
    ON CONFLICT DO NOTHING
"""


async def keep_costs(session: Session, costs: Sequence[Cost]) -> None:
    if costs:
        await session.execute(
            _KEEP_COSTS,
            [each.kind for each in costs],
            [each.id for each in costs],
            [each.customer_id for each in costs],
            [each.day for each in costs],
            [each.currency for each in costs],
            [each.amount_minor for each in costs],
        )


async def keep_points(session: Session, moved: Sequence[PointsMoved]) -> None:
    if moved:
        await session.execute(
            _KEEP_POINTS,
            [each.customer_id for each in moved],
            [each.programme for each in moved],
            [each.wallet for each in moved],
            [each.account_seq for each in moved],
            [each.cause for each in moved],
            [each.day for each in moved],
            [each.points for each in moved],
        )


async def keep_terms(session: Session, terms: Sequence[Terms]) -> None:
    if terms:
        await session.execute(
            _KEEP_TERMS,
            [each.programme for each in terms],
            [each.version for each in terms],
            [each.effective_from for each in terms],
            [None if each.margin_rate is None else each.margin_rate.numerator for each in terms],
            [None if each.margin_rate is None else each.margin_rate.denominator for each in terms],
            [json.dumps(_point_minor(each.point_value)) for each in terms],
        )


def _point_minor(point_value: Mapping[str, Fraction]) -> dict[str, tuple[int, int]]:
    """Minor units that one point is worth, by currency, as numerator and denominator."""
    worth = {currency: value * 10 ** currency_exponent(currency) for currency, value in point_value.items()}
    return {currency: (minor.numerator, minor.denominator) for currency, minor in worth.items()}
