"""What stands around every request: one thin ASGI layer, since each costs the till's path a few microseconds.

It gives the request an id, bounds its body while it is read, counts it by route, and turns what nobody expected into
a problem document instead of a dropped connection.
"""

from __future__ import annotations

import logging
import os
import re
import time

import structlog
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from opentelemetry import trace
from opentelemetry.propagate import extract
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regulars_kit.limits import LIMITS
from regulars_kit.observe import REQUEST_ID, Metrics, tracer
from regulars_kit.problems import BodyTooLarge, Problem

_BODY_LIMIT = "regulars.body_limit"
_WELL_FORMED_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger("regulars.http")


def stream_body(request: Request) -> None:
    """Lift the limit of a whole body for this request: its endpoint reads line by line and bounds those."""
    request.scope[_BODY_LIMIT] = None


class Envelope:
    """The layer. `metrics` counts each request once, under its route's template or `unmatched`."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        # Built with the first request, when the process has set up its traces and logs.
        self._tracer = tracer()
        self._logs_all = logging.getLogger().isEnabledFor(logging.DEBUG)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        mark = REQUEST_ID.set(exchange.request_id)
        try:
            await self._answer(scope, exchange)
        finally:
            self._count(scope, exchange)
            REQUEST_ID.reset(mark)

    async def _answer(self, scope: Scope, exchange: _Exchange) -> None:
        try:
            if self._tracer is None:
                await self._app(scope, exchange.receive, exchange.send)
            else:
                await self._traced(self._tracer, scope, exchange)
        except ClientDisconnect:
            exchange.status = 499  # nginx's number for a client that went away
        except Exception:
            # The outermost loop of a request: whatever escapes every handler is ours to log, not the client's to read.
            log.exception("request failed", method=scope["method"], route=route_of(scope))
            if exchange.status:
                raise  # the answer's head is out: only a broken connection can say that the rest is missing
            problem = Problem(500, "internal_error", f"an error of ours; request {exchange.request_id} is in the log")
            await problem.response()(scope, exchange.receive, exchange.send)

    async def _traced(self, tracer: trace.Tracer, scope: Scope, exchange: _Exchange) -> None:
        parent = exchange.headers.get(b"traceparent")
        context = extract({"traceparent": parent.decode("latin-1")}) if parent else None
        with tracer.start_as_current_span(scope["method"], context, kind=trace.SpanKind.SERVER) as span:
            await self._app(scope, exchange.receive, exchange.send)
            if span.is_recording():
                span.update_name(f"{scope['method']} {route_of(scope)}")
                span.set_attribute("http.response.status_code", exchange.status)

    def _count(self, scope: Scope, exchange: _Exchange) -> None:
        route, method = route_of(scope), scope["method"]
        if method not in _METHODS:
            method = "other"  # a client's invention must not become a time series
        seconds = time.perf_counter() - exchange.began
        self._metrics.count(method, route, exchange.status, seconds)
        if self._logs_all:
            log.debug("answered", method=method, route=route, status=exchange.status, seconds=seconds)


class _Exchange:
    """One request and its answer as they pass: bytes read, status sent."""

    __slots__ = ("_read", "_receive", "_scope", "_send", "began", "headers", "request_id", "status")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self.began = time.perf_counter()
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        given = self.headers.get(b"x-request-id")
        self.request_id = given.decode() if given and _WELL_FORMED_ID.fullmatch(given) else os.urandom(16).hex()
        self.status = 0
        self._read = 0

    async def receive(self) -> Message:
        message = await self._receive()
        # Read lazily: the route has been found by now, and may have lifted the limit.
        limit = self._scope.get(_BODY_LIMIT, LIMITS.body_bytes)
        if limit is not None and message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            if max(self._read, self._announced()) > limit:
                raise BodyTooLarge(f"a body may have at most {limit} bytes")
        return message

    def _announced(self) -> int:
        length = self.headers.get(b"content-length", b"0")
        return int(length) if length.isdigit() else 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.request_id.encode())]
        await self._send(message)


def route_of(scope: Scope) -> str:
    """The template of the route that answers, such as `/v1/customers/{id}`; `unmatched` where none does."""
    endpoint = scope.get("endpoint")
    if endpoint is None:
        return "unmatched"
    # FastAPI keeps a router's prefix apart from its routes and says nothing of plain ones: looked up by endpoint.
    app: FastAPI = scope["app"]
    templates: dict[object, str] = app.state.templates
    if endpoint not in templates:
        templates.update({context.endpoint: context.path or "" for context in iter_route_contexts(app.routes)})
    return templates.get(endpoint, "unmatched")
