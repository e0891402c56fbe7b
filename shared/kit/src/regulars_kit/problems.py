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
    BodyRefused,
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
    code: ClassVar[str] = "body_too_large"


class WrongContentType(Refused):
    code: ClassVar[str] = "wrong_content_type"


class NotFound(Refused):
    """There is no such thing, or this principal may not know of it."""

    code: ClassVar[str] = "not_found"


KIT_STATUSES: Statuses = MappingProxyType(
    {
        BodyRefused: 400,
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


def error_codes_table(*tables: Statuses) -> list[tuple[str, int, str]]:
    """(code, status, meaning) of the kit's and the given refusals, by status and code: ARCHITECTURE.md's table.

    The meaning is the first line of the class's docstring, or its name in words.
    """
    rows = {
        (refusal.code, status, _meaning(refusal))
        for table in (KIT_STATUSES, *tables)
        for refusal, status in table.items()
    }
    return sorted(rows, key=lambda row: (row[1], row[0]))


def _meaning(refusal: type[Refused]) -> str:
    own = refusal.__dict__.get("__doc__") or refusal.code.replace("_", " ")
    return str(own).strip().splitlines()[0]
