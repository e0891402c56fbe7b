"""Which status each of loyalty's refusals is answered with."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import Response

from regulars_kit.http import problem_response
from regulars_kit.validation import FieldError, InvalidRequest
from regulars_kit.values import Refused
from regulars_loyalty.domain import refusals


class BadIdentifier(Refused):
    """The card, phone number or e-mail address is not written as one."""

    code = "bad_identifier"


STATUS_OF: dict[type[Refused], int] = {
    refusals.StoreNotAllowed: 403,
    refusals.UnknownCustomer: 404,
    refusals.UnknownPurchase: 404,
    refusals.UnknownRedemption: 404,
    refusals.UnknownEntry: 404,
    refusals.UnknownProgramme: 404,
    refusals.InsufficientPoints: 409,
    refusals.NothingLeftToReturn: 409,
    refusals.NothingLeftToReverse: 409,
    refusals.IdempotencyKeyConflict: 409,
    refusals.ReceiptNumberTaken: 409,
    refusals.AlreadyClaimed: 409,
    BadIdentifier: 422,
    refusals.InvalidProgramme: 422,
    refusals.NotSupported: 422,
    refusals.UnknownStore: 422,
    refusals.UnknownLine: 422,
    refusals.CurrencyNotInProgramme: 422,
    refusals.NegativeLine: 422,
    refusals.TendersDoNotAddUp: 422,
    refusals.InTheFuture: 422,
    refusals.ExpiresTooEarly: 422,
}


def of_a_body(refusal: Refused) -> Refused:
    """The refusal as it is told to someone who sent a body: a programme named there is a wrong field (422).

    The address of a programme that there is not stays a 404.
    """
    if not isinstance(refusal, refusals.UnknownProgramme):
        return refusal
    return InvalidRequest([FieldError(refusal.code, refusal.detail, pointer=refusal.field or "/programme")])


def tell_programmes_apart(app: FastAPI) -> None:
    """Answer a write that names an unknown programme as `of_a_body` says, a read with 404."""
    app.add_exception_handler(refusals.UnknownProgramme, _unknown_programme)


async def _unknown_programme(request: Request, error: Exception) -> Response:
    assert isinstance(error, refusals.UnknownProgramme)
    return problem_response(request, error if request.method == "GET" else of_a_body(error))
