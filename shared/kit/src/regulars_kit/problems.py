"""Problem documents (RFC 9457): the one shape of every "no", with a stable `code` and the places of the faults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from starlette.responses import Response

from regulars_kit.auth import PrincipalInvalid, PrincipalRequired, ScopeMissing
from regulars_kit.dead_letters import ReplayRefused, UnknownDeadLetter
from regulars_kit.idempotency import IdempotencyKeyConflict, IdempotencyKeyInvalid, IdempotencyKeyRequired
from regulars_kit.jobs import JobEnded, UnknownJob
from regulars_kit.ndjson import LineTooLarge, TooManyLines
from regulars_kit.pagination import CursorInvalid
from regulars_kit.strict_json import (
    DuplicateKey,
    InvalidCharacter,
    InvalidNumber,
    InvalidUtf8,
    MalformedJson,
    TooDeep,
)
from regulars_kit.validation import FieldError, InvalidRequest
from regulars_kit.values import Refused, Unavailable

Statuses = Mapping[type[Refused], int]
"""A service's one table from its refusals to HTTP statuses; a subclass inherits its parent's."""

MEDIA_TYPE = "application/problem+json"


class BodyTooLarge(Refused):
    """The body is larger than a body may be."""

    code: ClassVar[str] = "body_too_large"


class WrongContentType(Refused):
    """The body is not of the media type this address reads."""

    code: ClassVar[str] = "wrong_content_type"


class NotFound(Refused):
    """There is no such thing, or this principal may not know of it."""

    code: ClassVar[str] = "not_found"


KIT_STATUSES: Statuses = MappingProxyType(
    {
        MalformedJson: 400,
        InvalidUtf8: 400,
        DuplicateKey: 400,
        TooDeep: 400,
        InvalidCharacter: 400,
        InvalidNumber: 400,
        CursorInvalid: 400,
        IdempotencyKeyRequired: 400,
        IdempotencyKeyInvalid: 400,
        PrincipalRequired: 401,
        PrincipalInvalid: 401,
        ScopeMissing: 403,
        NotFound: 404,
        UnknownDeadLetter: 404,
        UnknownJob: 404,
        IdempotencyKeyConflict: 409,
        JobEnded: 409,
        ReplayRefused: 409,
        BodyTooLarge: 413,
        LineTooLarge: 413,
        TooManyLines: 413,
        WrongContentType: 415,
        InvalidRequest: 422,
    }
)


OTHER_CODES: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "method_not_allowed": (405, "The address does not answer to this method; `Allow` lists those it answers to."),
        "body_required": (422, "There is no body, and there must be one."),
        "invalid_quantity": (422, "A quantity is above zero and has at most three decimals."),
        "missing_field": (422, "A field that must be there is not."),
        "offset_required": (422, "An instant carries no offset from UTC."),
        "out_of_range": (422, "A number is below or above what it may be."),
        "too_long": (422, "A text or a list is longer than it may be."),
        "too_short": (422, "A text or a list is shorter than it must be."),
        "unknown_field": (422, "The request has a field that it does not know."),
        "wrong_type": (422, "A field is of another JSON type; nothing is converted."),
        "internal_error": (500, "An error of ours, logged under the request's id."),
        "unavailable": (503, "Something the service needs is away; `Retry-After` says when to try again."),
    }
)
"""The codes that are no class of their own, with their status and meaning: faults of fields and of the transport."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer that is not a success. `headers` go beside it (`Retry-After`)."""

    status: int
    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """The body of RFC 9457; as it stands also the `body` of a line's answer in a batch."""
        document: dict[str, object] = {
            "type": f"urn:regulars:problem:{self.code}",
            "title": self.code.replace("_", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.errors:
            document["errors"] = [error.document() for error in self.errors]
        return document

    def response(self) -> Response:
        body = json.dumps(self.document(), ensure_ascii=False).encode()
        return Response(body, self.status, headers=dict(self.headers), media_type=MEDIA_TYPE)


def problem_of(error: Refused | Unavailable, statuses: Statuses) -> Problem:
    """The problem an error is answered with: its status from `statuses`, then from the kit's table, else 422."""
    if isinstance(error, Unavailable):
        return Problem(503, "unavailable", error.detail, headers={"Retry-After": str(error.retry_after_s)})
    if isinstance(error, InvalidRequest):
        return Problem(status_of(error, statuses), error.errors[0].code, error.detail, error.errors)
    errors = () if error.field is None else (FieldError(error.code, error.detail, pointer=error.field),)
    status = status_of(error, statuses)
    # RFC 9110 asks for a challenge beside every 401; keys and tokens alike come as bearers.
    return Problem(status, error.code, error.detail, errors, {"WWW-Authenticate": "Bearer"} if status == 401 else {})


def status_of(error: Refused, statuses: Statuses) -> int:
    """The status of the nearest class up the error's family that a table names; 422 when none does."""
    for family in type(error).__mro__:
        for table in (statuses, KIT_STATUSES):
            if family in table:
                return table[family]
    return 422
