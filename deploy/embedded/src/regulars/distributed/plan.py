"""Which processes a run has, in the order in which they are started: from the table of services, and free ports."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from regulars.distributed.child import Command
from regulars.distributed.services import Entry, Ground, Role
from regulars.ports import free_ports


@dataclass(frozen=True, slots=True)
class Plan:
    """`upstreams`: service -> the ports of its `serve` processes."""

    relays: Sequence[Command]
    consumers: Sequence[Command]
    servers: Sequence[Command]
    upstreams: Mapping[str, Sequence[int]]
    authorise_port: int


def plan_of(entries: Sequence[Entry], ground: Ground, logs: Path) -> Plan:
    """Each service's processes; `logs` is the folder of what they write."""
    ports = iter(free_ports(1 + sum(entry.serves + 2 for entry in entries)))
    authorise_port = next(ports)

    def commands(entry: Entry, role: Role, count: int) -> list[Command]:
        numbers = [f".{number}" if count > 1 else "" for number in range(1, count + 1)]
        return [_command(entry, role, number, next(ports), ground, logs) for number in numbers]

    serves = {entry.name: commands(entry, "serve", entry.serves) for entry in entries}
    return Plan(
        relays=list(chain.from_iterable(commands(entry, "relay", 1) for entry in entries)),
        consumers=list(chain.from_iterable(commands(entry, "consume", 1) for entry in entries)),
        servers=list(chain.from_iterable(serves.values())),
        upstreams={name: [c.ready_at for c in made if c.ready_at is not None] for name, made in serves.items()},
        authorise_port=authorise_port,
    )


def _command(entry: Entry, role: Role, number: str, port: int, ground: Ground, logs: Path) -> Command:
    name = f"{entry.name}.{role}{number}"
    setting = "PORT" if role == "serve" else "HEALTH_PORT"
    return Command(
        name=name,
        arguments=[sys.executable, "-m", entry.package, role],
        log_path=logs / f"{name}.log",
        environment=entry.environment(ground) | {f"REGULARS_{entry.name.upper()}_{setting}": str(port)},
        ready_at=port,
    )
