"""The door in front of services that live in this process: who gets in, and what the services are told about them.

Both classes are pure ASGI, since the till's path goes through them. Behind nginx the same authoriser is asked over
HTTP instead (`authorising.py`).
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from regulars_gateway.adapters.http.problems import refusal
from regulars_gateway.application.authorise import Authoriser, Pass
from regulars_kit.values import Refused, Unavailable

PRINCIPAL_HEADER = b"x-regulars-principal"
_PASS = "regulars.pass"


class Door:
    """Lets requests with `Authorization: Bearer <key>` through to `inside`, without any principal they brought."""

    def __init__(self, inside: ASGIApp, authoriser: Authoriser) -> None:
        self._inside = inside
        self._authoriser = authoriser

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        authorization = next((value for name, value in scope["headers"] if name == b"authorization"), None)
        holder = self._authoriser.at_hand(authorization)
        if holder is None:
            try:
                holder = await self._authoriser.admit(authorization)
            except (Refused, Unavailable) as error:
                await refusal(error).response()(scope, receive, send)
                return
        headers = [header for header in scope["headers"] if header[0] != PRINCIPAL_HEADER]
        await self._inside({**scope, "headers": headers, _PASS: holder}, receive, send)


class Stamped:
    """A service's app behind the door: its every request carries a principal signed for it."""

    def __init__(self, app: ASGIApp, service: str, authoriser: Authoriser) -> None:
        self._app = app
        self._service = service
        self._authoriser = authoriser

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        holder: Pass = scope[_PASS]
        token = self._authoriser.stamp_at_hand(holder, self._service)
        if token is None:
            try:
                token = await self._authoriser.stamp(holder, self._service)
            except (Refused, Unavailable) as error:
                await refusal(error).response()(scope, receive, send)
                return
        await self._app({**scope, "headers": [*scope["headers"], (PRINCIPAL_HEADER, token)]}, receive, send)
