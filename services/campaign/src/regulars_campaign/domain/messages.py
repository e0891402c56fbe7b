"""Messages: one per campaign, step and customer, from the trigger to what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from regulars_campaign.domain.templates import VARIABLES
from regulars_kit.values import CustomerId

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=1)


class State(StrEnum):
    """`claimed`: somebody is about to send it, or died at it, and it is sent again under the same id."""

    DUE = "due"
    CLAIMED = "claimed"
    SENT = "sent"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Message:
    """A row of the ledger. `content_hash` (SHA-256 of what was sent) stands in the place of the text."""

    id: UUID
    campaign_id: UUID
    step: str
    customer_id: CustomerId
    channel: str
    state: State
    reason: str | None
    due_at: datetime
    ended_at: datetime | None
    template_id: UUID
    template_version: int | None
    content_hash: str | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message in the hands of a sender. `attempts` counts the claims, this one included."""

    id: UUID
    campaign_id: UUID
    campaign: str
    step: str
    customer_id: CustomerId
    channel: str
    purpose: str
    template_id: UUID
    template_version: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Contact:
    """What the customer service says at the moment of sending: whether the customer may be written to, and where.

    `reason` tells why not, None when they may; `address` is there exactly then.
    """

    customer_id: CustomerId
    reason: str | None
    address: str | None = None
    name: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What a template may say of a customer besides; None where it is not known."""

    country: str | None = None
    city: str | None = None
    tier: str | None = None
    balance: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`reason` None: it was handed to its provider, and `content_hash` is of what it said."""

    message: Claimed
    reason: str | None
    content_hash: str | None = None


def variables_of(message: Claimed, contact: Contact, known: Known) -> Mapping[str, str | int | None]:
    """The values of `VARIABLES` for one message."""
    values: dict[str, str | int | None] = {
        "customer.name": contact.name,
        "customer.language": contact.language,
        "customer.country": known.country,
        "customer.city": known.city,
        "customer.tier": known.tier,
        "customer.balance": known.balance,
        "campaign.code": message.campaign,
    }
    assert values.keys() == VARIABLES.keys()
    return values


def wait_after(attempts: int) -> timedelta:
    """How long a message waits after that many tries that came to nothing: 1 s, doubled each time, at most a minute."""
    doublings = min(attempts - 1, 6)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
