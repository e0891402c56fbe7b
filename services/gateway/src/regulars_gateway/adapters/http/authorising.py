"""`GET /internal/authorise`: what nginx asks before it lets a request through (`auth_request`)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from regulars_gateway.adapters.http.problems import refusal
from regulars_gateway.application.authorise import Authoriser
from regulars_kit.auth import HEADER, PUBLIC
from regulars_kit.values import Refused, Unavailable

PATH = "/internal/authorise"
AUDIENCE = "X-Regulars-Audience"
CODE = "X-Regulars-Code"
# How long nginx may keep the answer: never past the time at which a revocation has to be in effect.
KEEP = "X-Accel-Expires"


def route(authoriser: Authoriser) -> Route:
    return Route(PATH, Authorise(authoriser), methods=["GET"], include_in_schema=False)


class Authorise:
    """204 with the principal for the service that `X-Regulars-Audience` names, or 401 with the code in a header.

    Not routed from outside, and open inside: it tells nobody anything but whether the key they hold is one.
    """

    scope = PUBLIC

    def __init__(self, authoriser: Authoriser) -> None:
        self._authoriser = authoriser

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        authorization = next((value for name, value in request.scope["headers"] if name == b"authorization"), None)
        try:
            holder = await self._authoriser.admit(authorization)
            token = await self._authoriser.stamp(holder, request.headers.get(AUDIENCE, ""))
        except (Refused, Unavailable) as error:
            problem = refusal(error)
            return Response(status_code=problem.status, headers={**problem.headers, CODE: problem.code, KEEP: "0"})
        kept_s = str(self._authoriser.seconds_left(holder))
        return Response(status_code=204, headers={HEADER: token.decode(), KEEP: kept_s})
