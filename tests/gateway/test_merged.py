"""One OpenAPI document for all services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import BaseModel
from schemathesis.specs.openapi.definitions import OPENAPI_31

from regulars_gateway.adapters.http.merged import Document, merged


def a_service(field: str) -> Document:
    """A document whose models `Thing` and `Shelf` (which holds one) differ by a field's name; `Same` never does."""
    app = FastAPI(title=field)
    thing = type("Thing", (BaseModel,), {"__annotations__": {field: int}})
    shelf = type("Shelf", (BaseModel,), {"__annotations__": {"thing": thing}})
    same = type("Same", (BaseModel,), {"__annotations__": {"reason": str}})

    def list_things() -> None: ...

    app.get(f"/v1/{field}/things", response_model=shelf)(list_things)
    app.get("/v1/jobs/{id}", response_model=same)(list_things)
    app.get("/healthz")(list_things)
    app.get("/internal/subjects/{id}")(list_things)
    return app.openapi()


@pytest.fixture
def document() -> Document:
    return merged({"customer": a_service("customer"), "loyalty": a_service("loyalty")}, "1.0")


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolves(document: Document, pointer: str) -> bool:
    node: Any = document
    for step in pointer.removeprefix("#/").split("/"):
        node = node.get(step) if isinstance(node, dict) else None
    return node is not None


def assert_is_valid(document: Document) -> None:
    Draft202012Validator(OPENAPI_31).validate(document)
    assert [r for r in references(document) if not resolves(document, r)] == []
    operations = [o["operationId"] for item in document["paths"].values() for o in item.values() if "operationId" in o]
    assert len(operations) == len(set(operations))


def test_the_whole_is_valid_and_shows_what_stands_behind_the_door_alone(document: Document) -> None:
    assert_is_valid(document)
    assert sorted(document["paths"]) == ["/v1/customer/things", "/v1/jobs/{id}", "/v1/loyalty/things"]
    assert document["security"] == [{"api_key": []}]


def test_models_of_one_name_are_told_apart_and_so_is_what_holds_them(document: Document) -> None:
    schemas = document["components"]["schemas"]
    assert {"CustomerThing", "LoyaltyThing", "CustomerShelf", "LoyaltyShelf", "Same"} <= schemas.keys()
    assert schemas["CustomerShelf"]["properties"]["thing"]["$ref"] == "#/components/schemas/CustomerThing"
    assert "Thing" not in schemas


def test_a_path_of_two_services_is_a_bug_found_at_the_start() -> None:
    with pytest.raises(ValueError, match="served by two services"):
        merged({"customer": a_service("things"), "loyalty": a_service("things")}, "1.0")


def test_the_checker_sees_a_reference_that_leads_nowhere(document: Document) -> None:
    del document["components"]["schemas"]["CustomerThing"]
    with pytest.raises(AssertionError):
        assert_is_valid(document)
