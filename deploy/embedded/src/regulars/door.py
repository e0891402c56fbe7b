"""Who may enter: the one key of the home, checked before any service sees the request.

What the key's holder may do is said to each service by a signed principal. Both classes are pure ASGI: the till's
path goes through them.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from regulars_kit.problems import Problem

PRINCIPAL_HEADER = b"x-regulars-principal"
# A token lives 60 s; half of that is left for the request that gets the last copy.
RENEW_AFTER_S = 30.0
_CHALLENGE = 'Bearer realm="regulars"'


class Door:
    """Lets requests with `Authorization: Bearer <key>` through to `inside`, without any principal they brought."""

    def __init__(self, inside: ASGIApp, key: str) -> None:
        self._inside = inside
        self._digest = hashlib.sha256(key.encode()).digest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _bearer(scope["headers"])
        if key is None:
            detail = "Send the API key: Authorization: Bearer rk_…; it lies in the home, in the file admin-key."
            await _refuse("api_key_required", detail, _CHALLENGE)(scope, receive, send)
        elif not hmac.compare_digest(hashlib.sha256(key).digest(), self._digest):
            challenge = _CHALLENGE + ', error="invalid_token"'
            detail = "This API key is not known here: check it against the file admin-key in the home."
            await _refuse("api_key_unknown", detail, challenge)(scope, receive, send)
        else:
            headers = [header for header in scope["headers"] if header[0] != PRINCIPAL_HEADER]
            await self._inside({**scope, "headers": headers}, receive, send)


class Stamped:
    """A service's app, whose every request carries a principal signed for it. `sign` makes a fresh token."""

    def __init__(self, app: ASGIApp, sign: Callable[[], str], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._sign = sign
        self._monotonic = monotonic
        self._token = b""
        self._renew_at = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (now := self._monotonic()) >= self._renew_at:
            self._token = self._sign().encode()
            self._renew_at = now + RENEW_AFTER_S
        await self._app({**scope, "headers": [*scope["headers"], (PRINCIPAL_HEADER, self._token)]}, receive, send)


def _refuse(code: str, detail: str, challenge: str) -> ASGIApp:
    return Problem(401, code, detail, headers={"WWW-Authenticate": challenge}).response()


def _bearer(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    """The key as sent, None without one. ASGI gives header names in lower case."""
    value = next((value for name, value in headers if name == b"authorization"), b"")
    scheme, _, key = value.partition(b" ")
    return key.strip() if scheme.lower() == b"bearer" and key.strip() else None
