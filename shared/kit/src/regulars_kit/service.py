"""What a service's bootstrap and `__main__` need of the kit, in one place."""

from __future__ import annotations

from regulars_kit.command import main
from regulars_kit.job_runner import JobWork
from regulars_kit.lifecycle import Loop, run_loops
from regulars_kit.roles import Service, run_consume, run_relay, run_serve
from regulars_kit.schedules import Schedule
from regulars_kit.settings import ServiceSettings

__all__ = [
    "JobWork",
    "Loop",
    "Schedule",
    "Service",
    "ServiceSettings",
    "main",
    "run_consume",
    "run_loops",
    "run_relay",
    "run_serve",
]
