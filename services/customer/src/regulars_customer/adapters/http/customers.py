"""Customers: register, upsert, read, list, search, change."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from collections.abc import Collection
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query, Request, Response

from regulars_customer.adapters.http.answers import CustomerOut, CustomersOut, ReceiptOut
from regulars_customer.adapters.http.context import Here
from regulars_customer.adapters.http.identities import Identities
from regulars_customer.adapters.http.requests import ProfileIn, RegistrationIn, SearchIn
from regulars_customer.application.change_customer import change_customer
from regulars_customer.application.list_customers import list_customers
from regulars_customer.application.ports import Call, Registered
from regulars_customer.application.read_customer import read_customer
from regulars_customer.application.register_customer import register_customer
from regulars_customer.application.search_customers import search_customers
from regulars_customer.application.upsert_by_external_id import Upserted, upsert_by_external_id
from regulars_customer.domain.customer import Registration
from regulars_customer.domain.identifiers import Identifier, IdentifierKind
from regulars_customer.domain.refusals import BadIdentifier
from regulars_kit.auth import Principal, ScopeMissing, requires
from regulars_kit.http import Router, decode_cursor, encode_cursor, is_match
from regulars_kit.idempotency import IdempotencyKey, content_hash
from regulars_kit.limits import LIMITS
from regulars_kit.models import PageLimit, Text
from regulars_kit.pagination import CursorInvalid
from regulars_kit.validation import FieldError, InvalidRequest
from regulars_kit.values import CustomerId

router = Router(tags=["customers"])

Reader = Annotated[Principal, Depends(requires("customers:read"))]
Writer = Annotated[Principal, Depends(requires("customers:write"))]


@router.post("/v1/customers", status_code=201)
async def post_customer(
    principal: Writer, key: IdempotencyKey, body: RegistrationIn, request: Request, response: Response, here: Here
) -> ReceiptOut:
    """Register a customer. Identifiers that another one holds: 409 `identifier_taken`, with its place."""
    registration = body.to_registration(here.identities)
    refuse_without_scope(registration, principal)
    call = Call(principal.client, key, content_hash(await request.json()))
    registered = await register_customer(registration, call, here.begin, here.now)
    if registered.is_replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return _receipt(registered, response)


@router.put("/v1/customers/by-external-id/{source}/{external_id}", responses={201: {"model": ReceiptOut}})
async def put_by_external_id(
    source: Text, external_id: Text, body: RegistrationIn, response: Response, principal: Writer, here: Here
) -> ReceiptOut:
    """Register the customer (201), or add what the body tells when the external id is known (200).

    The profile is merged as by PATCH; identifiers and consents are added, none is taken away.
    """
    known_by = _external_id(source, external_id, here.identities)
    registration = body.to_registration(here.identities, known_by)
    refuse_without_scope(registration, principal)
    upserted = await upsert_by_external_id(registration, here.begin, here.now)
    response.status_code = 201 if upserted.is_new else 200
    return _receipt(upserted, response)


@router.get("/v1/customers/{customer_id}", responses={304: {"description": "Not modified."}})
async def get_customer(
    customer_id: UUID, principal: Reader, here: Here, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """A customer, with the entity tag that PATCH takes."""
    customer = CustomerOut.of(await read_customer(CustomerId(customer_id), here.read))
    headers = {"ETag": _etag(customer.version)}
    if is_match(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(customer.model_dump_json(), headers=headers, media_type="application/json")


@router.get("/v1/customers")
async def get_customers(
    principal: Reader,
    here: Here,
    tag: Annotated[Text | None, Query()] = None,
    limit: Annotated[PageLimit, Query()] = LIMITS.page_default,
    cursor: Annotated[Text | None, Query()] = None,
) -> CustomersOut:
    """Customers in the order they were registered; `tag` keeps those who bear it."""
    after = None if cursor is None else _customer_id(cursor)
    customers, last = await list_customers(here.read, tag=tag, after=after, limit=limit)
    items = [CustomerOut.of(customer) for customer in customers]
    return CustomersOut(items=items, next_cursor=None if last is None else encode_cursor(str(last)))


@router.post("/v1/customers:search")
async def post_search(body: SearchIn, principal: Reader, here: Here) -> CustomersOut:
    """The customer who holds an identifier, in whatever spelling it is asked for. A POST: no personal data in a URL."""
    identifier = body.identifier.read(here.identities, "/identifier")
    found = await search_customers(identifier, here.read)
    return CustomersOut(items=[CustomerOut.of(customer) for customer in found])


@router.patch("/v1/customers/{customer_id}")
async def patch_customer(
    customer_id: UUID,
    body: ProfileIn,
    response: Response,
    principal: Writer,
    here: Here,
    if_match: Annotated[str | None, Header()] = None,
) -> CustomerOut:
    """Change the profile by JSON Merge Patch. With `If-Match`, 412 `changed_meanwhile` when somebody was faster."""
    customer = await change_customer(
        CustomerId(customer_id), body.to_amendment(), _versions(if_match), here.begin, here.now
    )
    response.headers["ETag"] = _etag(customer.version)
    return CustomerOut.of(customer)


def refuse_without_scope(registration: Registration, principal: Principal) -> None:
    """Raise `ScopeMissing` when it holds consents that the principal may not record."""
    if registration.decisions and "consents:write" not in principal.scopes:
        raise ScopeMissing("the scope consents:write is required to record consents")


def _external_id(source: str, external_id: str, identities: Identities) -> Identifier:
    try:
        return identities.read(IdentifierKind.EXTERNAL, external_id, source)
    except BadIdentifier as bad:
        # It stands in the address, which has no pointers.
        parameter = "source" if bad.field == "/source" else "external_id"
        raise InvalidRequest([FieldError(bad.code, bad.detail, parameter=parameter)]) from None


def _receipt(kept: Registered | Upserted, response: Response) -> ReceiptOut:
    response.headers["Location"] = f"/v1/customers/{kept.customer_id}"
    response.headers["ETag"] = _etag(kept.version)
    return ReceiptOut(id=kept.customer_id, registered_at=kept.registered_at, version=kept.version)


def _customer_id(cursor: str) -> CustomerId:
    (last,) = decode_cursor(cursor, str)
    try:
        return CustomerId(UUID(str(last)))
    except ValueError:
        raise CursorInvalid("the cursor is not one of this list") from None


def _etag(version: int) -> str:
    return f'"{version}"'


def _versions(if_match: str | None) -> Collection[int] | None:
    """The versions an `If-Match` names; None when it takes any. A tag that is none of ours matches nothing.

    A weak tag is taken like a strong one: proxies weaken them when they compress the answer.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(","))
    return {int(tag) for tag in tags if tag.isascii() and tag.isdigit() and len(tag) < 10}
