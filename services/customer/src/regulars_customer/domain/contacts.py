"""Whom one may write to, and where: asked at the moment of sending, and no by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from regulars_customer.domain.consents import Channel, Purpose, is_allowed
from regulars_customer.domain.customer import Customer
from regulars_customer.domain.identifiers import IdentifierKind
from regulars_customer.domain.profile import Profile
from regulars_kit.values import CustomerId

Refusal = Literal["no_consent", "no_address", "unknown_customer"]

_KINDS: Mapping[Channel, IdentifierKind] = {
    Channel.EMAIL: IdentifierKind.EMAIL,
    Channel.SMS: IdentifierKind.PHONE,
    Channel.PHONE: IdentifierKind.PHONE,
}
"""By which identifier a channel reaches a customer. The others have no address here yet."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Where the customer may be reached now. `refusal` None: they may; otherwise nothing that names them is told."""

    customer_id: CustomerId
    refusal: Refusal | None
    address: str | None = None
    display_name: str | None = None
    language: str | None = None


def contact_of(
    customer_id: CustomerId, customer: Customer | None, purpose: Purpose | None, channel: Channel
) -> Contact:
    """The contact of a customer (None: nobody has the id). `purpose` None: messages of service, without consent."""
    if customer is None:
        return Contact(customer_id, "unknown_customer")
    if purpose is not None and not is_allowed(customer.consents, purpose, channel):
        return Contact(customer_id, "no_consent")
    address = _address(customer, channel)
    if address is None:
        return Contact(customer_id, "no_address")
    return Contact(customer_id, None, address, _display_name(customer.profile), customer.profile.language)


def _address(customer: Customer, channel: Channel) -> str | None:
    """A verified one before all others; of several the one that was linked last."""
    held = [link for link in customer.identifiers if link.identifier.kind is _KINDS.get(channel)]
    best = max(held, key=lambda link: (link.is_verified, link.linked_at, link.id), default=None)
    return best.identifier.value if best else None


def _display_name(profile: Profile) -> str | None:
    parts = [part for part in (profile.given_name, profile.family_name) if part]
    return profile.name or " ".join(parts) or None
