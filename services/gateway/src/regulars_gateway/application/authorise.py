"""Who stands behind a key, and what each service is told about them.

A key is looked up every few seconds and not at every request: `at_hand` answers from memory, so that a till pays for
neither a query nor a signature. Half-way to its end an answer is refreshed behind the requests.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from regulars_gateway.application.ports import Begin, Neighbours, Sign
from regulars_gateway.domain.keys import EVERY_SCOPE, Grant, digest_of, is_well_formed
from regulars_gateway.domain.refusals import ApiKeyRequired, ApiKeyUnknown, UnknownAudience
from regulars_kit.values import Clock, utc_now

LONGEST_CACHE_S = 5.0
# A token lives 60 s; half of that is left for the request that gets the last copy.
RENEW_AFTER_S = 30.0
REMEMBERED = 10_000


@dataclass(slots=True)
class Pass:
    """What a key opens, as it was looked up lately. `tokens`: service -> signed principal and when to renew it."""

    grant: Grant
    refresh_at: float
    ends_at: float
    tokens: dict[str, tuple[bytes, float]] = field(default_factory=dict)


class Authoriser:
    """Checks what stands in `Authorization` and signs principals. `cache_s` bounds how long a revoked key still opens.

    One per process: its memory is bounded, and lookups of the same key share one query.
    """

    def __init__(
        self,
        begin: Begin,
        sign: Sign,
        neighbours: Neighbours,
        now: Clock = utc_now,
        *,
        cache_s: float = LONGEST_CACHE_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._begin = begin
        self._sign = sign
        self._neighbours = neighbours
        self._now = now
        self._cache_s = min(cache_s, LONGEST_CACHE_S)
        self._monotonic = monotonic
        self._passes: dict[bytes, Pass] = {}
        self._strangers: dict[bytes, float] = {}
        self._lookups: dict[bytes, asyncio.Task[Pass]] = {}

    def at_hand(self, authorization: bytes | None) -> Pass | None:
        """The pass when it was looked up lately, else None: then ask `admit`."""
        found = self._passes.get(authorization) if authorization is not None else None
        if found is None:
            return None
        now = self._monotonic()
        if now >= found.ends_at:
            return None
        if now >= found.refresh_at and authorization is not None and authorization not in self._lookups:
            self._look_up(authorization, bearer(authorization))
        return found

    async def admit(self, authorization: bytes | None) -> Pass:
        """The pass of the key in the header. Raises `ApiKeyRequired`, `ApiKeyUnknown`, `Unavailable`."""
        if authorization is None or not (key := bearer(authorization)):
            raise ApiKeyRequired("Send the API key: Authorization: Bearer rk_…")
        if (found := self.at_hand(authorization)) is not None:
            return found
        unknown_until = self._strangers.get(authorization)
        if not is_well_formed(key) or (unknown_until is not None and self._monotonic() < unknown_until):
            raise ApiKeyUnknown("This API key is not known here: mistyped, revoked, or past its end.")
        lookup = self._lookups.get(authorization) or self._look_up(authorization, key)
        # Shielded: others may wait for the same lookup when this request is given up.
        return await asyncio.shield(lookup)

    def stamp_at_hand(self, holder: Pass, service: str) -> bytes | None:
        """The signed principal for the service when there is a fresh one, else None: then ask `stamp`."""
        token, renew_at = holder.tokens.get(service, (None, 0.0))
        return token if self._monotonic() < renew_at else None

    async def stamp(self, holder: Pass, service: str) -> bytes:
        """The principal that the service is told of. Raises `UnknownAudience`, `Unavailable`."""
        if (token := self.stamp_at_hand(holder, service)) is not None:
            return token
        if service not in self._neighbours.names:
            raise UnknownAudience("no service has this name")
        scopes = await self._scopes(holder.grant, service)
        token = self._sign(holder.grant, scopes, service).encode()
        holder.tokens[service] = (token, self._monotonic() + RENEW_AFTER_S)
        return token

    def seconds_left(self, holder: Pass) -> int:
        """For how many whole seconds others may keep the answer about this pass without outliving a revocation."""
        return max(0, int(holder.ends_at - self._monotonic()))

    async def _scopes(self, grant: Grant, service: str) -> frozenset[str]:
        if EVERY_SCOPE not in grant.scopes:
            return grant.scopes
        if service == "gateway":
            # Here keys are given away, and one can give only what one holds.
            return (await self._neighbours.all_scopes())[0]
        return await self._neighbours.scopes_of(service)

    def _look_up(self, authorization: bytes, key: str) -> asyncio.Task[Pass]:
        task = asyncio.create_task(self._find(authorization, key))
        self._lookups[authorization] = task
        task.add_done_callback(lambda done: self._end_lookup(authorization, done))
        return task

    def _end_lookup(self, authorization: bytes, task: asyncio.Task[Pass]) -> None:
        self._lookups.pop(authorization, None)
        if not task.cancelled():
            task.exception()  # whoever waited has it; a refresh behind the requests is tried again

    async def _find(self, authorization: bytes, key: str) -> Pass:
        asked_at, at = self._monotonic(), self._now()
        async with self._begin() as unit:
            grant = await unit.keys.grant(digest_of(key), at)
        if grant is None:
            self._passes.pop(authorization, None)
            self._remember_stranger(authorization, asked_at)
            raise ApiKeyUnknown("This API key is not known here: mistyped, revoked, or past its end.")
        return self._remember(authorization, grant, asked_at, at)

    def _remember(self, authorization: bytes, grant: Grant, asked_at: float, at: datetime) -> Pass:
        lasts_s = self._cache_s
        if grant.expires_at is not None:
            lasts_s = min(lasts_s, (grant.expires_at - at).total_seconds())
        known = self._passes.get(authorization)
        tokens = known.tokens if known is not None and known.grant == grant else {}
        if len(self._passes) >= REMEMBERED:
            self._passes = {kept: one for kept, one in self._passes.items() if asked_at < one.ends_at}
        if len(self._passes) >= REMEMBERED:
            self._passes.clear()
        made = Pass(grant, asked_at + lasts_s / 2, asked_at + lasts_s, tokens)
        self._passes[authorization] = made
        return made

    def _remember_stranger(self, authorization: bytes, asked_at: float) -> None:
        if len(self._strangers) >= REMEMBERED:
            self._strangers.clear()
        self._strangers[authorization] = asked_at + self._cache_s


def bearer(authorization: bytes) -> str:
    """The key in the header's value, empty without one."""
    scheme, _, key = authorization.partition(b" ")
    return key.strip().decode("ascii", "replace") if scheme.lower() == b"bearer" else ""
