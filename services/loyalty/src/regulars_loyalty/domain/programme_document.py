"""A programme's document, as a marketer writes it, read into a `Version`. Every fault names its place.

Factors are decimal strings or fractions ("1.5", "1/3"); JSON floats are refused, because 0.1 is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import NoReturn, TypeVar
from zoneinfo import ZoneInfo

from regulars_loyalty.domain.calendar import Period, zone_names
from regulars_loyalty.domain.programme import Late, OnReturn, QualifyBy, Rule, Shortage, Tier, Version, When
from regulars_loyalty.domain.refusals import InvalidProgramme, NotSupported

_FACTOR = re.compile(r"\d{1,9}(\.\d{1,9})?|\d{1,9}/[1-9]\d{0,8}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_LARGEST = 10**12
_LONGEST_LIST = 1000

# Parts of the spec that come with later issues: a document that asks for one is told so, not half obeyed.
_LATER = ("caps", "guards", "exclusions", "wallets", "expected_redemption")
_LATER_WHEN = ("birthday", "weekday", "hour", "basket_minor", "basket_threshold")

_Closed = TypeVar("_Closed", bound=StrEnum)


def parse(document: Mapping[str, object], code: str, number: int) -> Version:
    """Read a whole document. Raises InvalidProgramme or NotSupported with the field's JSON Pointer."""
    top = _Node(document, "")
    top.allow(
        "effective_from", "time_zone", "stores", "wallet", "earn", "point_value", "expires", "pending", "name",
        "return_period", "tiers", "qualify", "rules", "policies", "margin_rate", later=_LATER,
    )  # fmt: skip
    _check_pending(top)
    top.optional("return_period", _period)
    top.optional("margin_rate", _share)
    top.optional("name", _text)
    policies = top.child("policies")
    policies.allow("debt", "late", "grace_days", later=("hold_flagged",))
    qualify = top.child("qualify")
    qualify.allow("by", "period", "on_return")
    earn = top.table("earn", _factor)
    by = qualify.optional("by", _one_of(QualifyBy)) or QualifyBy.BASE_POINTS
    _check_qualify(qualify, by, earn)
    return Version(
        programme=code,
        number=number,
        effective_from=top.required("effective_from", _day),
        zone=top.required("time_zone", _zone),
        stores=frozenset(top.required("stores", _texts)),
        wallet=top.optional("wallet", _text) or "points",
        earn=earn,
        point_value=top.table("point_value", _positive_factor) if "point_value" in document else {},
        lot_life=_lot_life(top),
        tiers=_tiers(top),
        qualify_by=by,
        on_return=qualify.optional("on_return", _one_of(OnReturn)) or OnReturn.REVOKE,
        rules=tuple(_rule(node) for node in top.children("rules")),
        shortage=policies.optional("debt", _one_of(Shortage)) or Shortage.DEBT,
        late=policies.optional("late", _one_of(Late)) or Late.NO_RERATE,
        grace_days=policies.optional("grace_days", _days) or 0,
    )


_Read = TypeVar("_Read")
Reader = Callable[[object], _Read]


class _Node:
    """A JSON object in the document, with its JSON Pointer."""

    def __init__(self, value: object, pointer: str) -> None:
        if not isinstance(value, Mapping):
            _refuse("an object is wanted here", pointer)
        self._value: Mapping[str, object] = value
        self._pointer = pointer

    def allow(self, *names: str, later: tuple[str, ...] = ()) -> None:
        """Refuse fields that nobody reads: a misspelt rule must not be a rule that never applies."""
        for name in self._value:
            if name in later:
                raise NotSupported("this version does not do this yet; leave it out", field=self.at(name))
            if name not in names:
                _refuse(f"unknown field; known are {', '.join(names)}", self.at(name))

    def at(self, name: str | int) -> str:
        # Cut, because names are input, and input is never echoed at length.
        return f"{self._pointer}/{str(name)[:64].replace('~', '~0').replace('/', '~1')}"

    def required(self, name: str, read: Reader[_Read]) -> _Read:
        if name not in self._value:
            _refuse("this field is missing", self.at(name))
        return _read(self._value[name], read, self.at(name))

    def optional(self, name: str, read: Reader[_Read]) -> _Read | None:
        return _read(self._value[name], read, self.at(name)) if name in self._value else None

    def child(self, name: str) -> _Node:
        return _Node(self._value.get(name, {}), self.at(name))

    def children(self, name: str) -> Iterator[_Node]:
        value = self._value.get(name, [])
        if not isinstance(value, list) or len(value) > _LONGEST_LIST:
            _refuse(f"a list of at most {_LONGEST_LIST} objects is wanted here", self.at(name))
        for index, each in enumerate(value):
            yield _Node(each, f"{self.at(name)}/{index}")

    def table(self, name: str, read: Reader[_Read]) -> dict[str, _Read]:
        """An object from currencies to what `read` reads, not empty."""
        node = self.child(name)
        if not node._value:
            _refuse('at least one currency is wanted, as in {"EUR": "1"}', self.at(name))
        for currency in node._value:
            if not _CURRENCY.fullmatch(currency):
                _refuse("a currency is three capital letters (ISO 4217)", node.at(currency))
        return {currency: node.required(currency, read) for currency in node._value}


def _refuse(detail: str, pointer: str) -> NoReturn:
    raise InvalidProgramme(detail, field=pointer or None)


def _read(value: object, read: Reader[_Read], pointer: str) -> _Read:
    try:
        return read(value)
    except ValueError as error:
        raise InvalidProgramme(str(error), field=pointer) from None


def _check_pending(top: _Node) -> None:
    pending = top.optional("pending", _period)
    if pending is not None and not pending.is_zero:
        raise NotSupported('a pending period is not done yet; leave it out or say "P0D"', field="/pending")


def _check_qualify(qualify: _Node, by: QualifyBy, earn: Mapping[str, Fraction]) -> None:
    period = qualify.optional("period", _text)
    if period == "rolling" or (period or "").startswith("P"):
        raise NotSupported("a rolling window is not done yet; say calendar_year", field="/qualify/period")
    if period not in (None, "calendar_year"):
        _refuse("calendar_year is wanted here", "/qualify/period")
    if by is QualifyBy.SPEND and len(earn) > 1:
        _refuse("spend adds up in one currency only; this programme earns in several", "/qualify/by")


def _lot_life(top: _Node) -> Period | None:
    expires = top.child("expires")
    expires.allow("after", "from")
    start = expires.optional("from", _text)
    if start not in (None, "earned", "activated"):
        _refuse("earned or activated is wanted here", "/expires/from")
    life = expires.optional("after", _period)
    if life is None and start is not None:
        _refuse("this field is missing", "/expires/after")
    return life


def _tiers(top: _Node) -> tuple[Tier, ...]:
    tiers: list[Tier] = []
    for node in top.children("tiers"):
        node.allow("code", "from", "multiplier")
        tier = Tier(node.required("code", _text), node.required("from", _whole), _multiplier(node))
        if not tiers and tier.threshold != 0:
            _refuse("the first tier is everybody's: it starts from 0", node.at("from"))
        if tiers and tier.threshold <= tiers[-1].threshold:
            _refuse("tiers stand in rising order of their thresholds", node.at("from"))
        if any(tier.code == other.code for other in tiers):
            _refuse("another tier has this code", node.at("code"))
        tiers.append(tier)
    return tuple(tiers)


def _multiplier(node: _Node) -> Fraction:
    factor = node.optional("multiplier", _factor)
    return Fraction(1) if factor is None else factor


def _rule(node: _Node) -> Rule:
    node.allow("code", "when", "multiplier", "bonus")
    rule = Rule(
        node.required("code", _text), _when(node.child("when")), _multiplier(node), node.optional("bonus", _whole) or 0
    )
    if rule.multiplier == 1 and rule.bonus == 0:
        _refuse("a rule needs a multiplier or a bonus", node.at("multiplier"))
    return rule


def _when(node: _Node) -> When:
    node.allow(
        "category", "sku", "store", "channel", "from", "to", "first_purchase", "every_nth_visit", later=_LATER_WHEN
    )
    when = When(
        categories=_set(node.optional("category", _texts)),
        skus=_set(node.optional("sku", _texts)),
        stores=_set(node.optional("store", _texts)),
        channels=_set(node.optional("channel", _texts)),
        from_day=node.optional("from", _day),
        to_day=node.optional("to", _day),
        first_purchase=node.optional("first_purchase", _claim),
        every_nth_visit=node.optional("every_nth_visit", _positive),
    )
    if when.from_day and when.to_day and when.to_day <= when.from_day:
        _refuse("`to` is the first day on which the rule no longer applies: after `from`", node.at("to"))
    return when


def _set(texts: list[str] | None) -> frozenset[str] | None:
    return None if texts is None else frozenset(texts)


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise ValueError("a text of 1 to 255 characters is wanted here")
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not 0 < len(value) <= _LONGEST_LIST:
        raise ValueError(f"a list of 1 to {_LONGEST_LIST} texts is wanted here")
    return [_text(each) for each in value]


def _claim(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is wanted here")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
        raise ValueError("a whole number from 0 to 10^12 is wanted here")
    return value


def _positive(value: object) -> int:
    if _whole(value) == 0:
        raise ValueError("a whole number from 1 is wanted here")
    return _whole(value)


def _days(value: object) -> int:
    days = _whole(value)
    if days > 3660:
        raise ValueError("at most 3660 days are wanted here")
    return days


def _factor(value: object) -> Fraction:
    if not isinstance(value, str) or not _FACTOR.fullmatch(value):
        raise ValueError('a decimal string or a fraction is wanted here, such as "1.5" or "1/3"')
    return Fraction(value)


def _positive_factor(value: object) -> Fraction:
    if _factor(value) == 0:
        raise ValueError("a factor above 0 is wanted here")
    return _factor(value)


def _share(value: object) -> Fraction:
    if _factor(value) > 1:
        raise ValueError("a share from 0 to 1 is wanted here")
    return _factor(value)


def _day(value: object) -> date:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError("a day is wanted here, such as 2026-01-31")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("the calendar has no such day") from None


def _period(value: object) -> Period:
    try:
        return Period.parse(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("a period up to a century is wanted here, such as P12M or P30D") from None


def _zone(value: object) -> ZoneInfo:
    if not isinstance(value, str) or value not in zone_names():
        raise ValueError("a time zone of the IANA database is wanted here, such as Europe/Berlin")
    return ZoneInfo(value)


def _one_of(closed: type[_Closed]) -> Reader[_Closed]:
    def read(value: object) -> _Closed:
        if not isinstance(value, str) or value not in set(closed):
            raise ValueError(f"one of {', '.join(closed)} is wanted here")
        return closed(value)

    return read
