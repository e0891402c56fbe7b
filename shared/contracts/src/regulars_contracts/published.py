"""The AsyncAPI document as the package carries it: in a checkout and in an installed wheel alike."""

from __future__ import annotations

from importlib.resources import files


def asyncapi_document() -> bytes:
    """The AsyncAPI 3 document of all topics and events, as JSON."""
    return files("regulars_contracts").joinpath("asyncapi.json").read_bytes()
