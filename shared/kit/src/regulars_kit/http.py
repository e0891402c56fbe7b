"""A service's HTTP: FastAPI with strict bodies, problem documents for every error, health and metrics.

Make routes on a `Router` of this module: it reads bodies by `parse_strict`, which FastAPI's own does not.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from prometheus_client import REGISTRY
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from regulars_kit.auth import Verifier, open_to_all, route_scopes
from regulars_kit.health import healthz, metrics_of, readyz
from regulars_kit.middleware import Envelope, stream_body
from regulars_kit.observe import Metrics
from regulars_kit.pagination import decode_cursor, encode_cursor, etag, is_match, page
from regulars_kit.problems import (
    NotFound,
    Problem,
    Statuses,
    WrongContentType,
    problem_of,
)
from regulars_kit.strict_json import parse_strict
from regulars_kit.validation import InvalidRequest, read_model, request_errors, validate
from regulars_kit.values import Refused, Unavailable

__all__ = [
    "NotFound",
    "Problem",
    "Router",
    "StrictRoute",
    "decode_cursor",
    "encode_cursor",
    "etag",
    "is_match",
    "new_app",
    "page",
    "parse_strict",
    "problem_of",
    "problem_response",
    "read_json",
    "read_model",
    "stream_body",
    "validate",
]

OPENAPI_PATH = "/internal/openapi.json"
"""Where a service shows its own document, for the gateway, which merges them all."""

SCOPE_FIELD = "x-scope"
"""Where an operation of a service's document names the scope it asks for."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def new_app(
    title: str,
    version: str,
    statuses: Statuses,
    lifespan: Lifespan | None,
    verifier: Verifier,
) -> FastAPI:
    """An app with the house's habits. Its routes come by `include_router`; its document is for the gateway alone.

    `app.state` holds `verifier`, `statuses`, `metrics` (a registry per app) and `probes`, which `/readyz` asks.
    """
    # FastAPI's own telemetry would put paths into spans, and asks at each request whether it is on.
    silent: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
    app = StrictApp(title=title, version=version, lifespan=lifespan, openapi_url=None, telemetry=silent)
    app.router.route_class = StrictRoute
    app.state.verifier = verifier
    app.state.statuses = statuses
    app.state.metrics = Metrics()
    app.state.probes = ()
    app.state.templates = {}
    for refusal in (Refused, Unavailable):
        app.add_exception_handler(refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_middleware(Envelope, metrics=app.state.metrics)
    for path, answer in _PROBES.items():
        app.add_route(path, open_to_all(answer), methods=["GET"], include_in_schema=False)
    return app


class StrictRoute(APIRoute):
    """A route whose body is read by `parse_strict` before FastAPI validates it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_strictly(request: Request) -> Response:
            if await request.body():
                request._json = await read_json(request)  # where Starlette keeps a body it has parsed
            return await handle(request)

        return handle_strictly


class Router(APIRouter):
    """An APIRouter of strict routes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=StrictRoute, **options)


class StrictApp(FastAPI):
    """Refuses routers whose routes would read bodies the lenient way; has no layers but those used here."""

    def build_middleware_stack(self) -> ASGIApp:
        """Starlette's hook. Left out of FastAPI's own stack: its last resort for errors, its telemetry and its limit of
        bodies, which `Envelope` stands in for. Every purchase would pay for them."""
        stack: ASGIApp = AsyncExitStackMiddleware(self.router)
        stack = ExceptionMiddleware(stack, handlers=self.exception_handlers)
        for layer, arguments, options in reversed(self.user_middleware):
            stack = layer(stack, *arguments, **options)
        return stack

    def openapi(self) -> dict[str, Any]:
        """The document, in which every operation names its scope."""
        document = super().openapi()
        for route, scope in route_scopes(self).items():
            method, _, path = route.partition(" ")
            if scope and (operation := document["paths"].get(path, {}).get(method.lower())):
                operation[SCOPE_FIELD] = scope
        return document

    def include_router(self, router: APIRouter, **options: Any) -> None:
        if not issubclass(router.route_class, StrictRoute):
            raise TypeError("make this router with regulars_kit.http.Router: its bodies are not read strictly")
        super().include_router(router, **options)


async def read_json(request: Request) -> object:
    """The body of a request as `parse_strict` reads it; for plain routes. Raises `BodyRefused`, 413 or 415."""
    kind = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise WrongContentType("the body must be application/json")
    return parse_strict(await request.body())


def problem_response(request: Request, error: Refused | Unavailable) -> Response:
    """The problem document of an error. Raising it does the same; this is for answers that are built by hand."""
    return problem_of(error, request.app.state.statuses).response()


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused | Unavailable)
    return problem_response(request, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(request, InvalidRequest(request_errors(error.errors(), error.body)))


_ROUTING: dict[int, tuple[str, str]] = {
    404: ("not_found", "there is nothing at this address"),
    405: ("method_not_allowed", "this address does not answer to this method"),
}


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, detail = _ROUTING.get(error.status_code, ("http_error", "the request cannot be served"))
    return Problem(error.status_code, code, detail, headers=error.headers or {}).response()


async def _metrics(request: Request) -> Response:
    return metrics_of(request.app.state.metrics.registry, REGISTRY)


async def _openapi(request: Request) -> Response:
    return JSONResponse(request.app.openapi())


_PROBES = {"/healthz": healthz, "/readyz": readyz, "/metrics": _metrics, OPENAPI_PATH: _openapi}
