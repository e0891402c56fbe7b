"""Requests that nobody thought of: whatever comes, the answer is one of the documented ones, and never a 500."""

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
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core import NotSet
from schemathesis.core.result import Ok

from builders import ANNA
from loyalty.shop import Shop
from regulars_kit.auth import HEADER

AnyCase = Case[Any]

CASES_EACH = 8
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def cases_of(document: dict[str, Any], mode: GenerationMode) -> Iterator[AnyCase]:
    """Some requests to each operation, the same ones in every run: such as fit its schemas, or such as do not."""
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(result, Ok)
        if result.ok().path == "/v1/purchases:batch":
            continue  # text of any kind; its lines are what PUT is tried with
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


async def send(club: Shop, case: AnyCase) -> httpx.Response:
    """The case as a till would send it, but for what is wrong with it."""
    case.headers.pop(HEADER, None)
    sent = case.as_transport_kwargs(base_url="http://loyalty")
    body = {name: sent[name] for name in ("json", "data", "files") if sent.get(name) not in (None, NotSet)}
    if isinstance(body.get("data"), str | bytes):
        body["content"] = body.pop("data")
    headers = {**sent["headers"], HEADER: club.token()}
    return await club.client.request(sent["method"], sent["url"], params=sent.get("params"), headers=headers, **body)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_every_answer_is_a_documented_one(club: Shop, mode: GenerationMode) -> None:
    await club.sell(10000)
    statuses = set()
    for case in cases_of(club.service.app.openapi(), mode):
        if "customer_id" in case.path_parameters:
            case.path_parameters["customer_id"] = str(ANNA)
        response = await send(club, case)
        case.validate_response(response, checks=CHECKS)
        statuses.add(response.status_code)
    assert (200 if mode is GenerationMode.POSITIVE else 422) in statuses, "they got as far as the use cases"
