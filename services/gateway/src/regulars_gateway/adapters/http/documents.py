"""What anyone may read without a key: the one API as OpenAPI, its pages, and all events as AsyncAPI."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from regulars_contracts.published import asyncapi_document
from regulars_gateway.adapters.http.merged import merged
from regulars_gateway.adapters.http.neighbours import Document, Neighbours
from regulars_kit.auth import open_to_all
from regulars_kit.http import NotFound

OPENAPI, DOCS, ASYNCAPI, STATIC = "/openapi.json", "/docs", "/asyncapi.json", "/docs/static"
PUBLIC_PATHS = frozenset({OPENAPI, DOCS, ASYNCAPI})
_PAGE_FILES = frozenset({"swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"})


def add_documents(app: FastAPI, neighbours: Neighbours) -> None:
    """The routes of the documents; they are in no document themselves."""

    whole = _Whole()

    async def openapi(request: Request) -> Response:
        return Response(whole.of(await neighbours.documents()), media_type="application/json")

    async def asyncapi(request: Request) -> Response:
        return Response(asyncapi_document(), media_type="application/json")

    for path, answer in ((OPENAPI, openapi), (ASYNCAPI, asyncapi), (DOCS, _docs), (STATIC + "/{name}", _static)):
        app.add_route(path, open_to_all(answer), methods=["GET"], include_in_schema=False)


class _Whole:
    """The merged document as bytes, made anew when a service shows another one."""

    def __init__(self) -> None:
        self._parts: list[Document] = []
        self._bytes = b""

    def of(self, documents: Mapping[str, Document]) -> bytes:
        parts = list(documents.values())
        if not self._bytes or list(map(id, parts)) != list(map(id, self._parts)):
            self._parts = parts
            self._bytes = json.dumps(merged(documents, version("regulars-gateway"))).encode()
        return self._bytes


async def _docs(request: Request) -> Response:
    return get_swagger_ui_html(
        openapi_url=OPENAPI,
        title="Regulars",
        swagger_js_url=f"{STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{STATIC}/swagger-ui.css",
        swagger_favicon_url=f"{STATIC}/favicon.png",
    )


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _PAGE_FILES:
        raise NotFound("there is nothing at this address")
    return FileResponse(_swagger_ui() / name)


def _swagger_ui() -> Path:
    """Swagger UI's files as they come in a wheel: a machine without a network has its documentation too."""
    spec = importlib.util.find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package fastapi-offline is missing")
    return Path(spec.origin).parent / "static"
