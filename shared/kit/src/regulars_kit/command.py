"""The command of a service: `python -m regulars_<service> serve | consume | relay | migrate`, and what it adds."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import uvloop
from opentelemetry.sdk.trace.export import SpanExporter
from pydantic import ValidationError

from regulars_kit.auth import Verifier
from regulars_kit.bus import Bus
from regulars_kit.bus.postgres import PostgresBus
from regulars_kit.migrations import migrate
from regulars_kit.observe import set_up_logs, set_up_traces
from regulars_kit.roles import Service, run_consume, run_relay, run_serve
from regulars_kit.settings import ServiceSettings, faults_of
from regulars_kit.values import Unavailable

Settings = TypeVar("Settings", bound=ServiceSettings)
Build = Callable[[Settings, Bus, Verifier], Service]
Role = Callable[[Service, Bus, ServiceSettings], Awaitable[None]]


async def _serve(service: Service, bus: Bus, settings: ServiceSettings) -> None:
    await run_serve(service, settings.host, settings.port)


async def _consume(service: Service, bus: Bus, settings: ServiceSettings) -> None:
    await run_consume(service, bus, settings.host, settings.health_port)


async def _relay(service: Service, bus: Bus, settings: ServiceSettings) -> None:
    await run_relay(service, bus, settings.host, settings.health_port)


ROLES: Mapping[str, Role] = {"serve": _serve, "consume": _consume, "relay": _relay}


def main(
    name: str,
    build: Build[Settings],
    settings_class: type[Settings],
    package: str,
    *,
    commands: Mapping[str, Role] | None = None,
    arguments: Sequence[str] | None = None,
) -> None:
    """Run one role of the service `name`, with settings from the environment. Ends the process with 1 when it cannot.

    `commands` adds a service's own (`replay`, `rebuild`); `arguments` stand in for those of the command line.
    """
    roles = {**ROLES, **(commands or {})}
    parser = argparse.ArgumentParser(prog=f"regulars-{name}", description=f"The {name} service of Regulars.")
    parser.add_argument("role", choices=[*roles, "migrate"])
    role: str = parser.parse_args(arguments).role
    try:
        settings = settings_class()
        _set_up(name, settings)
        if role == "migrate":
            _in_loop(migrate(settings.database_url, package))
        else:
            _in_loop(_run(name, roles[role], build, settings))
    except ValidationError as error:
        sys.exit(faults_of(error, settings_class.model_config.get("env_prefix", "")))
    except (Unavailable, OSError, ValueError) as error:
        sys.exit(f"regulars-{name} {role}: {error}")


def _in_loop(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


async def _run(name: str, role: Role, build: Build[Settings], settings: Settings) -> None:
    verifier = verifier_from(settings, name)
    bus = bus_from(settings)
    try:
        service = build(settings, bus, verifier)
        try:
            await role(service, bus, settings)
        finally:
            await service.database.close()
    finally:
        await bus.close()


def bus_from(settings: ServiceSettings) -> Bus:
    """The bus the settings name."""
    if settings.bus == "postgres":
        return PostgresBus(settings.bus_url)
    # Imported here, like the exporter below, since most processes start sooner without.
    from regulars_kit.bus.kafka import KafkaBus

    return KafkaBus(settings.bus_url)


def verifier_from(settings: ServiceSettings, service: str) -> Verifier:
    """Trusts the door's key for principals meant for `service`. Raises ValueError when none is set, or OSError."""
    if settings.principal_public_key is None:
        raise ValueError("no principal_public_key is set: the service would not know whom to trust")
    return Verifier({settings.principal_issuer: settings.principal_public_key.read_text()}, service)


def _set_up(name: str, settings: ServiceSettings) -> None:
    set_up_logs(settings.log_level, as_json=settings.log_format == "json")
    if settings.traces_endpoint:
        set_up_traces(name, _exporter(settings.traces_endpoint), ratio=settings.traces_ratio)


def _exporter(endpoint: str) -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint)
