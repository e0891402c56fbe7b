"""One OpenAPI document out of the services': what stands behind the door, as one API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_DESCRIPTION = (
    "Customers, purchases and points, scores, campaigns and webhooks. "
    "Every request carries the API key: `Authorization: Bearer rk_…`. "
    "Errors are problem documents (RFC 9457) with a stable `code`."
)


def merged(documents: Mapping[str, Document], version: str) -> Document:
    """Service name -> its document, into one. Neither internal routes nor a process's own probes are in it.

    A component that two services define differently under one name gets its service's name in front; a path that
    both serve (jobs, dead letters) is shown once. Raises `ValueError` for any other path that two services claim.
    """
    renamed = _renamed_components(documents)
    whole: Document = {
        "openapi": "3.1.0",
        "info": {"title": "Regulars", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": service} for service in documents],
        "paths": {},
        "components": {"securitySchemes": {"api_key": {"type": "http", "scheme": "bearer"}}},
        "security": [{"api_key": []}],
    }
    for service, document in documents.items():
        ours = _rewritten(document, renamed[service])
        _add_components(whole, ours, renamed[service])
        _add_paths(whole, ours, service)
    _name_operations_apart(whole)
    return whole


def _renamed_components(documents: Mapping[str, Document]) -> dict[str, dict[str, str]]:
    """Service -> `#/components/…` of its own -> the same in the whole; only those that must move."""
    seen: dict[str, Any] = {}
    clashing = set()
    for document in documents.values():
        for pointer, component in _components(document):
            if seen.setdefault(pointer, component) != component:
                clashing.add(pointer)
    # What refers to a renamed component is no longer the same in both documents.
    while more := {
        p for d in documents.values() for p, c in _components(d) if p not in clashing and _refers(c, clashing)
    }:
        clashing |= more
    return {
        service: {p: _prefixed(p, service) for p, _ in _components(document) if p in clashing}
        for service, document in documents.items()
    }


def _components(document: Document) -> list[tuple[str, Any]]:
    sections = document.get("components", {}).items()
    return [
        (f"#/components/{section}/{name}", component)
        for section, named in sections
        if section != "securitySchemes"
        for name, component in named.items()
    ]


def _refers(node: Any, pointers: set[str]) -> bool:
    if isinstance(node, dict):
        return node.get("$ref") in pointers or any(_refers(value, pointers) for value in node.values())
    return isinstance(node, list) and any(_refers(value, pointers) for value in node)


def _prefixed(pointer: str, service: str) -> str:
    head, _, name = pointer.rpartition("/")
    return f"{head}/{service.capitalize()}{name}"


def _rewritten(node: Any, renamed: Mapping[str, str]) -> Any:
    """A copy in which every reference (also a discriminator's) follows its component's new name."""
    if isinstance(node, dict):
        return {key: _rewritten(value, renamed) for key, value in node.items()}
    if isinstance(node, list):
        return [_rewritten(value, renamed) for value in node]
    return renamed.get(node, node) if isinstance(node, str) else node


def _add_components(whole: Document, document: Document, renamed: Mapping[str, str]) -> None:
    for pointer, component in _components(document):
        section, name = renamed.get(pointer, pointer).split("/")[2:]
        whole["components"].setdefault(section, {})[name] = component


def _add_paths(whole: Document, document: Document, service: str) -> None:
    for path, item in document["paths"].items():
        if not path.startswith("/v1/"):
            continue
        if path in whole["paths"]:
            if not path.startswith(("/v1/jobs", "/v1/dead-letters")):
                raise ValueError(f"{path} is served by two services")
            continue
        whole["paths"][path] = {key: _operation(key, value, service) for key, value in item.items()}


def _operation(key: str, value: Any, service: str) -> Any:
    if key not in _METHODS:
        return value
    # How a service knows its caller (the signed principal) is between it and the door.
    return {name: part for name, part in value.items() if name != "security"} | {"tags": [service]}


def _name_operations_apart(whole: Document) -> None:
    taken: set[str] = set()
    for item in whole["paths"].values():
        for method in _METHODS & item.keys():
            name = item[method].get("operationId")
            if name in taken:
                item[method]["operationId"] = name = f"{item[method]['tags'][0]}_{name}"
            taken.add(name)
