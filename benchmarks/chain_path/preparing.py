"""What stands before the load: a programme, a history, scores of everybody, a segment, a partner who is told."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import httpx

from chain_path.cast import Cast, ndjson
from chain_path.running import SERVICES, Running
from purchase_path.measuring import Failed
from purchase_path.shop import CODE, PROGRAMME

SEGMENT: Mapping[str, Any] = {"code": "just-bought", "rule": {"score": "recency", "gte": 5}}
LISTENERS = ("customer", "scoring", "campaign", "gateway")
"""Who hears of every purchase."""

_BATCH = 500
_LOOK_EVERY_S = 0.5
_QUIET_S = 2.0
_PATIENCE_S = 120.0
_UNSENT = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"
_HEARD = "SELECT count(*) FROM inbox"
_UNDELIVERED = "SELECT count(*) FROM deliveries WHERE state = 'pending'"
_GIVEN_UP = "SELECT count(*) FROM dead_letters"


def open_shop(shop: Running, cast: Cast, past: Sequence[Mapping[str, object]]) -> None:
    """The programme, every customer's history and score, and the segment; returns when all of it is heard."""
    with shop.client() as client:
        client.put(f"/v1/programmes/{CODE}", json=PROGRAMME).raise_for_status()
        for first in range(0, len(past), _BATCH):
            _post_batch(client, past[first : first + _BATCH])
        until_settled(shop, len(past))
        _score_everybody(client, cast.size)
        until_settled(shop, len(past))
        _build_segment(client)
    until_settled(shop, len(past))


def tell(shop: Running, url: str, types: Sequence[str]) -> None:
    """Register a partner who hears these events from now on."""
    with shop.client() as client:
        _make(client, "/v1/webhooks/endpoints", {"url": url, "types": list(types)})


def until_settled(shop: Running, least_heard: int = 0) -> None:
    """Return once everything said is published, heard and delivered. Raises `Failed` when two minutes change nothing.

    Nobody hears of everything, so a listener has heard all that was said when it hears no more for two seconds;
    `least_heard` is what each is known to hear of.
    """
    seen: tuple[int, ...] = ()
    since = time.monotonic()
    while True:
        unsent = [_count(shop, service, _UNSENT) for service in SERVICES]
        heard = [_count(shop, service, _HEARD) for service in LISTENERS]
        undelivered = _count(shop, "gateway", _UNDELIVERED)
        if (now := (*unsent, *heard, undelivered)) != seen:
            seen, since = now, time.monotonic()
        quiet_s = time.monotonic() - since
        if quiet_s >= _QUIET_S and not any(unsent) and not undelivered and min(heard) >= least_heard:
            break
        if quiet_s >= _PATIENCE_S:
            raise Failed(f"nothing moves: {unsent} unsent, {heard} heard, {undelivered} undelivered")
        time.sleep(_LOOK_EVERY_S)
    if given_up := {service: count for service in SERVICES if (count := _count(shop, service, _GIVEN_UP))}:
        raise Failed(f"events were given up: {given_up}")


def make_till_key(client: httpx.Client, number: int) -> str:
    """An API key that may record purchases and nothing else."""
    return str(_make(client, "/v1/keys", {"name": f"till {number}", "scopes": ["purchases:write"]})["key"])


def _count(shop: Running, database: str, statement: str) -> int:
    return int(shop.ask(database, statement)[0][0])


def _post_batch(client: httpx.Client, receipts: Sequence[Mapping[str, object]]) -> None:
    headers = {"Content-Type": "application/x-ndjson"}
    told = client.post("/v1/purchases:batch", content=ndjson(receipts), headers=headers).text.splitlines()
    refused = [line for line in told if '"status":201' not in line]
    if refused or len(told) != len(receipts):
        raise Failed(f"a purchase of the history was refused: {refused[:1]}")


def _score_everybody(client: httpx.Client, customers: int) -> None:
    run = _make(client, "/v1/scoring/runs", {})["run_id"]
    while (told := client.get(f"/v1/scoring/runs/{run}").json())["state"] not in ("completed", "failed", "cancelled"):
        time.sleep(_LOOK_EVERY_S)
    if told["state"] != "completed" or told["customers"] < customers:
        raise Failed(f"not everybody was scored: {told}")


def _build_segment(client: httpx.Client) -> None:
    segment = _make(client, "/v1/segments", SEGMENT)["id"]
    while client.get(f"/v1/segments/{segment}").json()["status"] != "ready":
        time.sleep(_LOOK_EVERY_S)


def _make(client: httpx.Client, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    if not answer.is_success:
        raise Failed(f"{path}: {answer.text}")
    made: dict[str, Any] = answer.json()
    return made
