"""A shop that the sample can be loaded into: the API's answers, and nothing behind them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import httpx

KEY = "a-key"

REPORT = {
    "rfm_segments": {"champions": 4, "hibernating": 3},
    "top_decile_revenue_share": 0.575,
    "expected_value_major": 1234.6,
    "currency": "GBP",
    "choice": {"served": "own_rate"},
    "fits": {"mbg_nbd": {"degeneracies": ["no_drop_out"]}, "pareto_nbd": {"failure": "it did not converge"}},
}


class FakeShop:
    """An API that remembers. Its first answer to an id is its last: other content under the same id is refused."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}
        self.order: list[dict[str, Any]] = []
        self.requests = 0
        self.leaves_after: int | None = None
        self.away = Counter[str]()
        self.refuses: Mapping[str, str] = {}
        self.campaign, self.run = "draft", "completed"
        self.metrics = [b'regulars_consumer_lag{group="g",process="behind",topic="t"} 0.0\n']

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        request = httpx.Request(scope["method"], f"http://shop{scope['path']}", content=await _whole(receive))
        key = dict(scope["headers"]).get(b"authorization", b"").decode()
        status, content, kind = self._answer(request, key)
        headers = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _answer(self, request: httpx.Request, key: str) -> tuple[int, bytes, str]:
        self.requests += 1
        if self.leaves_after is not None and self.requests > self.leaves_after:
            raise httpx.ConnectError("the shop is gone", request=request)
        path = request.url.path
        if key != f"Bearer {KEY}":
            return 401, b'{"code": "unknown_key"}', "application/problem+json"
        if self.away[path]:
            self.away[path] -= 1
            return 503, b'{"code": "unavailable"}', "application/problem+json"
        if path == "/metrics":
            return 200, self.metrics.pop(0) if len(self.metrics) > 1 else self.metrics[0], "text/plain"
        if path.endswith(":batch"):
            return 200, self._batch(path, request.content), "application/x-ndjson"
        status, body = self._one(path, json.loads(request.content) if request.content else {})
        return status, json.dumps(body).encode(), "application/json"

    def _batch(self, path: str, content: bytes) -> bytes:
        answers = []
        for place, line in enumerate(content.splitlines()):
            status, body = self._one(path, json.loads(line))
            answers.append({"line": place, "status": status, "body": body})
        return b"".join(json.dumps(answer).encode() + b"\n" for answer in answers)

    def _one(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        match path:
            case "/v1/ledger/totals":
                points = dict.fromkeys(("redeemed", "expired", "clawed_back", "debt"), 0)
                return 200, {**points, "issued": 70, "spendable": 70, "accounts": 7, "tiers": {"base": 6, "gold": 1}}
            case "/v1/programmes/online-retail":
                return self._keep("programme", body)
            case "/v1/customers:batch":
                number = body["identifiers"][0]["value"]
                status, _ = self._keep(f"customer {number}", body)
                return status, {"id": str(uuid5(NAMESPACE_OID, number))}
            case "/v1/purchases:batch" if body["receipt_no"] in self.refuses:
                return 422, {"code": self.refuses[body["receipt_no"]]}
            case "/v1/purchases:batch":
                return self._keep(body["purchase_id"], body)
            case "/v1/returns":
                return self._keep(body["return_id"], body)
        return self._marketing(path, body)

    def _marketing(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        campaign = {"id": "c1", "code": "win-back", "state": self.campaign, "messages": {"sent": 2, "waiting": 0}}
        match path:
            case "/v1/templates" | "/v1/scoring/runs":
                return self._keep(path, body)[0], {"id": "t1", "run_id": "r1"}
            case "/v1/campaigns" if body:
                return self._keep(path, body)[0], campaign
            case "/v1/campaigns/c1/launch":
                self.campaign = "running"
                return 200, campaign
            case "/v1/campaigns/c1":
                return 200, campaign
            case "/v1/campaigns":
                return 200, {"items": [campaign]}
            case "/v1/scoring/runs/r1":
                return 200, {"state": self.run, "alarms": 3, "failure": "too_few_purchases", "report": REPORT}
            case "/v1/events":
                return 200, {"read_up_to": 99}
        raise AssertionError(f"no such route: {path}")

    def _keep(self, name: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if name not in self.stored:
            self.stored[name] = body
            self.order.append(body)
        return (201, {}) if self.stored[name] == body else (409, {"code": "idempotency_key_conflict"})

    def sent(self, kind: str) -> list[dict[str, Any]]:
        return [body for body in self.order if kind in body]


async def _whole(receive: Any) -> bytes:
    content, more = b"", True
    while more:
        message = await receive()
        content, more = content + message.get("body", b""), message.get("more_body", False)
    return content
