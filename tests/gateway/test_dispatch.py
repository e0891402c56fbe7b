"""Which service answers which path."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from regulars_gateway.adapters.http.dispatch import Dispatch, ServiceMissing, routes_of

DOCUMENTS: dict[str, dict[str, Any]] = {
    "customer": {
        "paths": {
            "/v1/customers": {},
            "/v1/customers/{id}": {},
            "/v1/customers:search": {},
            "/v1/jobs/{id}": {},
            "/v1/dead-letters": {},
            "/healthz": {},
            "/internal/subjects/{id}": {},
        }
    },
    "loyalty": {
        "paths": {
            "/v1/purchases:batch": {},
            "/v1/purchases/{purchase_id}/returns": {},
            "/v1/ledger/entries/{id}/explain": {},
            "/v1/jobs/{id}": {},
            "/v1/dead-letters": {},
        }
    },
}


def an_app(name: str) -> Starlette:
    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse(name)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT"])])


DISPATCH = Dispatch({name: an_app(name) for name in DOCUMENTS}, DOCUMENTS)


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/customers", "customer"),
        ("/v1/customers:search", "customer"),
        ("/v1/customers/0197/anything/below", "customer"),
        ("/v1/purchases", "loyalty"),
        ("/v1/purchases:batch", "loyalty"),
        ("/v1/purchases/0197/void", "loyalty"),
        ("/v1/ledger/entries/0197/explain", "loyalty"),
        ("/v1/jobs/loyalty-0197", "loyalty"),
        ("/v1/jobs/customer-0197/cancel", "customer"),
        ("/v1/dead-letters/customer-0197/replay", "customer"),
        ("/v1/jobs/nobody-0197", None),
        ("/v1/jobs/0197", None),
        ("/v1/ledger", None),
        ("/v1/nothing", None),
        ("/v1", None),
        ("/v1/", None),
        ("/", None),
        ("/v2/customers", None),
        ("/healthz", None),
        ("/internal/subjects/0197", None),
        ("/v1/internal/subjects/0197", None),
        ("//internal/subjects/0197", None),
    ],
)
def test_a_path_belongs_to_the_service_that_documents_it(path: str, service: str | None) -> None:
    assert DISPATCH.service_of(path) == service


def test_a_list_that_each_service_keeps_is_asked_for_by_service() -> None:
    assert DISPATCH.service_of("/v1/dead-letters", b"service=loyalty&limit=5") == "loyalty"
    for query in (b"", b"service=", b"service=nobody", b"service=%FF"):
        with pytest.raises(ServiceMissing):
            DISPATCH.service_of("/v1/dead-letters", query)


def test_two_services_with_one_path_are_a_bug_found_at_the_start() -> None:
    both: dict[str, dict[str, Any]] = {
        "customer": {"paths": {"/v1/things": {}}},
        "loyalty": {"paths": {"/v1/things/{id}": {}}},
    }
    with pytest.raises(ValueError, match="/v1/things is claimed by customer and by loyalty"):
        routes_of(both)


async def test_requests_go_where_they_belong_and_the_rest_gets_a_problem() -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(DISPATCH), base_url="http://shop") as client:
        assert (await client.post("/v1/purchases:batch")).text == "loyalty"
        assert (await client.get("/v1/jobs/customer-0197")).text == "customer"
        unknown = await client.get("/v1/<script>")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
        assert "script" not in unknown.text
        whose = await client.get("/v1/dead-letters")
        assert (whose.status_code, whose.json()["code"]) == (422, "service_required")
        assert "customer, loyalty" in whose.json()["detail"]
