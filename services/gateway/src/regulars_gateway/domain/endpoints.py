"""Webhook endpoints: where a partner wants to be told, of what, and how well that goes."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from regulars_gateway.domain.health import HEALTHY, Health
from regulars_gateway.domain.refusals import AddressDenied, BadUrl, UnknownEventType

ENDPOINTS_AT_MOST = 100
"""Each event costs a row per endpoint that wants it."""

SECRET_PREFIX = "whsec_"
_SECRET_BYTES = 32

IsDenied = Callable[[str], bool]
"""Whether a host, when it is a literal address, is one that nothing is sent to."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A signing secret in the form of Standard Webhooks; `until` None: it is the newest one and has no end."""

    value: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`types` None: every event. `disabled_reason` is `gone`, `failing` or `by_hand`; None while it is enabled."""

    id: UUID
    url: str
    types: frozenset[str] | None
    description: str
    secrets: tuple[Secret, ...]
    created_at: datetime
    disabled_reason: str | None = None
    disabled_at: datetime | None = None
    health: Health = HEALTHY

    @property
    def is_enabled(self) -> bool:
        return self.disabled_reason is None


def new_secret() -> Secret:
    """`whsec_` and 256 random bits in base64."""
    return Secret(SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode())


def with_new_secret(endpoint: Endpoint, fresh: Secret, old_until: datetime) -> Endpoint:
    """The endpoint signs by the fresh secret from now on, and until `old_until` by those before it too."""
    kept = [
        replace(secret, until=old_until if secret.until is None else min(secret.until, old_until))
        for secret in endpoint.secrets
    ]
    # Each is a signature in a header of every delivery: two old ones are enough for any rotation.
    return replace(endpoint, secrets=(fresh, *kept[:2]))


def enabled(endpoint: Endpoint) -> Endpoint:
    """The endpoint with a clean record; one that is enabled keeps its record."""
    if endpoint.is_enabled:
        return endpoint
    return replace(endpoint, disabled_reason=None, disabled_at=None, health=HEALTHY)


def disabled(endpoint: Endpoint, reason: str, at: datetime) -> Endpoint:
    return replace(endpoint, disabled_reason=reason, disabled_at=at) if endpoint.is_enabled else endpoint


def checked_url(url: str, is_denied: IsDenied) -> str:
    """The address as it will be called. Raises `BadUrl` or `AddressDenied`, pointing at `/url`.

    What a name resolves to is checked at every delivery: it may be another address each time.
    """
    try:
        parts = urlsplit(url)
        port_is_usable = parts.port is None or 0 < parts.port < 65_536
    except ValueError:
        raise BadUrl("this is not a URL", field="/url") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_usable or not url.isascii():
        raise BadUrl("an address of the web is needed, http:// or https://, in ASCII", field="/url")
    if parts.username is not None or parts.password is not None or parts.fragment or any(c in url for c in " \\"):
        raise BadUrl("an address without user, password, fragment or blanks is needed", field="/url")
    if is_denied(parts.hostname):
        raise AddressDenied("nothing is sent to private, local or reserved addresses", field="/url")
    return url


def checked_types(types: Collection[str] | None, known: Set[str]) -> frozenset[str] | None:
    """The types asked for, None for all. Raises `UnknownEventType`, pointing at the culprit."""
    for position, kind in enumerate(types or ()):
        if kind not in known:
            raise UnknownEventType("no event of this type is published", field=f"/types/{position}")
    return None if types is None else frozenset(types)


def live_secrets(known: Sequence[Secret], at: datetime) -> list[Secret]:
    """Those that a delivery is signed by."""
    return [secret for secret in known if secret.until is None or at < secret.until]
