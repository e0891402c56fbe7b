"""A log is for machines and for years: one JSON object a line, and nobody's data in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog
from fastapi import FastAPI, Request
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.responses import Response
from starlette.routing import Route

from regulars_kit import observe
from regulars_kit.auth import Principal, Verifier, guarded
from regulars_kit.http import new_app
from regulars_kit.observe import REQUEST_ID, Metrics, set_up_logs, set_up_traces


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    logging.getLogger("uvicorn.access").disabled = False
    root.handlers, root.level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_records_of_structlog_and_of_libraries_are_json_lines_alike(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info")
    mark = REQUEST_ID.set("r-1")
    structlog.get_logger("regulars").info("relay active", topic="regulars.loyalty")
    logging.getLogger("some.library").warning("lost %s", "a connection")
    REQUEST_ID.reset(mark)
    ours, theirs = lines(capsys)
    assert ours["event"] == "relay active" and ours["topic"] == "regulars.loyalty" and ours["level"] == "info"
    assert theirs["event"] == "lost a connection" and theirs["level"] == "warning"
    assert ours["request_id"] == theirs["request_id"] == "r-1"


def test_what_is_less_severe_than_asked_for_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("uvicorn.access").warning("GET /v1/customers/anna@example.com")
    assert lines(capsys) == []


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_holds_no_values_of_variables(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    set_up_logs("info", as_json=as_json)
    email = "anna" + "@example.com"
    try:
        raise KeyError(len(email))
    except KeyError:
        structlog.get_logger().exception("request failed")
    logged = capsys.readouterr().err
    assert "KeyError" in logged and "anna" + "@example.com" not in logged


def test_each_service_counts_in_a_registry_of_its_own() -> None:
    loyalty, customer = Metrics(), Metrics()
    for _ in range(2):
        loyalty.count("GET", "/v1/x", 200, 0.001)
    labels = {"method": "GET", "route": "/v1/x", "status": "200"}
    assert loyalty.registry.get_sample_value("http_requests_total", labels) == 2
    assert customer.registry.get_sample_value("http_requests_total", labels) is None


def spans_of(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(observe, "_tracer", provider.get_tracer("test"))
    return exporter


async def ask(app: FastAPI, path: str, **headers: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client:
        await client.get(path, headers=headers)


def an_app() -> FastAPI:
    @guarded("public")
    async def get_customer(request: Request, principal: Principal) -> Response:
        return Response("Anna")

    app = new_app("Shop", "1", {}, None, Verifier({}, "shop"))
    app.router.routes.append(Route("/v1/customers/{email}", get_customer))
    return app


async def test_traces_go_on_where_the_caller_began_and_know_the_route_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = spans_of(monkeypatch)
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    await ask(an_app(), "/v1/customers/anna@example.com", traceparent=f"00-{trace_id}-b7ad6b7169203331-01")
    (span,) = exporter.get_finished_spans()
    assert span.name == "GET /v1/customers/{email}"
    assert span.context is not None and f"{span.context.trace_id:032x}" == trace_id
    assert dict(span.attributes or {}) == {"http.response.status_code": 200}


async def test_traces_are_sampled_and_off_until_they_are_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert observe.tracer() is None
    monkeypatch.setattr(observe, "_tracer", None)
    exporter = InMemorySpanExporter()
    set_up_traces("shop", exporter, ratio=0)
    assert observe.tracer() is not None
    await ask(an_app(), "/healthz")
    assert exporter.get_finished_spans() == ()
