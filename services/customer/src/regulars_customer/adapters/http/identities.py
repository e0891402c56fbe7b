"""Identifiers as clients write them, read into their one normal form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from regulars_contracts import identifiers as contract
from regulars_customer.domain.identifiers import Identifier, IdentifierKind
from regulars_customer.domain.refusals import BadIdentifier

# A source has no colon: `<source>:<id>` is cut at the first.
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Identities:
    """Reads identifiers. A phone number written without its country is taken for one of `default_region`'s."""

    hasher: contract.Hasher
    default_region: str | None = None

    @classmethod
    def under(cls, keys: Mapping[str, bytes], active: str, default_region: str | None = None) -> Self:
        """Hash under the key `active`. Raises ValueError for keys that cannot serve."""
        return cls(contract.Hasher(keys, active), default_region)

    def read(self, kind: IdentifierKind, value: str, source: str | None = None, *, at: str = "") -> Identifier:
        """The identifier, normalised and hashed. `at` is the JSON Pointer of the object it stands in.

        Raises `BadIdentifier`, which never repeats the value.
        """
        try:
            identifier = contract.Identifier(kind.value, _with_source(kind, value, source, at), self.default_region)
        except contract.BadIdentifier as bad:
            raise BadIdentifier(str(bad), field=f"{at}/value") from bad
        return Identifier(kind, identifier.value, self.hasher.hash(identifier))


def _with_source(kind: IdentifierKind, value: str, source: str | None, at: str) -> str:
    if kind is not IdentifierKind.EXTERNAL:
        if source is not None:
            raise BadIdentifier("only an external id has a source", field=f"{at}/source")
        return value
    if source is None or not _SOURCE.fullmatch(source):
        detail = "the source of an external id is 1 to 64 letters, digits, '_', '.' and '-'"
        raise BadIdentifier(detail, field=f"{at}/source")
    return f"{source}:{value.strip()}"
