"""The import: a stream of customers, answered line by line."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import Depends, Request, Response

from regulars_customer.adapters.http.context import Context, Here
from regulars_customer.adapters.http.customers import refuse_without_scope
from regulars_customer.adapters.http.problems import STATUS_OF
from regulars_customer.adapters.http.requests import RegistrationIn
from regulars_customer.application.import_customers import import_customers
from regulars_customer.application.upsert_by_external_id import Upserted
from regulars_customer.domain.customer import Registration
from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router, problem_of, read_model, stream_body
from regulars_kit.ndjson import MEDIA_TYPE, Line, NdjsonResponse, answer, groups_of, lines_of
from regulars_kit.problems import WrongContentType
from regulars_kit.values import Refused, Unavailable

router = Router(tags=["customers"])

LINES_PER_COMMIT = 200
"""Enough that the commit's cost is shared, few enough that the first answers come soon."""

Writer = Annotated[Principal, Depends(requires("customers:write"))]
Outcome = Upserted | Refused | Unavailable

_BODY = {"requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}}


@router.post("/v1/customers:batch", status_code=200, response_class=NdjsonResponse, openapi_extra=_BODY)
async def post_batch(request: Request, principal: Writer, here: Here) -> Response:
    """Register or update many: one registration a line in, one `{line, status, body}` a line out, in their order.

    Each line needs an external id, by which it can be sent again without a double. A bad line harms no other.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != MEDIA_TYPE:
        raise WrongContentType(f"the body must be {MEDIA_TYPE}")
    stream_body(request)
    return NdjsonResponse(_answers(request, principal, here))


async def _answers(request: Request, principal: Principal, here: Context) -> AsyncIterator[bytes]:
    async for lines in groups_of(lines_of(request), LINES_PER_COMMIT):
        read = [_read(line, principal, here) for line in lines]
        outcomes = await _import([told for told in read if isinstance(told, Registration)], here)
        told_outcomes = iter(outcomes)
        yield b"".join(
            _answer(line, next(told_outcomes) if isinstance(told, Registration) else told)
            for line, told in zip(lines, read, strict=True)
        )


def _read(line: Line, principal: Principal, here: Context) -> Registration | Refused:
    if line.refusal is not None:
        return line.refusal
    try:
        registration = read_model(RegistrationIn, line.body).to_import(here.identities)
        refuse_without_scope(registration, principal)
    except Refused as refusal:
        return refusal
    return registration


async def _import(registrations: Sequence[Registration], here: Context) -> Sequence[Outcome]:
    try:
        return await import_customers(registrations, here.begin, here.now)
    except Unavailable as away:
        return [away] * len(registrations)


def _answer(line: Line, outcome: Outcome) -> bytes:
    if isinstance(outcome, Upserted):
        receipt = {
            "id": str(outcome.customer_id),
            "registered_at": outcome.registered_at.isoformat(),
            "version": outcome.version,
        }
        return answer(line, 201 if outcome.is_new else 200, receipt)
    problem = problem_of(outcome, STATUS_OF)
    return answer(line, problem.status, problem.document())
