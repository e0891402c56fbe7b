"""What the shop's marketers do with the year once it is in: everybody scored, and a letter to those about to leave."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from regulars.samples.online_retail.client import Api, LoadStopped

LETTER = "we-miss-you"
CAMPAIGN = "win-back"
_RUN_COMPLETED = "scoring.run_completed.v1"
_LOOK_EVERY_S = 0.5
# The unsent events are counted every 5 seconds.
_QUIET_S = 6.0
# What the process behind says of itself: how far its consumers are behind, and what its relays have still to publish.
_WAITING = re.compile(
    r'^regulars_(?:consumer_lag|outbox_unsent)\{[^}]*process="behind"[^}]*\} ([0-9.e+]+)$', re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of the customers. `top_share` is the best tenth's of the revenue, 0 to 1; `expected_value` is of
    the next year, in major units.

    `model` serves; `degeneracies` say at which boundaries the fits of models ended that therefore do not. `events`
    stand in the partners' feed.
    """

    segments: Mapping[str, int]
    top_share: float
    expected_value: int
    currency: str
    degeneracies: tuple[str, ...]
    alarms: int
    messages: int
    events: int
    model: str = "mbg_nbd"


async def set_up(api: Api) -> None:
    """The campaign that answers a churn alarm with a letter, running; made once, however often it is asked for."""
    letter = {"code": LETTER, "subject": "{{ customer.name }}, we miss you", "body": "Come back, {{ customer.name }}!"}
    await _made(api, "/v1/templates", letter)
    draft = {"code": CAMPAIGN, "trigger": {"kind": "churn_risk_raised"}, "template": LETTER}
    campaign = await _made(api, "/v1/campaigns", draft)
    if (await api.read(f"/v1/campaigns/{campaign}", {}))["state"] == "draft":
        await _accepted(api, f"/v1/campaigns/{campaign}/launch", {})


async def score(api: Api, as_of: date) -> Outlook:
    """Score everybody as of a day, once all services have heard of the whole year, and tell what came of it."""
    await _until_heard(api)
    run = await _accepted(api, "/v1/scoring/runs", {"as_of": as_of.isoformat()}, key="sample")
    done = await _ended(api, str(run["run_id"]))
    await _until_heard(api)
    return await _outlook(api, done, await _campaign_when_all_is_sent(api))


async def _made(api: Api, path: str, body: Mapping[str, object]) -> str:
    return str((await _accepted(api, path, body, key=f"sample-{body['code']}"))["id"])


async def _accepted(api: Api, path: str, body: Mapping[str, object], key: str | None = None) -> Mapping[str, Any]:
    answer = await api.send("POST", path, body, key=key)
    if answer.code:
        raise LoadStopped(f"the sample stopped: {path} was refused ({answer.code})")
    return answer.body


async def _until_heard(api: Api) -> None:
    """Return once nothing waits anywhere, for longer than a gauge is old; a page without gauges says nothing."""
    quiet_s = 0.0
    while quiet_s < _QUIET_S:
        waiting = [float(count) for count in _WAITING.findall(await api.text("/metrics"))]
        quiet_s = quiet_s + _LOOK_EVERY_S if waiting and sum(waiting) == 0 else 0.0
        await asyncio.sleep(_LOOK_EVERY_S)


async def _ended(api: Api, run_id: str) -> Mapping[str, Any]:
    while True:
        run: Mapping[str, Any] = await api.read(f"/v1/scoring/runs/{run_id}", {})
        if run["state"] == "completed":
            return run
        if run["state"] in ("failed", "cancelled"):
            raise LoadStopped(f"the sample stopped: nobody could be scored ({run['failure']})")
        await asyncio.sleep(_LOOK_EVERY_S)


async def _campaign_when_all_is_sent(api: Api) -> Mapping[str, Any]:
    while True:
        page: Mapping[str, Any] = await api.read("/v1/campaigns", {})
        (campaign,) = [each for each in page["items"] if each["code"] == CAMPAIGN]
        if campaign["messages"]["waiting"] == 0:
            return dict(campaign)
        await asyncio.sleep(_LOOK_EVERY_S)


async def _outlook(api: Api, run: Mapping[str, Any], campaign: Mapping[str, Any]) -> Outlook:
    report = run["report"]
    return Outlook(
        segments=report["rfm_segments"],
        top_share=report["top_decile_revenue_share"],
        expected_value=round(report["expected_value_major"]),
        currency=report["currency"],
        degeneracies=_degeneracies(report["fits"]),
        alarms=run["alarms"],
        messages=campaign["messages"]["sent"],
        events=int(str((await api.read("/v1/events", {"types": _RUN_COMPLETED}))["read_up_to"])),
        model=report["choice"]["served"],
    )


def _degeneracies(fits: Mapping[str, Any]) -> tuple[str, ...]:
    """Each boundary once, with all models whose fits ended there."""
    ended: dict[str, list[str]] = {}
    for model, fit in fits.items():
        for name in fit.get("degeneracies", ()):
            ended.setdefault(name, []).append(model)
    return tuple(f"{name} ({', '.join(models)})" for name, models in ended.items())
