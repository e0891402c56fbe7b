"""What all answers have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, protected_namespaces=())


def share(part: int, whole: int) -> float | None:
    """None where there is nothing to share."""
    return part / whole if whole > 0 else None
