"""Runs over everybody, and the model that the last one left."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field

from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router, decode_cursor, encode_cursor
from regulars_kit.idempotency import IdempotencyKey, content_hash
from regulars_kit.limits import LIMITS
from regulars_kit.models import Day, PageLimit, StrictModel
from regulars_kit.pagination import CursorInvalid
from regulars_scoring.adapters.http.answers import ModelOut, RunOut, RunsOut, StartedOut
from regulars_scoring.adapters.http.context import Here, Reader
from regulars_scoring.application.ports import Call
from regulars_scoring.application.read_model import read_model
from regulars_scoring.application.read_runs import list_runs, read_run
from regulars_scoring.application.start_run import start_run
from regulars_scoring.domain.choice import Asked
from regulars_scoring.domain.scoring import PUBLISHED_HORIZON_DAYS

router = Router(tags=["scoring"])

Runner = Annotated[Principal, Depends(requires("scoring:run"))]

LONGEST_HORIZON_DAYS = 3_650


class RunIn(StrictModel):
    """`as_of`: purchases after that day are ignored; today at the latest, and unless said. `horizon_days`: of churn and
    expected purchases.

    `model`: what is to serve. `auto`: whichever foretold best in the hold-outs. A model whose fit is degenerate serves
    in neither case: then the best baseline does.
    """

    as_of: Day | None = None
    horizon_days: Annotated[int, Field(ge=1, le=LONGEST_HORIZON_DAYS)] = PUBLISHED_HORIZON_DAYS
    model: Asked = "auto"


@router.post("/v1/scoring/runs", status_code=202)
async def post_run(body: RunIn, response: Response, principal: Runner, here: Here, key: IdempotencyKey) -> StartedOut:
    """Fit the models anew and score everybody. One run at a time; a failed one leaves the scores as they were."""
    call = Call(principal.client, key, content_hash(body.model_dump(mode="json")))
    started = await start_run(body.as_of, body.horizon_days, body.model, call, here.begin, here.house)
    if started.is_replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return StartedOut.of(started)


@router.get("/v1/scoring/runs")
async def get_runs(
    principal: Reader,
    here: Here,
    limit: Annotated[PageLimit, Query()] = LIMITS.page_default,
    cursor: str | None = None,
) -> RunsOut:
    """All runs, the newest first."""
    runs = await list_runs(None if cursor is None else _run_id(cursor), limit, here.read)
    following = encode_cursor(str(runs[-1].id)) if len(runs) == limit else None
    return RunsOut(items=[RunOut.of(run) for run in runs], next_cursor=following)


@router.get("/v1/scoring/runs/{run_id}")
async def get_run(run_id: UUID, principal: Reader, here: Here) -> RunOut:
    """One run, with its report once the models are fitted."""
    return RunOut.of(await read_run(run_id, here.read))


@router.get("/v1/scoring/model")
async def get_model(principal: Reader, here: Here) -> ModelOut:
    """Parameters, cuts and bounds that customers are scored by, and how every model and baseline did beside it."""
    return ModelOut.of(*await read_model(here.read))


def _run_id(cursor: str) -> UUID:
    (text,) = decode_cursor(cursor, str)
    try:
        return UUID(str(text))
    except ValueError:
        raise CursorInvalid("the cursor is not one of this list") from None
