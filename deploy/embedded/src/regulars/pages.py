"""What anyone may read without a key: the API's description and its pages, and whether the process is up."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from regulars_kit.problems import problem_of
from regulars_kit.values import Unavailable

PUBLIC_PATHS = frozenset({"/docs", "/openapi.json", "/healthz", "/readyz"})
_STATIC = "/docs/static"


class Front:
    """The public pages by their exact paths; everything else goes to the `door`."""

    def __init__(self, pages: ASGIApp, door: ASGIApp) -> None:
        self._pages = pages
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path")
        # Without a path it is the lifespan, which the pages' app keeps for all.
        public = path is None or path in PUBLIC_PATHS or path.startswith(_STATIC + "/")
        await (self._pages if public else self._door)(scope, receive, send)


def public_pages(
    document: dict[str, Any],
    check_ready: Callable[[], Awaitable[None]],
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None,
) -> ASGIApp:
    """`check_ready` returns when every service can answer and raises `Unavailable` otherwise."""

    async def openapi(request: Request) -> Response:
        return JSONResponse(document)

    async def docs(request: Request) -> Response:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Regulars",
            swagger_js_url=f"{_STATIC}/swagger-ui-bundle.js",
            swagger_css_url=f"{_STATIC}/swagger-ui.css",
            swagger_favicon_url=f"{_STATIC}/favicon.png",
        )

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(request: Request) -> Response:
        try:
            await check_ready()
        except Unavailable as away:
            return problem_of(away, {}).response()
        return JSONResponse({"status": "ready"})

    return Starlette(
        routes=[
            Route("/openapi.json", openapi),
            Route("/docs", docs),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Mount(_STATIC, StaticFiles(directory=_swagger_ui())),
        ],
        lifespan=lifespan,
    )


def _swagger_ui() -> Path:
    """Swagger UI's files as they come in a wheel: a laptop without a network has its documentation too."""
    spec = importlib.util.find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package fastapi-offline is missing")
    return Path(spec.origin).parent / "static"
