"""Whatever happens to a customer, in whatever order and however often: her points are what a naive count says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from loyalty.drivers import Driver, InMemory, OverHttp
from loyalty.machine import AnnasYear
from regulars.postgres import PostgresServer
from regulars_kit.migrations import migrate

STEPS = 50


def live_through(open_driver: Callable[[], Driver], years: int) -> None:
    """Let that many of Anna's years happen, each otherwise than the others."""
    machine: Any = lambda: AnnasYear(open_driver)  # noqa: E731
    how = settings(max_examples=years, stateful_step_count=STEPS, deadline=None)
    run_state_machine_as_test(cast(type[RuleBasedStateMachine], machine), settings=how)


def test_the_use_cases_agree_with_a_naive_count() -> None:
    live_through(InMemory, years=200)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that stands still between the requests: the machine is none that waits."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def test_the_service_agrees_with_a_naive_count_over_http_on_postgresql(
    postgres: PostgresServer, loop: asyncio.AbstractEventLoop
) -> None:
    template = "template_of_annas_year"
    loop.run_until_complete(migrate(loop.run_until_complete(postgres.create_database(template)), "regulars_loyalty"))
    live_through(lambda: OverHttp(postgres, template, loop), years=20)
