from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from regulars_gateway.application.ports import Outcome, Terms, Unit
from regulars_gateway.domain.attempts import Attempt, next_step
from regulars_gateway.domain.deliveries import Lane, LaneReport, Tried
from regulars_gateway.domain.facts import EndpointDisabled
from regulars_gateway.domain.health import judge

Chance = Callable[[], float]
"""A random number from 0 to 1."""


async def record_attempts(
    reports: Sequence[LaneReport], terms: Terms, chance: Chance, unit: Unit, at: datetime
) -> None:
    """Keep what came of the tries, set when the next are due, and judge the endpoints.

    A report whose claim ran out is left aside: the lane is another's now, who tries the same deliveries again.
    """
    held = await unit.claims.held(reports)
    kept = [report for report in reports if report.claim in held]
    outcomes: list[Outcome] = []
    lanes: dict[Lane, datetime | None] = {}
    for report in kept:
        made = [_outcome(tried, terms, chance) for tried in report.tried]
        outcomes += made
        lanes[report.endpoint_id, report.subject] = made[-1].step.next_at if made else None
    await unit.claims.record(outcomes, lanes, at)
    await _judge_endpoints(kept, terms, unit)


def _outcome(tried: Tried, terms: Terms, chance: Chance) -> Outcome:
    step = next_step(tried.tries_before, tried.attempt, terms.schedule, chance() * terms.jitter)
    return Outcome(tried.delivery_id, step, tried.attempt)


async def _judge_endpoints(reports: Sequence[LaneReport], terms: Terms, unit: Unit) -> None:
    attempts: dict[UUID, list[Attempt]] = defaultdict(list)
    for report in reports:
        attempts[report.endpoint_id] += [tried.attempt for tried in report.tried]
    failed = {endpoint_id for endpoint_id, made in attempts.items() if not all(one.succeeded for one in made)}
    disabled = []
    for endpoint_id, health in (await unit.endpoints.health(attempts, failed)).items():
        made = sorted(attempts[endpoint_id], key=lambda one: one.at)
        verdict = judge(health, made, terms.probe_every)
        if verdict.give_up is not None:
            at = made[-1].at
            await unit.endpoints.give_up(endpoint_id, verdict.health, verdict.give_up, at)
            disabled.append(EndpointDisabled(endpoint_id, verdict.give_up, at))
        elif verdict.health != health:
            await unit.endpoints.save_health(endpoint_id, verdict.health)
    await unit.announce(disabled)
