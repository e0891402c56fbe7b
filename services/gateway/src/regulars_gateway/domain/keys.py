"""API keys: how they look, who holds them, what they open."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Collection, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from regulars_gateway.domain.refusals import NotYoursToGive, UnknownScope

PREFIX = "rk_"
SHOWN_CHARS = 11
"""Of a key, its first characters are shown ever after: `rk_` and eight digits, by which people tell keys apart."""

EVERY_SCOPE = "*"
"""The one scope of the administrator's key: all there are, those of later releases too. Nobody can ask for it."""

INTERNAL = "internal:"
"""Scopes between services begin so; no key ever holds one."""

ADMIN = "admin"
"""The client behind the administrator's key, whatever the key is."""

_SECRET_DIGITS = 64
_CHECKSUM_DIGITS = 8


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `client` is whom it stands for, and stays the same when the key is rotated.

    `stores` limits a till to its stores; None means any. `expires_at` None: it has no end of its own.
    """

    id: UUID
    client: str
    name: str
    prefix: str
    scopes: frozenset[str]
    stores: frozenset[str] | None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_live(self, at: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a live key opens. `expires_at` None: until it is revoked."""

    client: str
    scopes: frozenset[str]
    stores: frozenset[str] | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Giver:
    """Who gives a key away: their own rights bound what they can give."""

    client: str
    scopes: frozenset[str]
    stores: frozenset[str] | None


def new_key() -> str:
    """`rk_`, 256 random bits in hexadecimal, and their CRC-32, by which a mistyped key is told from a revoked one."""
    secret = secrets.token_hex(_SECRET_DIGITS // 2)
    return f"{PREFIX}{secret}{_checksum(secret)}"


def is_well_formed(key: str) -> bool:
    """Whether the checksum fits: a key with a typing error or a missing end is not."""
    secret = key[len(PREFIX) : -_CHECKSUM_DIGITS]
    return key.startswith(PREFIX) and len(secret) == _SECRET_DIGITS and key.endswith(_checksum(secret))


def digest_of(key: str) -> bytes:
    """SHA-256: what is kept of a key. A random one needs no slow hash."""
    return hashlib.sha256(key.encode()).digest()


def refuse_unknown(scopes: Collection[str], known: Set[str]) -> None:
    """Raise `UnknownScope` for the first scope that is not among the known ones, or never a key's."""
    for position, scope in enumerate(scopes):
        if scope not in known or scope.startswith(INTERNAL):
            raise UnknownScope("no route asks for this scope", field=f"/scopes/{position}")


def refuse_what_is_not_held(
    giver: Giver, scopes: Collection[str], stores: frozenset[str] | None, known: Set[str]
) -> None:
    """Raise `NotYoursToGive` when the key would open what its giver cannot."""
    wanted = frozenset(known) if EVERY_SCOPE in scopes else frozenset(scopes)
    if missing := sorted(wanted - giver.scopes):
        raise NotYoursToGive(f"the scope {missing[0]} is not yours to give")
    if giver.stores is not None and (stores is None or not stores <= giver.stores):
        raise NotYoursToGive("your key is limited to its stores, and so are those that it gives")


def _checksum(secret: str) -> str:
    return f"{zlib.crc32(secret.encode(errors='replace')):08x}"
