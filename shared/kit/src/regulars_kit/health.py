"""Alive, ready, metrics: the three pages of every process, whether it serves an API or works behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars_kit.problems import problem_of
from regulars_kit.values import Unavailable

Probe = Callable[[], Awaitable[None]]
"""Returns when what it asks is ready; raises `Unavailable` when not."""


async def healthz(request: Request) -> Response:
    """Alive: the loop turns."""
    return Response("ok\n", media_type="text/plain")


async def readyz(request: Request) -> Response:
    """Ready when every probe of `app.state.probes` returns; otherwise 503 with the first one's reason.

    Lag is a metric and an alarm, never a reason to be unready.
    """
    try:
        for probe in request.app.state.probes:
            await probe()
    except Unavailable as away:
        return problem_of(away, {}).response()
    return Response("ready\n", media_type="text/plain")


def metrics_of(*registries: CollectorRegistry) -> Response:
    """The registries in Prometheus' text format."""
    return Response(b"".join(map(generate_latest, registries)), media_type=CONTENT_TYPE_LATEST)


def health_app(probes: Sequence[Probe]) -> Starlette:
    """The three pages alone, for a process without an API. Its metrics are those of the process."""

    async def metrics(request: Request) -> Response:
        return metrics_of(REGISTRY)

    app = Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])
    app.state.probes = tuple(probes)
    return app
