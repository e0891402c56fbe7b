"""One object of a rule's document and its place, read strictly: whatever is not understood is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Self, TypeVar

from regulars_campaign.domain.calendar import Period
from regulars_campaign.domain.refusals import InvalidRule, RuleTooLarge, UnknownRuleField
from regulars_campaign.domain.rules import Bounds, Op

MOST_VALUES = 200
"""Values in one list."""
_LONGEST_TEXT = 255
_LARGEST = 10**12
_CURRENCY = re.compile(r"[A-Z]{3}")

Closed = TypeVar("Closed", bound=StrEnum)


def one_of(words: type[Closed], text: str) -> Closed | None:
    """The word, or None when the vocabulary has no such word."""
    return words(text) if text in set(words) else None


@dataclass(frozen=True, slots=True)
class Node:
    """`at` is the object's JSON Pointer."""

    COMPARISONS: ClassVar[tuple[str, ...]] = tuple(Op)

    document: Mapping[str, object]
    at: str

    @classmethod
    def of(cls, value: object, at: str) -> Self:
        if not isinstance(value, Mapping):
            raise InvalidRule("must be an object", field=at)
        return cls(value, at)

    def place(self, key: str) -> str:
        """The pointer of one of its fields. A key is input: it is cut at 64 characters."""
        shown = "".join(character if character.isprintable() else "\ufffd" for character in key[:64])
        return f"{self.at}/{shown.replace('~', '~0').replace('/', '~1')}"

    def allow(self, *known: str) -> None:
        """Raises `UnknownRuleField` for a field that is none of these."""
        for key in self.document:
            if key not in known:
                raise UnknownRuleField(f"the fields here are {', '.join(known)}", field=self.place(key))

    def child(self, key: str) -> Node:
        return Node.of(self.document.get(key, {}), self.place(key))

    def list_of(self, key: str) -> Sequence[object]:
        """One to 200 entries."""
        value = self.document.get(key)
        if not isinstance(value, list) or not value:
            raise InvalidRule("must be a list with at least one entry", field=self.place(key))
        if len(value) > MOST_VALUES:
            raise RuleTooLarge(f"a list has at most {MOST_VALUES} entries", field=self.place(key))
        return value

    def text(self, key: str) -> str:
        return _text(self.document.get(key), self.place(key))

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if key in self.document else None

    def texts(self, key: str) -> tuple[str, ...]:
        """One text or a list of them; nothing when the field is missing."""
        if key not in self.document:
            return ()
        if isinstance(self.document[key], str):
            return (self.text(key),)
        return tuple(_text(word, f"{self.place(key)}/{i}") for i, word in enumerate(self.list_of(key)))

    def words(self) -> tuple[str, ...]:
        """The values of `in`, or the one of `eq`: exactly one of the two stands there."""
        values, place = self._values()
        return tuple(_text(word, f"{place}/{i}" if "in" in self.document else place) for i, word in enumerate(values))

    def integers(self) -> tuple[int, ...]:
        values, place = self._values()
        wrong = [value for value in values if not isinstance(value, int) or isinstance(value, bool)]
        if wrong:
            raise InvalidRule("must be whole numbers", field=place)
        return tuple(int(_number(value, place)) for value in values)

    def bounds(self) -> Bounds:
        """Every comparison that stands here; at least one."""
        found = tuple((op, _number(self.document[op], self.place(op))) for op in Op if op in self.document)
        if not found:
            raise InvalidRule(f"must compare by {', '.join(self.COMPARISONS)}", field=self.at)
        return found

    def currency(self) -> str | None:
        if "currency" not in self.document:
            return None
        code = self.text("currency")
        if not _CURRENCY.fullmatch(code):
            raise InvalidRule("must be three capital letters, such as EUR", field=self.place("currency"))
        return code

    def period(self, key: str) -> Period | None:
        if key not in self.document:
            return None
        try:
            return Period.parse(self.text(key))
        except ValueError as error:
            raise InvalidRule(str(error), field=self.place(key)) from None

    def _values(self) -> tuple[Sequence[object], str]:
        if ("in" in self.document) == ("eq" in self.document):
            raise InvalidRule("must compare by either in or eq", field=self.at)
        if "in" in self.document:
            return self.list_of("in"), self.place("in")
        return [self.document["eq"]], self.place("eq")


def _text(value: object, at: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT:
        raise InvalidRule(f"must be text of 1 to {_LONGEST_TEXT} characters", field=at)
    if not value.isprintable():
        raise InvalidRule("must not hold control characters", field=at)
    return value


def _number(value: object, at: str) -> Decimal:
    """A number of JSON as it was written: 0.6 is six tenths, and not the float beside it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidRule("must be a number", field=at)
    if abs(value) > _LARGEST:
        raise InvalidRule("must lie within 10^12 either way", field=at)
    return Decimal(repr(value)).quantize(Decimal("1e-9")) if isinstance(value, float) else Decimal(value)
