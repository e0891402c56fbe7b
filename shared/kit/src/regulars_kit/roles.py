"""A service as its processes see it: what it is made of, and the loops of its three roles.

`serve` answers HTTP, `consume` handles events and runs schedules and jobs, `relay` publishes the outbox. The embedded
run puts the same loops into one process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from fastapi import FastAPI

from regulars_kit.bus import Bus
from regulars_kit.db import Database
from regulars_kit.health import health_app
from regulars_kit.inbox import Consumer
from regulars_kit.job_runner import JobRunner, JobWork
from regulars_kit.lifecycle import Loop, listen, run_loops, serving
from regulars_kit.relay import Relay
from regulars_kit.schedules import Schedule, run_schedules


@dataclass(frozen=True, slots=True)
class Service:
    """What a bootstrap builds. `consumer` None: the service listens to no other. `jobs` maps a kind to its work.
    `loops` are what else `consume` runs behind the requests, in any number of processes, such as sending messages.

    The app is ready when the database answers: a till needs no more.
    """

    name: str
    app: FastAPI
    database: Database
    relay: Relay
    consumer: Consumer | None = None
    schedules: Sequence[Schedule] = ()
    jobs: Mapping[str, JobWork] = field(default_factory=dict)
    loops: Sequence[Loop] = ()

    def __post_init__(self) -> None:
        self.app.state.probes = (self.database.ping,)

    def consume_loops(self) -> list[Loop]:
        """The consumer, the schedules, the jobs and the rest: what may run in any number of processes."""
        loops: list[Loop] = [*self.loops]
        if self.consumer is not None:
            loops.append(self.consumer.run)
        if self.schedules:
            loops.append(partial(run_schedules, self.database, self.schedules))
        if self.jobs:
            loops.append(JobRunner(self.database, self.jobs).run)
        return loops

    def background_loops(self) -> list[Loop]:
        """All that goes on behind the requests when one process does everything."""
        return [self.relay.run, *self.consume_loops()]


async def run_serve(service: Service, host: str, port: int, *, stop: asyncio.Event | None = None) -> None:
    """Serve the app until SIGTERM, or `stop`. Raises OSError when the port is taken."""
    listener = listen(host, port)
    await run_loops([serving(service.app, listener), service.relay.notify], stop=stop)


async def run_consume(
    service: Service, bus: Bus, host: str, health_port: int, *, stop: asyncio.Event | None = None
) -> None:
    """Handle events and run schedules and jobs until SIGTERM, or `stop`; health and metrics on `health_port`."""
    health = _health(service, bus, host, health_port)
    await run_loops([health, service.relay.notify, *service.consume_loops()], stop=stop)


async def run_relay(
    service: Service, bus: Bus, host: str, health_port: int, *, stop: asyncio.Event | None = None
) -> None:
    """Publish the outbox, or stand by for the relay that does, until SIGTERM, or `stop`."""
    await run_loops([_health(service, bus, host, health_port), service.relay.run], stop=stop)


def _health(service: Service, bus: Bus, host: str, port: int) -> Loop:
    return serving(health_app((service.database.ping, bus.ping)), listen(host, port))
