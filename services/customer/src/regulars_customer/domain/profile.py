"""What is known about a person: the profile, and the part of it that may be published.

The profile names a person and never leaves this service. Its traits do not, and travel in events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from zoneinfo import available_timezones

from regulars_customer.domain.refusals import BornInTheFuture, Contradiction, TooManyEntries, UnknownTimeZone

AttributeValue = str | int | bool

MOST_TAGS = 100
MOST_ATTRIBUTES = 100

_FIRST_BIRTH_DATE = date(1800, 1, 1)


@dataclass(frozen=True, slots=True)
class Traits:
    """What other services may know of a customer: nothing that names a person.

    `country` by ISO 3166-1 alpha-2, `language` by BCP 47, `birth_month` 1 to 12. None: not known.
    """

    country: str | None = None
    city: str | None = None
    language: str | None = None
    birth_month: int | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as the shop knows them; a blank one is a customer of whom nothing is known yet.

    `attributes` are the shop's own fields. `birth_month` may be known without the day.
    Raises `BadProfile` when made of what cannot be true.
    """

    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    birth_date: date | None = None
    birth_month: int | None = None
    language: str | None = None
    time_zone: str | None = None
    country: str | None = None
    city: str | None = None
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.time_zone is not None and self.time_zone not in _time_zones():
            raise UnknownTimeZone("time_zone must be a name of the IANA database", field="/time_zone")
        if self.birth_date is not None and self.birth_month not in (None, self.birth_date.month):
            raise Contradiction("birth_month is not the month of birth_date", field="/traits/birth_month")
        if len(self.tags) > MOST_TAGS:
            raise TooManyEntries(f"a customer has at most {MOST_TAGS} tags", field="/tags")
        if len(self.attributes) > MOST_ATTRIBUTES:
            raise TooManyEntries(f"a customer has at most {MOST_ATTRIBUTES} attributes", field="/attributes")

    @property
    def traits(self) -> Traits:
        month = self.birth_date.month if self.birth_date else self.birth_month
        return Traits(self.country, self.city, self.language, month, self.tags)


BLANK = Profile()

Amendment = Callable[[Profile], Profile]
"""What a caller wants changed. To register is to amend the blank profile."""


def refuse_impossible_birth(profile: Profile, today: date) -> None:
    """Raise `BornInTheFuture` unless the birth date, where known, lies in 1800 … `today`."""
    if profile.birth_date is not None and not _FIRST_BIRTH_DATE <= profile.birth_date <= today:
        raise BornInTheFuture("birth_date must lie between 1800 and today", field="/birth_date")


@cache
def _time_zones() -> frozenset[str]:
    # Reading the list walks the whole zone folder: once per process.
    return frozenset(available_timezones())
