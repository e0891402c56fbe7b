"""What customer says no to, each with its stable code."""

from __future__ import annotations

from typing import ClassVar

from regulars_kit.values import Refused


class UnknownCustomer(Refused):
    """No customer has this id."""

    code: ClassVar[str] = "unknown_customer"


class UnknownIdentifier(Refused):
    """The customer holds no identifier with this id."""

    code: ClassVar[str] = "unknown_identifier"


class BadIdentifier(Refused):
    """An e-mail address, telephone number, card or external id that cannot be one."""

    code: ClassVar[str] = "bad_identifier"


class IdentifierTaken(Refused):
    """Another customer holds the identifier; `field` points at it."""

    code: ClassVar[str] = "identifier_taken"


class TooManyEntries(Refused):
    """More identifiers, tags or attributes than one customer may have."""

    code: ClassVar[str] = "too_many_entries"


class ExternalIdRequired(Refused):
    """A line of an import names no external id, so it could not be repeated without a double."""

    code: ClassVar[str] = "external_id_required"


class ChangedMeanwhile(Refused):
    """The customer is no longer at the version the caller has seen."""

    code: ClassVar[str] = "changed_meanwhile"


class BadProfile(Refused):
    """A field of the profile that cannot be true; `field` points at it."""

    code: ClassVar[str] = "bad_profile"


class UnknownTimeZone(BadProfile):
    """Not a zone of the IANA time zone database."""

    code: ClassVar[str] = "unknown_time_zone"


class BornInTheFuture(BadProfile):
    """A birth date after today, or before 1800."""

    code: ClassVar[str] = "bad_birth_date"


class Contradiction(BadProfile):
    """Two fields of one request say different things about the same fact."""

    code: ClassVar[str] = "contradictory_fields"
