"""Templates: the words of a message, in Liquid, in numbered versions that never change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from regulars_campaign.domain.refusals import UnknownVariable

LONGEST_SUBJECT = 255
LONGEST_BODY = 20_000

VARIABLES: Mapping[str, str | int] = {
    "customer.name": "Anna",
    "customer.language": "de",
    "customer.country": "DE",
    "customer.city": "Berlin",
    "customer.tier": "gold",
    "customer.balance": 1250,
    "campaign.code": "win-back",
}
"""All that a template may name, each with the value that a preview shows."""


@dataclass(frozen=True, slots=True)
class Template:
    """`id` and `code` stay, `version` grows from 1."""

    id: UUID
    code: str
    version: int
    subject: str
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Text:
    """A message as it is read: one line, and plain text."""

    subject: str
    body: str


def refuse_unknown(variables: Iterable[str], field: str) -> None:
    """Raise `UnknownVariable` when one of them is none that a message has."""
    if any(variable not in VARIABLES for variable in variables):
        raise UnknownVariable(f"the variables of a message are {', '.join(VARIABLES)}", field=field)


def nested(values: Mapping[str, str | int | None]) -> dict[str, dict[str, str | int | None]]:
    """`{"customer.name": …}` as Liquid looks it up: an object of objects."""
    found: dict[str, dict[str, str | int | None]] = {}
    for path, value in values.items():
        head, _, tail = path.partition(".")
        found.setdefault(head, {})[tail] = value
    return found
