"""Which status each of the gateway's refusals is answered with."""

from __future__ import annotations

from dataclasses import replace

from regulars_gateway.domain import refusals
from regulars_kit.problems import Problem, problem_of
from regulars_kit.values import Refused, Unavailable

STATUS_OF: dict[type[Refused], int] = {
    refusals.ApiKeyRequired: 401,
    refusals.ApiKeyUnknown: 401,
    refusals.NotYoursToGive: 403,
    refusals.UnknownAudience: 404,
    refusals.UnknownKey: 404,
    refusals.UnknownEndpoint: 404,
    refusals.UnknownDelivery: 404,
    refusals.KeyEnded: 409,
    refusals.TooManyEndpoints: 409,
    refusals.EndpointIsDisabled: 409,
    refusals.CursorExpired: 410,
    refusals.UnknownScope: 422,
    refusals.InThePast: 422,
    refusals.BadUrl: 422,
    refusals.AddressDenied: 422,
    refusals.UnknownEventType: 422,
}

_CHALLENGE = 'Bearer realm="regulars"'
_CHALLENGES = {
    refusals.ApiKeyRequired.code: _CHALLENGE,
    refusals.ApiKeyUnknown.code: _CHALLENGE + ', error="invalid_token"',
}


def refusal(error: Refused | Unavailable) -> Problem:
    """The problem document, with the challenge of RFC 6750 for a key that is missing or unknown."""
    problem = problem_of(error, STATUS_OF)
    challenge = _CHALLENGES.get(problem.code)
    return problem if challenge is None else replace(problem, headers={"WWW-Authenticate": challenge})
