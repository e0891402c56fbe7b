"""Bad input is answered with a problem document, changes nothing, and is never a 500."""

from __future__ import annotations

from typing import Any

import pytest

from builders import ANNA, an_id
from regulars_contracts.events.loyalty import PurchaseRecorded
from regulars_kit.bus import Message
from scoring.shop import Shop, code_of


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"as_of": "30.06.2026"}, "invalid_field"),
        ({"as_of": "2026-02-30"}, "invalid_field"),
        ({"as_of": 20260630}, "invalid_field"),
        ({"as_of": "9999-01-01"}, "invalid_field"),
        ({"as_of": "2026-07-01"}, "in_the_future"),  # tomorrow
        ({"horizon_days": 0}, "out_of_range"),
        ({"horizon_days": 3651}, "out_of_range"),
        ({"horizon_days": 90.0}, "wrong_type"),
        ({"horizon_days": "90"}, "wrong_type"),
        ({"horizon_days": True}, "wrong_type"),
        ({"model": "prophecy"}, "invalid_field"),
        ({"model": "bg_nbd"}, "invalid_field"),
        ({"oracle": "delphi"}, "unknown_field"),
        ([], "wrong_type"),
    ],
)
async def test_a_run_that_cannot_be_meant_is_refused(untouched: Shop, body: Any, code: str) -> None:
    response = await untouched.send("POST", "/v1/scoring/runs", body, key="k")
    assert code_of(response) == (422, code)
    assert await untouched.rows("SELECT * FROM runs") == []
    assert await untouched.rows("SELECT * FROM jobs") == []


async def test_a_run_needs_a_key_and_json(untouched: Shop) -> None:
    assert code_of(await untouched.send("POST", "/v1/scoring/runs", {})) == (400, "idempotency_key_required")
    assert code_of(await untouched.send("POST", "/v1/scoring/runs", content=b"{", key="k")) == (400, "malformed_json")
    assert code_of(await untouched.send("POST", "/v1/scoring/runs", key="k"))[0] == 422


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/scores/anna", 422),
        (f"/v1/scores/{ANNA}?as_of=yesterday", 422),
        (f"/v1/scores/{ANNA}/history?limit=0", 422),
        (f"/v1/scores/{ANNA}/history?limit=201", 422),
        (f"/v1/scores/{ANNA}/history?cursor=zzz", 400),
        ("/v1/scoring/runs?cursor=IngiXQ", 400),
        ("/v1/scoring/runs?cursor=WyJ4Il0", 400),
        ("/v1/scoring/runs/7", 422),
        (f"/v1/scoring/runs/{an_id()}", 404),
        ("/v1/scoring/rfm", 404),
        ("/v1/scoring/deciles", 404),
        ("/v1/scoring/model", 404),
        ("/v1/scoring/affinity", 422),
        ("/v1/scoring/affinity?sku=", 422),
        (f"/v1/scoring/affinity?sku={'z' * 256}", 422),
        ("/v1/scoring/affinity?sku=zzz%00", 422),
        ("/v1/scoring/affinity?sku=zzz%0A", 422),
        ("/v1/scoring/affinity?sku=%FF%FE", 404),
        (f"/v1/scoring/affinity?sku={'z' * 255}", 404),
        ("/v1/scoring/affinity?sku=TEA&limit=0", 422),
        ("/v1/scoring/affinity?sku=TEA&limit=201", 422),
        ("/v1/scoring/affinity?sku=TEA&limit=all", 422),
        ("/v1/scoring/next-best/anna", 422),
        (f"/v1/scoring/next-best/{ANNA}?limit=201", 422),
        (f"/v1/scoring/next-best/{ANNA}", 404),
    ],
)
async def test_an_address_that_leads_nowhere_says_so(untouched: Shop, path: str, status: int) -> None:
    response = await untouched.send("GET", path)
    assert code_of(response)[0] == status
    assert "zzz" not in response.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/scoring/runs"),
        ("GET", "/v1/scoring/runs"),
        ("GET", f"/v1/scoring/runs/{an_id()}"),
        ("GET", "/v1/scoring/model"),
        ("GET", "/v1/scoring/rfm"),
        ("GET", "/v1/scoring/deciles"),
        ("GET", "/v1/scoring/affinity?sku=TEA"),
        ("GET", f"/v1/scoring/next-best/{ANNA}"),
        ("GET", "/v1/scoring/cohorts"),
        ("GET", "/v1/scoring/audit"),
        ("GET", "/v1/scoring/rfm/settings"),
        ("PUT", "/v1/scoring/rfm/settings"),
        ("GET", f"/v1/scores/{ANNA}"),
        ("GET", f"/v1/scores/{ANNA}/history"),
    ],
)
async def test_every_route_asks_for_its_scope(untouched: Shop, method: str, path: str) -> None:
    body: dict[str, str] | None = None if method == "GET" else {}
    response = await untouched.send(method, path, body, key="k", scopes=frozenset({"purchases:write"}))
    assert code_of(response)[0] == 403


@pytest.mark.parametrize("data", [b"{}", b"not json", b'{"specversion": "1.0"}'])
async def test_an_event_that_does_not_fit_is_refused_for_good(untouched: Shop, data: bytes) -> None:
    assert untouched.service.consumer is not None
    assert await untouched.service.consumer.handle(Message(an_id(), PurchaseRecorded.type, str(ANNA), data)) is not None
    assert await untouched.rows("SELECT * FROM inbox") == []


async def test_an_event_of_a_later_version_is_a_dead_letter_and_others_are_passed_over(untouched: Shop) -> None:
    assert untouched.service.consumer is not None
    handle = untouched.service.consumer.handle
    later = await handle(Message(an_id(), "loyalty.purchase_recorded.v2", str(ANNA), b"{}"))
    assert later == ("unknown version: loyalty.purchase_recorded.v2", 0)
    assert await handle(Message(an_id(), "loyalty.tier_changed.v1", str(ANNA), b"{}")) is None
