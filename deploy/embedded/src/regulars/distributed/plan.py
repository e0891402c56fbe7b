"""Which processes a run has, in the order in which they are started: from the table of services, and free ports."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from regulars.distributed.child import Command
from regulars.distributed.services import Entry, Ground, Role
from regulars.ports import free_ports

BEHIND_NICENESS = 10
"""Of `consume`, `relay` and the broker: on one machine they share its processors with those that a till waits for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`upstreams`: service -> the ports of its `serve` processes."""

    relays: list[Command]
    consumers: list[Command]
    servers: list[Command]
    upstreams: Mapping[str, Sequence[int]]
    authorise_port: int


def plan_of(entries: Sequence[Entry], ground: Ground, logs: Path) -> Plan:
    """Each service's processes; `logs` is the folder of what they write."""
    counts = [entry.serves + 2 for entry in entries]
    authorise_port, *ports = free_ports(1 + sum(counts))
    shares = {entry.name: [ports.pop() for _ in range(count)] for entry, count in zip(entries, counts, strict=True)}
    upstreams = {name: share[2:] for name, share in shares.items()}
    ground = replace(ground, addresses={name: f"http://127.0.0.1:{first}" for name, (first, *_) in upstreams.items()})
    plan = Plan([], [], [], upstreams, authorise_port)
    for entry in entries:
        relay, consume, *serves = shares[entry.name]
        plan.relays.append(_command(entry, "relay", "", relay, ground, logs))
        plan.consumers.append(_command(entry, "consume", "", consume, ground, logs))
        for number, port in enumerate(serves, start=1):
            plan.servers.append(_command(entry, "serve", f".{number}" if len(serves) > 1 else "", port, ground, logs))
    return plan


def _command(entry: Entry, role: Role, number: str, port: int, ground: Ground, logs: Path) -> Command:
    name = f"{entry.name}.{role}{number}"
    setting = "PORT" if role == "serve" else "HEALTH_PORT"
    return Command(
        name=name,
        arguments=[sys.executable, "-m", entry.package, role],
        log_path=logs / f"{name}.log",
        environment=entry.environment(ground) | {f"REGULARS_{entry.name.upper()}_{setting}": str(port)},
        ready_at=port,
        niceness=0 if role == "serve" else BEHIND_NICENESS,
    )
