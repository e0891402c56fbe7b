"""What a customer allows. The ledger only grows; the last record per purpose and channel holds; no record means no."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from regulars_customer.domain.refusals import Contradiction


class Purpose(StrEnum):
    """What is asked for. Messages of service (receipts, answers) need no consent and have no purpose here."""

    MARKETING = "marketing"
    PROFILING = "profiling"
    RESEARCH = "research"


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    PHONE = "phone"
    POST = "post"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class Decision:
    """A customer's yes or no. `source` says where; `wording_version` to which text, None when it was not told."""

    purpose: Purpose
    channel: Channel
    is_granted: bool
    source: str
    wording_version: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """A record of the ledger: a decision, and when it reached us."""

    decision: Decision
    recorded_at: datetime


def current(records: Iterable[Consent]) -> dict[tuple[Purpose, Channel], Consent]:
    """The record that holds for each purpose and channel, of `records` in the order they were made."""
    return {(record.decision.purpose, record.decision.channel): record for record in records}


def is_allowed(records: Iterable[Consent], purpose: Purpose, channel: Channel) -> bool:
    """May the customer be reached so? No record means no."""
    record = current(records).get((purpose, channel))
    return record is not None and record.decision.is_granted


def news(records: Iterable[Consent], decisions: Sequence[Decision], at: datetime) -> tuple[Consent, ...]:
    """The records to add: a decision that says again what already holds adds none.

    Raises `Contradiction` when `decisions` name one purpose and channel twice: which came last cannot be told.
    """
    _refuse_doubles(decisions)
    holding = {record.decision for record in current(records).values()}
    return tuple(Consent(decision, at) for decision in decisions if decision not in holding)


def _refuse_doubles(decisions: Sequence[Decision]) -> None:
    seen: set[tuple[Purpose, Channel]] = set()
    for position, decision in enumerate(decisions):
        if (decision.purpose, decision.channel) in seen:
            raise Contradiction("purpose and channel are decided twice", field=f"/consents/{position}")
        seen.add((decision.purpose, decision.channel))
