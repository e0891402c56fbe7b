"""Signed principals: who is calling, as the door attests it, and what a route asks of them.

The door checks keys and tokens; a service trusts only the compact JWS (Ed25519, 60 s, `aud` = the service's name) in
`X-Regulars-Principal`, verifies it once and remembers it until it expires: one check per key and minute, not 90 µs a
request. `kid` names the issuer (the gateway, or a service that calls another), and each issuer has keys of its own.
"""

# No `from __future__ import annotations`: FastAPI reads the annotations of `Requires.__call__` as objects.

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from regulars_kit.values import Clock, Refused, utc_now

HEADER = "X-Regulars-Principal"
PUBLIC = "public"
INTERNAL = "internal:"
"""How the scopes begin that only another service may use, under its own signature: the door's opens nothing there."""
LIFETIME = timedelta(seconds=60)
# Two machines' clocks differ by less than this, or something else is wrong.
LEEWAY = timedelta(seconds=5)
REMEMBERED = 10_000
# RFC 9864 names the curve and retires "EdDSA"; one algorithm, so that no token can choose a weaker one.
ALGORITHMS = ["Ed25519"]


class PrincipalRequired(Refused):
    """No principal came with the request: it did not come through the door."""

    code: ClassVar[str] = "principal_required"


class PrincipalInvalid(Refused):
    """The principal is expired, meant for another service, or not signed by anyone we know."""

    code: ClassVar[str] = "principal_invalid"


class ScopeMissing(Refused):
    """The principal is known, and lacks the scope this route asks for."""

    code: ClassVar[str] = "scope_missing"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. `client` survives the rotation of its key; `subject` is a person of the client's, None for a machine.

    `stores` limits a till to its stores; None means any.
    """

    client: str
    subject: str | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    stores: frozenset[str] | None = None

    def may_act_for(self, store: str) -> bool:
        return self.stores is None or store in self.stores


ANYONE = Principal(client=PUBLIC)
"""The principal of a public route."""


def new_key_pair() -> tuple[str, str]:
    """A fresh Ed25519 key as (private, public), both in PEM."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


class Signer:
    """Signs principals in the name of `issuer`, for 60 seconds each."""

    def __init__(self, private_key_pem: str, issuer: str, clock: Clock = utc_now) -> None:
        self._key = OKPKey.import_key(private_key_pem)
        self._issuer = issuer
        self._clock = clock

    def sign(self, principal: Principal, audience: str) -> str:
        """The header's value for one service, named by `audience`."""
        now = self._clock()
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": audience,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "client": principal.client,
            "sub": principal.subject,
            "scopes": sorted(principal.scopes),
            "stores": None if principal.stores is None else sorted(principal.stores),
        }
        return jwt.encode({"alg": "Ed25519", "kid": self._issuer}, claims, self._key, algorithms=ALGORITHMS)


class Verifier:
    """Verifies principals meant for `audience`. `public_keys` maps each trusted issuer to its PEM text.

    While an issuer changes its key, its text holds both PEM blocks, one after the other.
    """

    def __init__(self, public_keys: Mapping[str, str], audience: str, clock: Clock = utc_now) -> None:
        self._keys = {issuer: _import_keys(pem) for issuer, pem in public_keys.items()}
        self._audience = audience
        self._clock = clock
        self._verified: dict[str, tuple[Principal, datetime]] = {}

    def verify(self, token: str) -> Principal:
        """The principal a token names. Raises `principal_invalid`."""
        now = self._clock()
        remembered = self._verified.get(token)
        if remembered is not None and now < remembered[1]:
            return remembered[0]
        principal, expires_at = self._check(token, now)
        self._remember(token, principal, expires_at, now)
        return principal

    def _check(self, token: str, now: datetime) -> tuple[Principal, datetime]:
        try:
            claims = self._claims(token)
            expires_at = datetime.fromtimestamp(claims["exp"], now.tzinfo)
            issued_at = datetime.fromtimestamp(claims["iat"], now.tzinfo)
            principal = _principal(claims)
        except (JoseError, ValueError, KeyError, TypeError, OverflowError) as error:
            raise PrincipalInvalid("the principal is not signed by anyone this service trusts") from error
        if claims.get("aud") != self._audience:
            raise PrincipalInvalid("the principal is meant for another service")
        # A long-lived token would outlive the revocation of its key, whoever signed it.
        if not (issued_at - LEEWAY <= now < expires_at) or expires_at - issued_at > LIFETIME + LEEWAY:
            raise PrincipalInvalid("the principal has expired")
        return principal, expires_at

    def _claims(self, token: str) -> dict[str, Any]:
        issuer = jws.extract_compact(token.encode()).headers().get("kid", "")
        for key in self._keys.get(str(issuer), ()):
            try:
                claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
            except JoseError:
                continue
            if claims["iss"] == issuer:
                return claims
        raise ValueError("no key of a trusted issuer fits")

    def _remember(self, token: str, principal: Principal, expires_at: datetime, now: datetime) -> None:
        if len(self._verified) >= REMEMBERED:
            self._verified = {kept: entry for kept, entry in self._verified.items() if now < entry[1]}
        if len(self._verified) >= REMEMBERED:
            self._verified.clear()
        self._verified[token] = (principal, expires_at)


def _import_keys(pem: str) -> list[OKPKey]:
    end = "-----END PUBLIC KEY-----"
    return [OKPKey.import_key(block.strip() + "\n" + end) for block in pem.split(end) if block.strip()]


def _principal(claims: dict[str, Any]) -> Principal:
    stores = claims["stores"]
    return Principal(
        client=str(claims["client"]),
        subject=claims["sub"],
        scopes=frozenset(claims["scopes"]),
        stores=None if stores is None else frozenset(stores),
    )


def principal_of(request: Request, scope: str) -> Principal:
    """The request's principal, which must hold `scope`. Raises 401 or 403; `public` asks for none.

    An `internal:` scope takes the signature of a service that calls this one, and every other scope the door's.
    Plain routes are declared by `guarded`, so that `route_scopes` sees them.
    """
    if scope == PUBLIC:
        return ANYONE
    token = request.headers.get(HEADER)
    if token is None:
        raise PrincipalRequired("a signed principal is required")
    state = request.app.state
    verifier: Verifier = state.callers if scope.startswith(INTERNAL) else state.verifier
    principal = verifier.verify(token)
    if scope not in principal.scopes:
        raise ScopeMissing(f"the scope {scope} is required")
    return principal


@dataclass(frozen=True, slots=True)
class Requires:
    """The dependency that `requires` makes; it finishes before the endpoint begins and leaves nothing for after."""

    scope: str

    async def __call__(self, request: Request) -> Principal:
        return principal_of(request, self.scope)


def requires(scope: str) -> Requires:
    """A dependency that admits only principals with `scope`: `principal: Annotated[Principal, Depends(requires(…))]`.

    `requires("public")` admits anyone, and says so.
    """
    return Requires(scope)


PlainEndpoint = Callable[[Request], Awaitable[Response]]


class Guarded:
    """A plain endpoint behind its guard, as `guarded` makes it: an ASGI app of its own, which spares a purchase the
    wrappers that Starlette puts around functions."""

    def __init__(self, scope: str, endpoint: Callable[[Request, Principal], Awaitable[Response]]) -> None:
        self.scope = scope
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        response = await self._endpoint(request, principal_of(request, self.scope))
        await response(scope, receive, send)


def guarded(scope: str) -> Callable[[Callable[[Request, Principal], Awaitable[Response]]], Guarded]:
    """Guard a plain Starlette endpoint, called with the request and its principal; the route declares `scope`."""
    return partial(Guarded, scope)


def open_to_all(endpoint: PlainEndpoint) -> PlainEndpoint:
    """Declare a plain Starlette endpoint `public`."""

    async def admit(request: Request) -> Response:
        return await endpoint(request)

    admit.__dict__["scope"] = PUBLIC
    return admit


def route_scopes(app: FastAPI) -> dict[str, str | None]:
    """Every route as `METHOD /path` with the scope it declares, None where it declares none."""
    return dict(_scopes(app))


def _scopes(app: FastAPI) -> Iterator[tuple[str, str | None]]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield f"{method} {context.path}", _declared(route.dependant)
        elif isinstance(route, Route):
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield f"{method} {context.path}", getattr(route.endpoint, "scope", None)
        elif isinstance(route, Mount):
            yield f"* {route.path}", None


def _declared(dependant: Dependant) -> str | None:
    if isinstance(dependant.call, Requires):
        return dependant.call.scope
    return next((scope for part in dependant.dependencies if (scope := _declared(part))), None)
