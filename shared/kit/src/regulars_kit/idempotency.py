"""One effect per `Idempotency-Key`: the first answer is stored in its own commit and replayed ever after.

The key's row is written before the work, so that a twin in flight waits at the unique index instead of doing the work
a second time; a check before the insert would let both through.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, ClassVar, NamedTuple

from fastapi import Depends, Request
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from regulars_kit.canonical import canonical_json, content_hash
from regulars_kit.limits import LIMITS
from regulars_kit.values import Refused

__all__ = ["DDL", "Answer", "IdempotencyKey", "canonical_json", "content_hash", "idempotency_key", "once"]

HEADER = "Idempotency-Key"

DDL: tuple[str, ...] = (
    """
    CREATE TABLE idempotency (
        client text NOT NULL,
        key text NOT NULL,
        content_hash bytea NOT NULL,
        status int,
        answer bytea,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (client, key)
    )
    """,
    "CREATE INDEX idempotency_by_age ON idempotency (created_at)",
)
"""The store of services that keep keys for a while (30 days); the ledger keeps its own for ever."""


class IdempotencyKeyRequired(Refused):
    """This request creates something and must carry an `Idempotency-Key`."""

    code: ClassVar[str] = "idempotency_key_required"


class IdempotencyKeyInvalid(Refused):
    """An `Idempotency-Key` is 1 to 255 visible ASCII characters."""

    code: ClassVar[str] = "idempotency_key_invalid"


class IdempotencyKeyConflict(Refused):
    """The key was used before, with other content."""

    code: ClassVar[str] = "idempotency_key_conflict"


class Answer(NamedTuple):
    """What a request was answered with, the first time or again. `body` is JSON, empty for 204."""

    status: int
    body: bytes
    replayed: bool

    def response(self) -> Response:
        headers = {"Idempotent-Replayed": "true"} if self.replayed else {}
        return Response(self.body, self.status, headers=headers, media_type="application/json")


def idempotency_key(request: Request) -> str:
    """The request's key. Raises `idempotency_key_required` or `idempotency_key_invalid`."""
    key = request.headers.get(HEADER)
    if key is None:
        raise IdempotencyKeyRequired(f"the header {HEADER} is required: retries with it have one effect")
    if not 0 < len(key) <= LIMITS.text_chars or not all("!" <= character <= "~" for character in key):
        raise IdempotencyKeyInvalid(f"{HEADER} must be 1 to {LIMITS.text_chars} visible ASCII characters")
    return key


async def _read_key(request: Request) -> str:
    return idempotency_key(request)  # a plain function would be sent to a thread


IdempotencyKey = Annotated[str, Depends(_read_key)]
"""A parameter of FastAPI endpoints that create."""


async def once(
    connection: AsyncConnection,
    client: str,
    key: str,
    content: bytes,
    work: Callable[[], Awaitable[tuple[int, bytes]]],
) -> Answer:
    """Do `work` once for (client, key) and return its answer; later calls return the stored one with `replayed`.

    `content` is the request's `content_hash`: the same key with another raises `idempotency_key_conflict`. A call that
    meets its twin in flight waits for the twin's commit. When `work` raises, the transaction takes the key back too.
    """
    who = {"client": client, "key": key}
    if not await _take(connection, who, content):
        return await _stored(connection, who, content)
    status, body = await work()
    await connection.execute(
        text("UPDATE idempotency SET status = :status, answer = :answer WHERE client = :client AND key = :key"),
        {**who, "status": status, "answer": body},
    )
    return Answer(status, body, replayed=False)


async def _take(connection: AsyncConnection, who: dict[str, str], content: bytes) -> bool:
    taken = await connection.execute(
        text(
            "INSERT INTO idempotency (client, key, content_hash) VALUES (:client, :key, :content_hash)"
            " ON CONFLICT DO NOTHING"
        ),
        {**who, "content_hash": content},
    )
    return taken.rowcount == 1


async def _stored(connection: AsyncConnection, who: dict[str, str], content: bytes) -> Answer:
    found = await connection.execute(
        text("SELECT content_hash, status, answer FROM idempotency WHERE client = :client AND key = :key"), who
    )
    row = found.one()
    if bytes(row.content_hash) != content:
        raise IdempotencyKeyConflict("this Idempotency-Key was used before with other content")
    return Answer(row.status, bytes(row.answer), replayed=True)
