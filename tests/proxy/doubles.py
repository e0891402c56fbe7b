"""What stands behind nginx in its tests: services that say what reached them, and a gateway that knows one key."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

GOOD = "Bearer rk_good"


class Gateway:
    """Answers `GET /internal/authorise`; `checks` counts its questions by (Authorization, audience)."""

    def __init__(self) -> None:
        self.keys = {GOOD}
        self.checks: Counter[tuple[str, str]] = Counter()
        self.app = Starlette(
            routes=[
                Route("/internal/authorise", self._authorise),
                Route("/{path:path}", said_by("gateway"), methods=["GET", "POST", "PUT"]),
            ]
        )

    async def _authorise(self, request: Request) -> Response:
        key, audience = request.headers.get("authorization", ""), request.headers["x-regulars-audience"]
        self.checks[key, audience] += 1
        if key in self.keys:
            return Response(status_code=204, headers={"X-Regulars-Principal": f"{key}->{audience}"})
        code = "api_key_unknown" if key else "api_key_required"
        headers = {"WWW-Authenticate": 'Bearer realm="regulars"', "X-Regulars-Code": code}
        return Response(status_code=401, headers=headers)


def said_by(service: str) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that says what reached it, and does as it is told by `?`: `status`, `hang`."""

    async def say(request: Request) -> Response:
        if "hang" in request.query_params:
            await asyncio.sleep(3600)
        if request.url.path.endswith(":batch"):
            return Streamed()
        status = int(request.query_params.get("status", "200"))
        said = {
            "service": service,
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "headers": dict(request.headers),
            "body": len(await request.body()),
        }
        return JSONResponse(said, status, headers={"X-Request-Id": request.headers["x-request-id"]})

    return say


class Streamed(Response):
    """Says of each piece of the body how long it is, while the body is still arriving.

    Starlette's own streaming response would take the body for itself, to see whether the client is still there.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        is_more = True
        while is_more:
            piece = await receive()
            is_more = piece.get("more_body", False)
            said = b'{"bytes":%d}\n' % len(piece.get("body", b""))
            await send({"type": "http.response.body", "body": said, "more_body": is_more})


def service(name: str) -> Starlette:
    return Starlette(routes=[Route("/{path:path}", said_by(name), methods=["GET", "POST", "PUT", "PATCH", "DELETE"])])
