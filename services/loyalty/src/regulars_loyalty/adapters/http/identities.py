"""Who shopped, as clients say it. A card, phone number or e-mail address is hashed at once; no clear one is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from regulars_contracts import identifiers
from regulars_kit.models import StrictModel, Text
from regulars_kit.validation import FieldError, InvalidRequest
from regulars_loyalty.adapters.http.problems import BadIdentifier
from regulars_loyalty.application.purchase_rows import Shopper


class CustomerIn(StrictModel):
    """Exactly one of: the customer's id, or a card, phone number or e-mail address in any spelling."""

    id: UUID | None = None
    card: Text | None = None
    phone: Text | None = None
    email: Text | None = None


@dataclass(frozen=True, slots=True)
class Identities:
    """Reads whom a body names. A phone number written without its country is taken for one of `default_region`'s."""

    hasher: identifiers.Hasher
    default_region: str | None = None

    @classmethod
    def under(cls, keys: Mapping[str, bytes], active: str, default_region: str | None = None) -> Self:
        """Hash under the key `active`. Raises ValueError for keys that cannot serve."""
        return cls(identifiers.Hasher(keys, active), default_region)

    def shopper(self, customer: CustomerIn, at: str = "/customer") -> Shopper:
        """The customer named by the object at the JSON Pointer `at`. Raises `BadIdentifier` or `InvalidRequest`."""
        shown: list[tuple[identifiers.Kind, str]] = []
        if customer.card is not None:
            shown.append(("card", customer.card))
        if customer.phone is not None:
            shown.append(("phone", customer.phone))
        if customer.email is not None:
            shown.append(("email", customer.email))
        if len(shown) + (customer.id is not None) != 1:
            raise InvalidRequest([FieldError("invalid_field", "must have exactly one of id, card, phone, email", at)])
        return Shopper(customer.id) if customer.id else Shopper(None, self._hash(*shown[0], at))

    def _hash(self, kind: identifiers.Kind, value: str, at: str) -> str:
        try:
            return self.hasher.hash(identifiers.Identifier(kind, value, self.default_region))
        except identifiers.BadIdentifier as bad:
            raise BadIdentifier(str(bad), field=f"{at}/{kind}") from None
