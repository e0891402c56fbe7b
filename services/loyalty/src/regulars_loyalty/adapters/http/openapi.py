"""What FastAPI cannot see of this API: the plain routes of the till's path, the keys of writes, the shape of errors."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from regulars_kit.idempotency import HEADER
from regulars_kit.limits import LIMITS
from regulars_kit.problems import MEDIA_TYPE
from regulars_loyalty.adapters.http.answers import PurchaseOut
from regulars_loyalty.adapters.http.receipts import PurchaseIn

Document = dict[str, Any]

_SCHEMAS = "#/components/schemas/{model}"


def _key(*, required: bool) -> Document:
    schema = {"type": "string", "minLength": 1, "maxLength": LIMITS.text_chars, "pattern": "^[!-~]+$"}
    detail = "Names this request: sent again with the same key, it has no second effect."
    return {"name": HEADER, "in": "header", "required": required, "schema": schema, "description": detail}


KEY_REQUIRED: Document = {"parameters": [_key(required=True)]}
"""`openapi_extra` of a write whose body names nothing itself."""


class FaultOut(BaseModel):
    """One fault: where it lies in the body (RFC 6901), or which parameter of the address or header it is."""

    pointer: str | None = None
    parameter: str | None = None
    code: str
    detail: str


class ProblemOut(BaseModel):
    """Every "no" (RFC 9457). `code` is stable; the input is never repeated."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FaultOut] = Field(default_factory=list)


def describe(app: FastAPI) -> None:
    """Complete the app's OpenAPI document. After its last route: FastAPI makes the document once."""
    document = app.openapi()
    _, definitions = models_json_schema(
        [(PurchaseIn, "validation"), (PurchaseOut, "serialization"), (ProblemOut, "serialization")],
        ref_template=_SCHEMAS,
    )
    document.setdefault("components", {}).setdefault("schemas", {}).update(definitions["$defs"])
    paths = document["paths"]
    paths.setdefault("/v1/purchases/{purchase_id}", {})["put"] = _purchase(is_named=True)
    paths.setdefault("/v1/purchases", {})["post"] = _purchase(is_named=False)
    for item in paths.values():
        for operation in item.values():
            _add_problems(operation["responses"])


def _purchase(*, is_named: bool) -> Document:
    purchase_id = {
        "name": "purchase_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    }
    return {
        "tags": ["purchases"],
        "summary": "Record a purchase",
        "description": (
            "The client names it, so that a retry is safe."
            if is_named
            else "The server names it. A retry is known by its Idempotency-Key, or by its receipt number."
        ),
        "operationId": "put_purchase" if is_named else "post_purchase",
        "parameters": [*([purchase_id] if is_named else []), _key(required=False)],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("PurchaseIn")}}},
        "responses": {
            "201": {
                "description": "Recorded; with `Idempotent-Replayed: true`, recorded before.",
                "content": {"application/json": {"schema": _ref("PurchaseOut")}},
            }
        },
    }


def _add_problems(responses: Document) -> None:
    # FastAPI's own 422 describes a body that no answer of ours has.
    responses.pop("422", None)
    problem = {"content": {MEDIA_TYPE: {"schema": _ref("ProblemOut")}}}
    responses["4XX"] = {"description": "A problem document.", **problem}
    responses["503"] = {"description": "Away for a moment: try again after `Retry-After` seconds.", **problem}


def _ref(model: str) -> Document:
    return {"$ref": _SCHEMAS.format(model=model)}
