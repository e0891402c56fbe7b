"""What anyone may ask without a key: whether the process is up. The API's description is the gateway's to show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from regulars_gateway.adapters.http.documents import PUBLIC_PATHS, STATIC
from regulars_kit.problems import problem_of
from regulars_kit.values import Unavailable

PROBES = frozenset({"/healthz", "/readyz"})


class Front:
    """The probes and the gateway's `documents` by their exact paths; everything else goes to the `door`."""

    def __init__(self, probes: ASGIApp, documents: ASGIApp, door: ASGIApp) -> None:
        self._probes = probes
        self._documents = documents
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._behind(scope.get("path"))(scope, receive, send)

    def _behind(self, path: str | None) -> ASGIApp:
        # Without a path it is the lifespan, which the probes' app keeps for all.
        if path is None or path in PROBES:
            return self._probes
        return self._documents if path in PUBLIC_PATHS or path.startswith(STATIC + "/") else self._door


def probes(
    check_ready: Callable[[], Awaitable[None]],
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None,
) -> ASGIApp:
    """`check_ready` returns when every service can answer and raises `Unavailable` otherwise."""

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(request: Request) -> Response:
        try:
            await check_ready()
        except Unavailable as away:
            return problem_of(away, {}).response()
        return JSONResponse({"status": "ready"})

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz)], lifespan=lifespan)
