"""A stream is answered line by line, while it still comes, and a bad line harms no other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.routing import Route

from regulars_kit import ndjson
from regulars_kit.auth import Principal, Verifier, guarded
from regulars_kit.http import new_app, stream_body
from regulars_kit.limits import LIMITS
from regulars_kit.ndjson import NdjsonResponse, answer, groups_of, lines_of


@guarded("public")
async def measured(request: Request, principal: Principal) -> Response:
    """Answer each line with its length, or its refusal."""
    stream_body(request)

    async def answers() -> AsyncIterator[bytes]:
        async for lines in groups_of(lines_of(request), 2):
            for line in lines:
                refusal = line.refusal
                yield (
                    answer(line, 200, {"bytes": len(line.body)})
                    if refusal is None
                    else answer(line, 413, {"code": refusal.code})
                )

    return NdjsonResponse(answers())


def an_app() -> FastAPI:
    app = new_app("Shop", "1", {}, None, Verifier({}, "shop"))
    app.router.routes.append(Route("/v1/lines:batch", measured, methods=["POST"]))
    return app


async def post(*chunks: bytes) -> list[tuple[int, int, Any]]:
    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async with httpx.AsyncClient(transport=httpx.ASGITransport(an_app()), base_url="http://shop") as client:
        response = await client.post("/v1/lines:batch", content=body())
    assert response.headers["content-type"] == "application/x-ndjson"
    answers = [json.loads(line) for line in response.text.splitlines()]
    return [(told["line"], told["status"], next(iter(told["body"].values()))) for told in answers]


async def test_every_line_has_its_answer_in_the_order_of_the_input() -> None:
    assert await post(b'{"a"', b":1}\n{}\r\n\n[1,", b"2]\nlast") == [(1, 200, 7), (2, 200, 3), (3, 200, 5), (4, 200, 4)]


async def test_an_empty_stream_has_no_answers() -> None:
    assert await post(b"") == [] and await post(b"\n \r\n") == []


async def test_a_line_at_the_limit_is_read_and_one_byte_more_is_refused_alone() -> None:
    limit = LIMITS.line_bytes
    lines = b"x" * limit + b"\n" + b"x" * (limit + 1) + b"\n" + b"y\n"
    cut = [lines[start : start + 10_000] for start in range(0, len(lines), 10_000)]
    expected = [(1, 200, limit), (2, 413, "line_too_large"), (3, 200, 1)]
    assert await post(lines) == expected
    assert await post(*cut) == expected


async def test_a_line_without_an_end_is_not_held_in_memory() -> None:
    assert await post(*[b"x" * 65_536] * 64) == [(1, 413, "line_too_large")]


async def test_the_stream_ends_with_a_refusal_at_the_first_line_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    class Few:
        stream_lines = 3
        line_bytes = 10

    monkeypatch.setattr(ndjson, "LIMITS", Few)
    assert (await post(b"1\n2\n3\n"))[-1] == (3, 200, 1)
    assert (await post(b"1\n2\n3\n4\n5\n"))[-1] == (4, 413, "too_many_lines")


async def test_answers_come_while_the_body_still_does() -> None:
    answered = asyncio.Event()
    parts = iter([b"1\n2\n", b"3\n"])

    async def receive() -> dict[str, Any]:
        part = next(parts)
        if part == b"3\n":
            await asyncio.wait_for(answered.wait(), 5)
        return {"type": "http.request", "body": part, "more_body": part != b"3\n"}

    async def send(message: Any) -> None:
        if message.get("body"):
            answered.set()

    scope = {"type": "http", "method": "POST", "path": "/v1/lines:batch", "headers": [], "query_string": b""}
    await an_app()({**scope, "root_path": ""}, receive, send)
    assert answered.is_set()
