"""A programme: what a purchase earns, how long points live, what a tier needs. Versions with effective dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from regulars_kit.values import value
from regulars_loyalty.domain.calendar import Period, day_start
from regulars_loyalty.domain.refusals import UnknownProgramme


class Shortage(StrEnum):
    """What becomes of points that a return takes back and that are not there any more (P6)."""

    DEBT = "debt"
    CLAMP = "clamp"


class Late(StrEnum):
    """What a late receipt does to the prices of the others (P9)."""

    NO_RERATE = "no-rerate"
    RE_RATE = "re-rate"


class QualifyBy(StrEnum):
    BASE_POINTS = "base_points"
    SPEND = "spend"


class OnReturn(StrEnum):
    """Whether a return may end a tier early (P10)."""

    GUARANTEE = "guarantee"
    REVOKE = "revoke"


@value
class Tier:
    code: str
    threshold: int
    multiplier: Fraction


@value
class When:
    """A rule's conditions; all given ones must hold. `None` asks nothing. Dates are local and half-open."""

    categories: frozenset[str] | None = None
    skus: frozenset[str] | None = None
    stores: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    from_day: date | None = None
    to_day: date | None = None
    first_purchase: bool | None = None
    every_nth_visit: int | None = None

    @property
    def is_about_lines(self) -> bool:
        return self.categories is not None or self.skus is not None


@value
class Rule:
    code: str
    when: When
    multiplier: Fraction
    bonus: int


@value
class Version:
    """One version of a programme, in force from the local start of `effective_from` until the next one's."""

    programme: str
    number: int
    effective_from: date
    zone: ZoneInfo
    stores: frozenset[str]
    wallet: str
    earn: dict[str, Fraction]
    point_value: dict[str, Fraction]
    lot_life: Period | None
    tiers: tuple[Tier, ...]
    qualify_by: QualifyBy
    on_return: OnReturn
    rules: tuple[Rule, ...]
    shortage: Shortage
    late: Late
    grace_days: int

    def serves(self, store: str) -> bool:
        return store in self.stores or "*" in self.stores

    def tier(self, code: str | None) -> Tier | None:
        """The tier of that code; the lowest one for an unknown code, `None` where the programme has no tiers."""
        for tier in self.tiers:
            if tier.code == code:
                return tier
        return self.tiers[0] if self.tiers else None


@value
class Programme:
    """All versions of one programme, in the order in which they take effect; `newest_first` with their instants."""

    code: str
    versions: tuple[Version, ...]
    newest_first: tuple[tuple[datetime, Version], ...]

    @classmethod
    def of(cls, versions: Sequence[Version]) -> Programme:
        ordered = sorted(versions, key=lambda version: (version.effective_from, version.number))
        begins = [(day_start(version.effective_from, version.zone), version) for version in reversed(ordered)]
        return cls(ordered[0].programme, tuple(ordered), tuple(begins))

    def at(self, at: datetime) -> Version:
        """The version in force at an instant. Raises UnknownProgramme before the first one's day."""
        for begins, version in self.newest_first:
            if begins <= at:
                return version
        first = self.versions[0]
        raise UnknownProgramme(
            f"programme {self.code!r} takes effect on {first.effective_from}; there is none in force before"
        )

    def numbered(self, number: int) -> Version:
        return next(version for version in self.versions if version.number == number)

    @property
    def wallet(self) -> str:
        return self.versions[-1].wallet


@value
class Programmes:
    """Every programme of the installation, and which one serves a store."""

    by_code: dict[str, Programme]

    def named(self, code: str) -> Programme:
        try:
            return self.by_code[code]
        except KeyError:
            raise UnknownProgramme("there is no such programme; PUT /v1/programmes/{code} makes one") from None

    def default(self, code: str | None = None) -> Programme:
        """The programme of that code, or the only one. Raises UnknownProgramme."""
        if code is not None:
            return self.named(code)
        if len(self.by_code) != 1:
            raise UnknownProgramme("name the programme: there is not exactly one", field="/programme")
        return next(iter(self.by_code.values()))

    def serving(self, store: str, at: datetime) -> Programme | None:
        """The programme a store belongs to at an instant: one that names it goes before one with `*`."""
        open_to_all = None
        for programme in self.by_code.values():
            stores = _stores_at(programme, at)
            if store in stores:
                return programme
            if "*" in stores:
                open_to_all = programme
        return open_to_all


def _stores_at(programme: Programme, at: datetime) -> frozenset[str]:
    try:
        return programme.at(at).stores
    except UnknownProgramme:
        return frozenset()
