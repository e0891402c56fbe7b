"""The identifiers of a customer."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from regulars_customer.adapters.http.answers import IdentifierOut
from regulars_customer.adapters.http.context import Here
from regulars_customer.adapters.http.requests import ClaimIn
from regulars_customer.application.link_identifier import link_identifier
from regulars_customer.application.unlink_identifier import unlink_identifier
from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.values import CustomerId

router = Router(tags=["identifiers"])

Writer = Annotated[Principal, Depends(requires("customers:write"))]


@router.post("/v1/customers/{customer_id}/identifiers", status_code=201, responses={200: {"model": IdentifierOut}})
async def post_identifier(
    customer_id: UUID, body: ClaimIn, response: Response, principal: Writer, here: Here
) -> IdentifierOut:
    """Link an identifier (201). Linked to this customer before: 200, and `verified` is what was said last."""
    claim = body.to_claim(here.identities)
    held, is_new = await link_identifier(CustomerId(customer_id), claim, here.begin, here.now)
    response.status_code = 201 if is_new else 200
    return IdentifierOut.of(held)


@router.delete("/v1/customers/{customer_id}/identifiers/{identifier_id}", status_code=204)
async def delete_identifier(customer_id: UUID, identifier_id: UUID, principal: Writer, here: Here) -> None:
    """Unlink an identifier; another customer may hold it from now on."""
    await unlink_identifier(CustomerId(customer_id), identifier_id, here.begin, here.now)
