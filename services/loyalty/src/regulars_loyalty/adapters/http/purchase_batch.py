"""Purchases in a stream: one a line in, one `{line, status, body}` a line out, by the tills' own path."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import structlog
from fastapi import Depends, Request, Response

from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router, parse_strict, problem_of, stream_body, validate
from regulars_kit.ndjson import MEDIA_TYPE, Line, NdjsonResponse, answer, lines_of
from regulars_kit.problems import Problem, WrongContentType
from regulars_kit.values import Refused, Unavailable
from regulars_loyalty.adapters.http.batching import Outcome
from regulars_loyalty.adapters.http.context import Context, Here
from regulars_loyalty.adapters.http.problems import STATUS_OF, of_a_body
from regulars_loyalty.adapters.http.receipts import BatchLineIn, Sender, to_command
from regulars_loyalty.application.purchase_rows import Answer, RecordPurchase

GROUP_PURCHASES = 200
GROUP_LINES = 5_000
"""Of one commit, whichever comes first: enough to share its cost, and a till that comes meanwhile waits for one."""

_READ_AT_ONCE = 16
"""Lines read before others have their turn on this processor: some two milliseconds of usual receipts."""

router = Router(tags=["purchases"])
log = structlog.get_logger("regulars.loyalty")

_BODY = {"requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}}


@dataclass(slots=True)
class _Group:
    """Consecutive lines: each with the place of its purchase among `commands`, or with why there is none."""

    lines: list[tuple[Line, Refused | None]] = field(default_factory=list)
    commands: list[RecordPurchase] = field(default_factory=list)
    receipt_lines: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.lines) >= GROUP_PURCHASES or self.receipt_lines >= GROUP_LINES

    def add(self, line: Line, read: RecordPurchase | Refused) -> None:
        if isinstance(read, Refused):
            self.lines.append((line, read))
            return
        self.lines.append((line, None))
        self.commands.append(read)
        self.receipt_lines += len(read.purchase.lines)


@router.post("/v1/purchases:batch", status_code=200, response_class=NdjsonResponse, openapi_extra=_BODY)
async def post_batch(
    request: Request, principal: Annotated[Principal, Depends(requires("purchases:write"))], here: Here
) -> Response:
    """Record many purchases: one a line in, `{line, status, body}` a line out, in the order of the input.

    A line is the body of `PUT /v1/purchases/{purchase_id}` with `purchase_id` or `idempotency_key` in it, or with
    neither. A bad line harms no other; lines that were answered stay when the client goes away.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != MEDIA_TYPE:
        raise WrongContentType(f"the body must be {MEDIA_TYPE}")
    stream_body(request)
    return NdjsonResponse(_answers(request, principal, here))


async def _answers(request: Request, principal: Principal, here: Context) -> AsyncIterator[bytes]:
    before: tuple[_Group, asyncio.Future[Sequence[Outcome]]] | None = None
    async for group in _groups(request, principal, here):
        # One group is read while the one before it is committed.
        recording = here.purchases.submit(group.commands)
        if before is not None:
            yield _told(before[0], await before[1])
        before = (group, recording)
    if before is not None:
        yield _told(before[0], await before[1])


async def _groups(request: Request, principal: Principal, here: Context) -> AsyncIterator[_Group]:
    group = _Group()
    async for line in lines_of(request):
        group.add(line, _read(line, principal, here))
        if line.number % _READ_AT_ONCE == 0:
            await asyncio.sleep(0)
        if group.is_full:
            yield group
            group = _Group()
    if group.lines:
        yield group


def _read(line: Line, principal: Principal, here: Context) -> RecordPurchase | Refused:
    if line.refusal is not None:
        return line.refusal
    try:
        value = parse_strict(line.body)
        body = validate(BatchLineIn, value)
        sender = Sender(principal, body.purchase_id, body.idempotency_key)
        return to_command(body, value, sender, here.identities, here.now)
    except Refused as refusal:
        return refusal


def _told(group: _Group, outcomes: Sequence[Outcome]) -> bytes:
    recorded = iter(outcomes)
    return b"".join([_answer(line, refusal or next(recorded)) for line, refusal in group.lines])


def _answer(line: Line, outcome: Outcome) -> bytes:
    if isinstance(outcome, Answer):
        # The answer is JSON already; it is put in its place as it was kept.
        return f'{{"line":{line.number},"status":201,"body":{outcome.body}}}\n'.encode()
    problem = _problem(outcome)
    return answer(line, problem.status, problem.document())


def _problem(error: Exception) -> Problem:
    if isinstance(error, Refused):
        return problem_of(of_a_body(error), STATUS_OF)
    if isinstance(error, Unavailable):
        return problem_of(error, STATUS_OF)
    log.error("purchase failed", exc_info=error)
    return Problem(500, "internal_error", "an error of ours, which is in the log; the other lines are not concerned")
