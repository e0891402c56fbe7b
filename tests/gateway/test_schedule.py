"""When the next attempt is due, and when an endpoint is given up: laws, without a receiver."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.desk import settings_for
from regulars_gateway.adapters.webhooks.sending import retry_after_s
from regulars_gateway.domain.attempts import Attempt, State, next_step
from regulars_gateway.domain.health import GIVEN_UP_AFTER, HEALTHY, PROBED_AFTER, Health, judge
from regulars_gateway.settings import Settings

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
SCHEDULE = Settings(database_url="postgresql+asyncpg://x/x").terms().schedule
EVERY = timedelta(seconds=5)

statuses = st.one_of(st.none(), st.integers(100, 599))
attempts = st.builds(
    Attempt,
    at=st.integers(0, 10_000).map(lambda s: NOON + timedelta(seconds=s)),
    duration_ms=st.just(1),
    status=statuses,
    retry_after_s=st.one_of(st.none(), st.floats(0, 1e9)),
)


def failed(at: datetime = NOON, **said: object) -> Attempt:
    return Attempt(**{"at": at, "duration_ms": 1, "status": 500, **said})  # type: ignore[arg-type]


def test_the_waits_are_five_seconds_to_ten_hours_and_then_it_is_exhausted() -> None:
    waits = []
    for tries in range(7):
        step = next_step(tries, failed(), SCHEDULE, jitter=0)
        assert step.state is State.PENDING and step.next_at is not None
        waits.append((step.next_at - NOON).total_seconds())
    assert waits == [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600]
    assert next_step(7, failed(), SCHEDULE, jitter=0).state is State.EXHAUSTED


@given(st.integers(0, 20), attempts, st.floats(0, 1))
def test_an_attempt_delivers_or_waits_at_least_as_long_as_the_schedule_and_ends(
    tries: int, attempt: Attempt, jitter: float
) -> None:
    step = next_step(tries, attempt, SCHEDULE, jitter)
    assert step.tries == tries + 1
    assert (step.state is State.DELIVERED) == attempt.succeeded
    assert (step.next_at is not None) == (step.state is State.PENDING)
    if step.next_at is not None:
        wait = step.next_at - attempt.at
        assert SCHEDULE[tries] <= wait <= max(SCHEDULE[tries] * 2, timedelta(days=1))
        if attempt.retry_after_s is not None:
            assert wait >= min(timedelta(seconds=attempt.retry_after_s), timedelta(days=1))


@given(st.lists(attempts, max_size=60))
def test_an_endpoint_s_record_is_what_came_since_its_last_success(made: list[Attempt]) -> None:
    tail: list[Attempt] = []
    for attempt in made:
        tail = [] if attempt.succeeded else [*tail, attempt]
        if attempt.status == 410:
            break
    health = judge(HEALTHY, made, EVERY).health
    assert health.failures_in_row == len(tail)
    assert health.failing_since == (tail[0].at if tail else None)
    assert health.is_probed == (len(tail) >= PROBED_AFTER)


@given(st.lists(attempts, max_size=30), st.integers(0, 30))
def test_judged_together_or_one_after_the_other_the_verdict_is_the_same(made: list[Attempt], cut: int) -> None:
    first = judge(HEALTHY, made[:cut], EVERY)
    whole = judge(HEALTHY, made, EVERY)
    assert (first if first.give_up else judge(first.health, made[cut:], EVERY)) == whole


def test_after_five_days_of_failures_an_endpoint_is_given_up() -> None:
    since = NOON - GIVEN_UP_AFTER
    assert judge(Health(30, since + timedelta(seconds=1)), [failed()], EVERY).give_up is None
    assert judge(Health(30, since), [failed()], EVERY).give_up == "failing"
    assert judge(Health(30, since), [failed(status=200)], EVERY).give_up is None
    assert judge(HEALTHY, [failed(status=410)], EVERY).give_up == "gone"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("Wed, 25 Nov 2026 12:01:00 GMT", 60),
        ("Wed, 25 Nov 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("1e9", None),
        (None, None),
        ("9" * 400, 999_999_999),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOON) == seconds


def test_settings_are_read_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_GATEWAY_ALLOWED_NETWORKS", "127.0.0.0/8, 10.1.0.0/16,fd00::/8")
    monkeypatch.setenv("REGULARS_GATEWAY_RETRY_SCHEDULE_S", "1,2.5")
    monkeypatch.setenv("REGULARS_GATEWAY_MORE_SCOPES", "a:read,b:write")
    settings = Settings(database_url="postgresql+asyncpg://x/x")
    assert [str(network) for network in settings.allowed_networks] == ["127.0.0.0/8", "10.1.0.0/16", "fd00::/8"]
    assert list(settings.terms().schedule) == [timedelta(seconds=1), timedelta(seconds=2.5)]
    assert settings.more_scopes == {"a:read", "b:write"}
    with pytest.raises(ValueError):
        settings_for("x", allowed_networks="nonsense")
