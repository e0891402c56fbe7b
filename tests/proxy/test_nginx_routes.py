"""nginx sends each address to the service that has it, and nothing anywhere else."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from proxy.conftest import Door
from regulars.distributed.documents import all_routes
from regulars.distributed.proxy import FILES
from regulars.distributed.routes import BY_ID, PROBES, Route, routes_conf
from regulars.distributed.services import SERVICES

ROUTES = all_routes()
PARAMETER = re.compile(r"\{[^}]*\}")


def an_address(route: Route) -> str:
    """The template with values: ids that are said to be of a service are of this one."""
    path = PARAMETER.sub(f"{route.service}-0197", route.path)
    is_shared_list = route.path in {f"/v1/{listed}" for listed in BY_ID}
    return f"{path}?service={route.service}" if is_shared_list else path


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.service} {route.path}")
async def test_every_address_of_every_service_is_routed_to_it(client: httpx.AsyncClient, route: Route) -> None:
    for address in {an_address(route), an_address(route) + ("&" if "?" in an_address(route) else "?") + "limit=1"}:
        if route.path.endswith(":batch"):
            continue
        said = (await client.get(address)).json()
        principal = None if route.is_public else f"Bearer rk_good->{route.service}"
        assert (said["service"], said["headers"].get("x-regulars-principal")) == (route.service, principal)


def test_the_table_of_routes_is_current() -> None:
    written = (FILES / "routes.conf").read_text()
    assert routes_conf([entry.name for entry in SERVICES], ROUTES) == written, "run `make docs`"


@pytest.mark.parametrize("page", ["/openapi.json", "/asyncapi.json", "/docs", "/docs/static/swagger-ui.css", *PROBES])
async def test_pages_for_everybody_are_the_gateways_and_ask_for_no_key(door: Door, page: str) -> None:
    async with door.client() as stranger:
        said = (await stranger.get(page, headers={"X-Regulars-Principal": "forged"})).json()
    assert (said["service"], said["path"]) == ("gateway", page)
    assert "x-regulars-principal" not in said["headers"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/metrics",
        "/v1/unheard-of",
        "/v1/customersandmore",
        "/v2/customers",
        "/internal/authorise",
        "/internal/subjects/0197",
        "//internal/subjects/0197",
        "/%69nternal/subjects/0197",
        "/v1/customers/../../internal/subjects/0197",
        "/v1/customers/..%2f..%2finternal/subjects/0197",
        "/v1/customers/%2e%2e/%2E%2E/internal/authorise",
        "/internal/..%2fv1/customers",
        "/docs/static/../../internal/authorise",
        "/docs/static/..%5c..%5cinternal",
        "/_authorise",
        "/_problem/unavailable",
        "/v1/jobs/nobody-0197",
    ],
)
async def test_what_is_no_services_leads_nowhere(door: Door, path: str) -> None:
    status, body = await asked_raw(door, path)
    assert (status, '"code":"not_found"' in body) == (404, True), body


async def asked_raw(door: Door, path: str) -> tuple[int, str]:
    """The status and the rest of the answer to a path exactly as it stands here: clients would tidy it up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer rk_good\r\nConnection: close\r\n\r\n".encode()
    )
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1]), answer


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/dead-letters?limit=5", "/v1/dead-letters?service=nobody"])
async def test_a_list_of_every_service_asks_whose(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "service_required")
    assert all(entry.name in answer.json()["detail"] for entry in SERVICES)


def test_a_neighbours_address_below_a_collection_goes_to_the_neighbour() -> None:
    routes = [
        Route("customer", "/v1/customers"),
        Route("customer", "/v1/customers/{id}"),
        Route("campaign", "/v1/customers/{id}/next-best-actions"),
    ]
    text = routes_conf(["customer", "campaign"], routes)
    particular, general = (text.index(part) for part in ("next-best-actions", "(customers)"))
    assert particular < general
    assert '/v1/customers/[^/?]+/next-best-actions(\\?|$)" campaign;' in text


def test_no_route_of_ours_is_internal() -> None:
    assert [route for route in ROUTES if route.path.startswith("/internal")] == []
    assert "internal" not in Path(FILES / "routes.conf").read_text()
