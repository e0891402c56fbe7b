"""The types that fields of events are made of: each carries its unit and its limits.

Readers must understand what was written years ago, and what a newer writer says, so the limits here are the product's
own (|amount| and points up to 10^12, strings up to 255) and vocabularies that will grow are plain strings.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Strict, StringConstraints

_LARGEST = 10**12


def _only_text_or(kind: type) -> BeforeValidator:
    """Refuse numbers where an instant or a date belongs: Pydantic would read them as seconds since 1970."""

    def check(value: object) -> object:
        if not isinstance(value, str | kind):
            raise ValueError("must be given as ISO 8601 text")
        return value

    return BeforeValidator(check)


def _to_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Text = Annotated[str, StringConstraints(min_length=1, max_length=255)]
"""A code or a reference of up to 255 characters; never something a person wrote in their own words."""

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
"""A word of a vocabulary that may grow: readers keep or pass over the ones they do not know."""

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217."""

Minor = Annotated[int, Strict(), Ge(-_LARGEST), Le(_LARGEST)]
"""An amount in integer minor units of the `currency` beside it (1999 with EUR is 19.99 euros)."""

Points = Annotated[int, Strict(), Ge(0), Le(_LARGEST)]
"""Whole points, never below 0."""

SignedPoints = Annotated[int, Strict(), Ge(-_LARGEST), Le(_LARGEST)]
"""Whole points; negative where they were taken away."""

SequenceNo = Annotated[int, Strict(), Ge(0), Le(2**53 - 1)]
"""A dense number that only grows; of two states the one with the higher number is the newer."""

Flag = Annotated[bool, Strict()]

Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,3})?$")]
"""Pieces, kilograms, metres …: a decimal as text, so that no reader rounds it through a binary float."""

Factor = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,12}|/[0-9]{1,12})?$")]
"""An exact factor: a decimal or a fraction as text ("1.5", "1/3")."""

Instant = Annotated[datetime, AwareDatetime, _only_text_or(datetime), AfterValidator(_to_utc)]
"""An instant with its offset; held, and written, in UTC."""

Day = Annotated[date, _only_text_or(date)]
"""A calendar day of the shop, without a zone."""

KeyedHash = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,16}:[0-9a-f]{64}$")]
"""What `regulars_contracts.identifiers` makes of an identifier: the key's id and HMAC-SHA-256 in hexadecimal."""

Probability = Annotated[str, StringConstraints(pattern=r"^(0\.[0-9]{2}|1\.00)$")]
"""A probability to the hundredth, as text ("0.42"), so that two readers agree whether it changed."""

Score = Annotated[int, Strict(), Ge(1), Le(5)]
"""One axis of RFM: 5 is the best fifth of the customers."""
