"""Where senders ask, at the moment of sending, whom they may reach and how. For services alone, and not routed."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel, Field

from regulars_customer.adapters.http.context import Here
from regulars_customer.application.resolve_contacts import resolve_contacts
from regulars_customer.domain.consents import Channel, Purpose
from regulars_customer.domain.contacts import Contact, Refusal
from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.models import StrictModel
from regulars_kit.values import CustomerId

MOST_AT_ONCE = 500

router = Router(tags=["internal"], include_in_schema=False)

Caller = Annotated[Principal, Depends(requires("internal:contacts"))]


class Reach(StrEnum):
    """What one wants to reach the customer for. `service` (receipts, answers) needs no consent."""

    MARKETING = "marketing"
    PROFILING = "profiling"
    RESEARCH = "research"
    SERVICE = "service"

    @property
    def purpose(self) -> Purpose | None:
        return None if self is Reach.SERVICE else Purpose(self.value)


class ContactsIn(StrictModel):
    customer_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]
    purpose: Reach
    channel: Channel


class ContactOut(BaseModel):
    """Not allowed: why, and nothing that names the customer."""

    customer_id: UUID
    allowed: bool
    reason: Refusal | None
    address: str | None
    display_name: str | None
    language: str | None

    @classmethod
    def of(cls, contact: Contact) -> Self:
        return cls(
            customer_id=contact.customer_id,
            allowed=contact.refusal is None,
            reason=contact.refusal,
            address=contact.address,
            display_name=contact.display_name,
            language=contact.language,
        )


class ContactsOut(BaseModel):
    items: list[ContactOut]


@router.post("/internal/contacts:resolve")
async def post_resolve(body: ContactsIn, principal: Caller, here: Here) -> ContactsOut:
    """Address, name and language of those who allow it now, in the order they were asked for. No record means no."""
    ids = [CustomerId(customer_id) for customer_id in body.customer_ids]
    contacts = await resolve_contacts(ids, body.purpose.purpose, body.channel, here.read)
    return ContactsOut(items=[ContactOut.of(contact) for contact in contacts])
