"""What a process says about itself: JSON logs, Prometheus metrics, sampled traces.

Logs and metrics know a request by its route's template (`/v1/customers/{id}`), never by its path or query: those hold
identifiers, and an identifier in a log is personal data that no erasure reaches.
"""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar

import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from prometheus_client import CollectorRegistry, Counter, Histogram

# A till waits for this answer; the buckets are dense where its patience is.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
# Without the values of local variables, which structlog adds by default: those are customers' data.
_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request being answered; every record logged meanwhile carries it."""


def _add_request_id(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if (request_id := REQUEST_ID.get()) is not None:
        event["request_id"] = request_id
    return event


def set_up_logs(level: str = "info", *, as_json: bool = True) -> None:
    """Send structlog's and the standard library's records to stderr: one JSON object a line, or text."""
    shared: list[structlog.typing.Processor] = [
        _add_request_id,
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ends: list[structlog.typing.Processor] = (
        [_TRACEBACKS, structlog.processors.JSONRenderer()]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ends]
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # Uvicorn's access log names paths; requests are logged by their route instead.
    logging.getLogger("uvicorn.access").disabled = True


class Metrics:
    """One service's requests, in a registry of its own, so that several services can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "http_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "http_request_seconds",
            "Time from the request's head to the answer's end.",
            ["method", "route"],
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request answered. `route` is a template and `method` a known one: each pair is a time series."""
        # Looking up a labelled child takes longer than counting; the keys are as few as the series.
        children = self._children.get((method, route, status))
        if children is None:
            children = self._requests.labels(method, route, str(status)), self._seconds.labels(method, route)
            self._children[method, route, status] = children
        children[0].inc()
        children[1].observe(seconds)


def set_up_traces(service: str, exporter: SpanExporter, *, ratio: float = 0.01) -> None:
    """Sample `ratio` of the requests that bring no trace of their own and hand the spans to `exporter`.

    Tracing every request costs more than answering it (143 µs became 406), hence one in a hundred.
    """
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"regulars-{service}"}), sampler=ParentBased(TraceIdRatioBased(ratio))
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    # Not OpenTelemetry's global provider: libraries that find one there put paths and statements into spans.
    global _tracer
    _tracer = provider.get_tracer("regulars")


_tracer: trace.Tracer | None = None


def tracer() -> trace.Tracer | None:
    """The process's tracer, None while traces are off: even a span that records nothing costs several microseconds."""
    return _tracer
