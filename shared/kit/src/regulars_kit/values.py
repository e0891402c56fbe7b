"""The values every service speaks: ids, instants, money, refusals.

Standard library only, so that a domain may use them.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, NewType, TypeVar, dataclass_transform
from uuid import UUID

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """A slotted dataclass that nobody may change: the type checker refuses it, where Python's `frozen` would.

    A frozen one takes seven times as long to make (a field each through `object.__setattr__`), and a purchase is made
    of some thirty of them.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


CustomerId = NewType("CustomerId", UUID)

Clock = Callable[[], datetime]
"""Answers with the present instant, aware and in UTC. Handlers are given one; the domain is given the instant."""


def utc_now() -> datetime:
    """The present instant, aware, in UTC: the clock of every process outside the tests."""
    return datetime.now(UTC)


# Ids are to be different, not secret: the kernel is asked once a process, since a question costs as much as an id.
_random = random.Random(os.urandom(32))
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _random.seed(os.urandom(32)))


def new_id() -> UUID:
    """A fresh UUID of version 7 (RFC 9562): milliseconds first, so that ids made later sort later."""
    milliseconds = time.time_ns() // 1_000_000
    bits = _random.getrandbits(80)
    number = (milliseconds << 80) | (bits & ~(0xF << 76)) | (0x7 << 76)
    return UUID(int=(number & ~(0x3 << 62)) | (0x2 << 62))


class Refused(Exception):
    """An expected "no". `code` is stable and public, `detail` says what to do, `field` names the culprit.

    `field` is a JSON Pointer into the request's body (RFC 6901), or None when no single field is to blame.
    """

    code: ClassVar[str]

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class Unavailable(Exception):
    """Something we depend on is away; the caller may try again after `retry_after_s` seconds."""

    def __init__(self, detail: str, *, retry_after_s: int = 1) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in integer minor units of an ISO 4217 currency (1999, "EUR" is 19.99 euros)."""

    minor: int
    currency: str


# Minor units per major unit as a power of ten; ISO 4217 lists only these besides the usual two.
_EXPONENTS = dict.fromkeys(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ],
    0,
)
_EXPONENTS |= dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3) | dict.fromkeys(["CLF", "UYW"], 4)


def currency_exponent(currency: str) -> int:
    """How many decimal places the currency's minor unit has: EUR 2, JPY 0, KWD 3 (ISO 4217)."""
    return _EXPONENTS.get(currency, 2)
