"""Which status each of campaign's refusals is answered with."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import Response

from regulars_campaign.domain import refusals
from regulars_kit.http import problem_response
from regulars_kit.validation import FieldError, InvalidRequest
from regulars_kit.values import Refused

STATUS_OF: dict[type[Refused], int] = {
    refusals.UnknownSegment: 404,
    refusals.UnknownTemplate: 404,
    refusals.UnknownCampaign: 404,
    refusals.UnknownCustomer: 404,
    refusals.CodeTaken: 409,
    refusals.TooManySegments: 409,
    refusals.WrongState: 409,
    refusals.InvalidRule: 422,
    refusals.UnknownRuleField: 422,
    refusals.RuleTooLarge: 422,
    refusals.InvalidTemplate: 422,
    refusals.UnknownVariable: 422,
    refusals.ChannelNotConfigured: 422,
}


def tell_bodies_apart(app: FastAPI) -> None:
    """A segment or template that a body names and that does not exist is a wrong field (422); in an address, a 404."""
    for refusal in (refusals.UnknownSegment, refusals.UnknownTemplate):
        app.add_exception_handler(refusal, _unknown)


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    if error.field is None:
        return problem_response(request, error)
    return problem_response(request, InvalidRequest([FieldError(error.code, error.detail, pointer=error.field)]))
