"""The services' metrics as one page: each keeps a registry of its own, and their names are the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Registries = Mapping[str, CollectorRegistry]


def metrics_page(registries: Registries, behind: Callable[[], Awaitable[str]]) -> ASGIApp:
    """This process's metrics and those of the one behind, told apart by the label `process`."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        parts = {"front": metrics_text(registries).decode(), "behind": await behind()}
        families = (
            _labelled(metric, "process", process)
            for process, page in parts.items()
            for metric in text_string_to_metric_families(page)
        )
        page = Response(_text(families), media_type=CONTENT_TYPE_LATEST)
        await page(scope, receive, send)

    return answer


def metrics_text(registries: Registries) -> bytes:
    """Service name -> its registry, told apart by the label `service`; what the process shares goes without."""
    of_services = (
        _labelled(metric, "service", service)
        for service, registry in registries.items()
        for metric in registry.collect()
    )
    return generate_latest(REGISTRY) + _text(of_services)


def _labelled(metric: Metric, label: str, value: str) -> Metric:
    labelled = Metric(metric.name, metric.documentation, metric.type, metric.unit)
    labelled.samples = [s._replace(labels={**s.labels, label: value}) for s in metric.samples]
    return labelled


def _text(families: Iterable[Metric]) -> bytes:
    """One metric of each name, with the samples of all: a name may be described only once."""
    whole: dict[str, Metric] = {}
    for metric in families:
        whole.setdefault(
            metric.name, Metric(metric.name, metric.documentation, metric.type, metric.unit)
        ).samples += metric.samples
    registry = CollectorRegistry()
    registry.register(_Told(list(whole.values())))
    return generate_latest(registry)


class _Told(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return iter(self._metrics)
