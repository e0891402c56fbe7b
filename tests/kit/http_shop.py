"""A shop with one route of every kind, and a client whose principal may use them."""

# No `from __future__ import annotations`: FastAPI reads the annotations of the endpoints made inside functions.

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, ClassVar
from uuid import UUID

import httpx
from fastapi import Depends, FastAPI, Query, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from regulars_kit.auth import HEADER, Principal, Signer, Verifier, guarded, new_key_pair, requires
from regulars_kit.http import Router, new_app, read_json, stream_body
from regulars_kit.idempotency import IdempotencyKey
from regulars_kit.models import Minor, PageLimit, StrictModel, Text
from regulars_kit.values import Refused, Unavailable

PRIVATE, PUBLIC_KEY = new_key_pair()
TILL = Principal("till-7", None, frozenset({"receipts:write"}))


class ReceiptTaken(Refused):
    """Another receipt has this number."""

    code: ClassVar[str] = "receipt_number_taken"


class NegativeLine(Refused):
    code: ClassVar[str] = "negative_line"


class LineIn(StrictModel):
    sku: Text
    net_minor: Minor


class ReceiptIn(StrictModel):
    till: Text
    lines: list[LineIn]


class ReceiptOut(StrictModel):
    total_minor: Minor


def shop_routes() -> Router:
    router = Router()

    @router.post("/v1/receipts", status_code=201)
    async def post_receipt(
        body: ReceiptIn, principal: Annotated[Principal, Depends(requires("receipts:write"))]
    ) -> ReceiptOut:
        if body.till == "taken":
            raise ReceiptTaken("this till has given the number to another receipt")
        for index, line in enumerate(body.lines):
            if line.net_minor < 0:
                raise NegativeLine("a line of a purchase is not negative", field=f"/lines/{index}/net_minor")
        return ReceiptOut(total_minor=sum(line.net_minor for line in body.lines))

    @router.get("/v1/receipts/{receipt_id}", dependencies=[Depends(requires("public"))])
    async def get_receipt(receipt_id: UUID, limit: Annotated[PageLimit, Query()] = 50) -> ReceiptOut:
        return ReceiptOut(total_minor=limit)

    @router.get("/v1/broken", dependencies=[Depends(requires("public"))])
    async def broken(what: str) -> ReceiptOut:
        raise Unavailable("the database is away", retry_after_s=2) if what == "away" else KeyError(what)

    @router.post("/v1/created", dependencies=[Depends(requires("public"))])
    async def created(key: IdempotencyKey) -> str:
        return key

    return router


@guarded("receipts:write")
async def plain(request: Request, principal: Principal) -> Response:
    return JSONResponse({"client": principal.client, "body": await read_json(request)})


@guarded("public")
async def streamed(request: Request, principal: Principal) -> Response:
    stream_body(request)
    return JSONResponse({"bytes": sum([len(chunk) async for chunk in request.stream()])})


def an_app() -> FastAPI:
    app = new_app("Shop", "1", {ReceiptTaken: 409}, None, Verifier({"gateway": PUBLIC_KEY}, "shop"))
    app.include_router(shop_routes())
    app.router.routes.append(Route("/v1/plain", plain, methods=["POST"]))
    app.router.routes.append(Route("/v1/streamed", streamed, methods=["POST"]))
    return app


@asynccontextmanager
async def a_client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    headers = {HEADER: Signer(PRIVATE, "gateway").sign(TILL, "shop")}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop", headers=headers) as client:
        yield client


def a_receipt(**changes: Any) -> dict[str, Any]:
    return {"till": "7", "lines": [{"sku": "COFFEE", "net_minor": 1999}]} | changes


async def post(client: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    return await client.post("/v1/receipts", content=body, headers={"content-type": "application/json"} | headers)


def problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "code"} <= set(document)
    assert document["status"] == response.status_code
    return document
