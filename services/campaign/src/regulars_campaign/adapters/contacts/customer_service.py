"""Where and whether customers may be written to, asked of the customer service at the moment of sending.

One of the few questions that one service asks another: addresses live in one place, and what a customer said a second
ago counts. Whatever is not a plain answer is no answer, and nobody is written to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import httpx
import structlog
from pydantic import BaseModel, ValidationError

from regulars_campaign.domain.messages import Contact
from regulars_kit.auth import HEADER, Principal, Signer
from regulars_kit.values import CustomerId, Unavailable

PATH = "/internal/contacts:resolve"
AUDIENCE = "customer"
SCOPE = "internal:contacts"
TIMEOUT_S = 5.0

log = structlog.get_logger("regulars.contacts")


class _Item(BaseModel):
    customer_id: UUID
    allowed: bool
    reason: str | None = None
    address: str | None = None
    display_name: str | None = None
    language: str | None = None

    def to_contact(self) -> Contact:
        reason = None if self.allowed else self.reason or "not_allowed"
        address = self.address if self.allowed else None
        if reason is None and not address:
            reason = "no_address"
        return Contact(CustomerId(self.customer_id), reason, address, self.display_name, self.language)


class _Answer(BaseModel):
    items: list[_Item]


class CustomerService:
    """`transport` None: over the network, at `url`. Without a signer nobody can ask, and every message waits."""

    def __init__(self, url: str, signer: Signer | None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(base_url=url, transport=transport, timeout=TIMEOUT_S)
        self._signer = signer

    async def resolve(
        self, customers: Sequence[CustomerId], *, purpose: str, channel: str
    ) -> Mapping[CustomerId, Contact]:
        asked = {"customer_ids": [str(customer) for customer in customers], "purpose": purpose, "channel": channel}
        try:
            response = await self._client.post(PATH, json=asked, headers={HEADER: self._token()})
        except httpx.HTTPError as error:
            raise Unavailable("the customer service is away; try again") from error
        if response.status_code != httpx.codes.OK:
            # Refused for good or for now, the message waits: an operator sees it here.
            log.warning("contacts not resolved", status=response.status_code)
            raise Unavailable("the customer service did not answer; try again")
        return _contacts(response.content)

    async def close(self) -> None:
        await self._client.aclose()

    def _token(self) -> str:
        if self._signer is None:
            raise Unavailable("no signing key is configured to ask the customer service")
        return self._signer.sign(Principal("campaign", scopes=frozenset({SCOPE})), AUDIENCE)


def _contacts(body: bytes) -> Mapping[CustomerId, Contact]:
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as error:
        log.warning("contacts not understood", errors=error.error_count())
        raise Unavailable("the customer service's answer was not understood; try again") from None
    return {CustomerId(item.customer_id): item.to_contact() for item in answer.items}
