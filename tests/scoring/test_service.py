"""The service as a whole: its routes, what it says while its database is away, and requests that nobody thought of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error, response_schema_conformance
from schemathesis.core import NotSet
from schemathesis.core.result import Ok

from builders import ANNA
from regulars_kit.auth import HEADER, route_scopes
from regulars_kit.bus.memory import MemoryBus
from regulars_scoring.bootstrap import build
from scoring.shop import TODAY, Shop, Watch, a_sale, a_verifier, code_of, settings_for

AnyCase = Case[Any]

AWAY = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
CASES_EACH = 3


async def test_every_route_names_its_scope(untouched: Shop) -> None:
    assert [route for route, scope in route_scopes(untouched.service.app).items() if scope is None] == []


async def test_while_the_database_is_away_the_answer_is_to_try_again() -> None:
    service = build(settings_for(AWAY), MemoryBus(), a_verifier())
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://scoring") as client:
        response = await Shop(service, client, Watch()).send("GET", f"/v1/scores/{ANNA}")
    assert code_of(response) == (503, "unavailable")
    assert "Retry-After" in response.headers
    await service.database.close()


def cases_of(document: dict[str, Any], mode: GenerationMode) -> Iterator[AnyCase]:
    """Some requests to each operation, the same ones in every run: such as fit its schemas, or such as do not."""
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(result, Ok)
        yield from _some(result.ok().as_strategy(generation_mode=mode))


def _some(strategy: SearchStrategy[AnyCase]) -> list[AnyCase]:
    made: list[AnyCase] = []

    @settings(
        max_examples=CASES_EACH,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(case: AnyCase) -> None:
        made.append(case)

    with suppress(Unsatisfiable):  # what takes nothing cannot be sent anything wrong
        collect()
    return made


async def send(shop: Shop, case: AnyCase) -> httpx.Response:
    """The case as a client would send it, but for what is wrong with it."""
    case.headers.pop(HEADER, None)
    sent = case.as_transport_kwargs(base_url="http://scoring")
    body = {name: sent[name] for name in ("json", "data", "files") if sent.get(name) not in (None, NotSet)}
    if isinstance(body.get("data"), str | bytes):
        body["content"] = body.pop("data")
    headers = {**sent["headers"], HEADER: shop.token()}
    return await shop.client.request(sent["method"], sent["url"], params=sent.get("params"), headers=headers, **body)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_whatever_comes_is_answered(scored: Shop, mode: GenerationMode) -> None:
    await scored.hear(a_sale(1000, TODAY))
    statuses = set()
    for case in cases_of(scored.service.app.openapi(), mode):
        if "customer_id" in case.path_parameters:
            case.path_parameters["customer_id"] = str(ANNA)
        response = await send(scored, case)
        checks = [not_a_server_error, response_schema_conformance] if response.is_success else [not_a_server_error]
        case.validate_response(response, checks=checks)
        statuses.add(response.status_code)
    assert (200 if mode is GenerationMode.POSITIVE else 422) in statuses, "they got as far as the use cases"
