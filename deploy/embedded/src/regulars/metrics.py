"""The services' metrics as one page: each keeps a registry of its own, and their names are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


def metrics_page(registries: Mapping[str, CollectorRegistry]) -> ASGIApp:
    """Service name -> its registry, told apart by the label `service`; what the process shares goes without."""
    whole = CollectorRegistry()
    whole.register(_ByService(registries))

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        page = Response(generate_latest(REGISTRY) + generate_latest(whole), media_type=CONTENT_TYPE_LATEST)
        await page(scope, receive, send)

    return answer


class _ByService(Collector):
    def __init__(self, registries: Mapping[str, CollectorRegistry]) -> None:
        self._registries = registries

    def collect(self) -> Iterator[Metric]:
        """One metric of each name, with the samples of all services: a name may be described only once."""
        whole: dict[str, Metric] = {}
        for service, registry in self._registries.items():
            for metric in registry.collect():
                known = whole.setdefault(
                    metric.name, Metric(metric.name, metric.documentation, metric.type, metric.unit)
                )
                known.samples += [s._replace(labels={**s.labels, "service": service}) for s in metric.samples]
        yield from whole.values()
