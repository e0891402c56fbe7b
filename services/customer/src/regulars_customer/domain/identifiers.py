"""What a customer is recognised by: e-mail, telephone, card, or the id another system gave them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class IdentifierKind(StrEnum):
    """`external` is an id that another system gave."""

    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier in its one normal form, with the keyed hash by which the other services know it.

    An external one is `<source>:<id>`; a source has no colon.
    """

    kind: IdentifierKind
    value: str = field(repr=False)
    hash: str

    @property
    def key(self) -> tuple[str, str]:
        """By what two identifiers are the same one. Not by the hash, which changes with its key."""
        return (self.kind.value, self.value)

    @property
    def source(self) -> str | None:
        """The system that gave an external id; None for the other kinds."""
        return self.value.partition(":")[0] if self.kind is IdentifierKind.EXTERNAL else None

    @property
    def reference(self) -> str:
        """The value without its source."""
        return self.value.partition(":")[2] if self.kind is IdentifierKind.EXTERNAL else self.value


@dataclass(frozen=True, slots=True)
class Claim:
    """An identifier somebody says is theirs; verified when the shop has proof (a code sent there and typed back)."""

    identifier: Identifier
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """An identifier linked to a customer. `id` names the link, so that no personal data need stand in a URL."""

    id: UUID
    identifier: Identifier
    is_verified: bool
    linked_at: datetime
