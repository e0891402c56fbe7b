"""Identifiers of a customer: written in one way only, and hashed with a key.

A card, phone number, e-mail address or external id is brought to one normal form, so that every spelling of it gives
one hash. The hash is HMAC-SHA-256 under a secret key: without the key nobody can try out all phone numbers. It names
its key ("k1:…"), so that a new key can be made active while old hashes are still found. No message or repr here shows
a clear value.

* card: separators removed, upper-cased; ASCII letters and digits remain.
* phone: E.164 by the `phonenumbers` library; a national number needs `default_region`. A number must have a possible
  length but need not be assigned: numbering plans change, and a number accepted once must stay so. Extensions are
  refused, because E.164 has no place for them and one switchboard would become one customer.
* email: domain lower-cased (international names in Unicode), local part casefolded: RFC 5321 would tell `A@` from `a@`,
  no provider does. Plus-tags and dots are **kept**: whether `ann+shop@` is `ann@` is known to her provider alone.
* external: `<source>:<id>`, trimmed, otherwise taken as it is: other systems' ids may differ in case alone.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field
from typing import Literal, get_args

import phonenumbers
from email_validator import EmailNotValidError, validate_email

Kind = Literal["card", "phone", "email", "external"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_KEY_ID = re.compile(r"[a-z0-9_-]{1,16}")
_SHORTEST_KEY = 16
_LONGEST_CARD = 64
_LONGEST = 255
# What people, scanners and spreadsheets put between the groups of a number: blanks, dashes, dots, slashes.
_SEPARATORS = dict.fromkeys(map(ord, " \t\r\n\u00a0\u2007\u2009\u202f-_./\u2010\u2011\u2012\u2013\u2014\u2212"))


class BadIdentifier(ValueError):
    """Not an identifier of its kind. The message never repeats the value."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier in its normal form, whichever way it was spelled. Raises BadIdentifier.

    `default_region` (ISO 3166, "DE") is the country of a phone number that is written without one.
    """

    kind: Kind
    value: str = field(repr=False)
    default_region: InitVar[str | None] = None

    def __post_init__(self, default_region: str | None) -> None:
        object.__setattr__(self, "value", normalise(self.kind, self.value, default_region))


@dataclass(frozen=True, slots=True)
class Hasher:
    """Hashes identifiers under the active key; the other keys serve to find what was hashed before.

    Key ids are 1 to 16 of a-z, 0-9, `_`, `-`; a key has at least 16 bytes. Raises ValueError otherwise.
    """

    keys: Mapping[str, bytes] = field(repr=False)
    active: str

    def __post_init__(self) -> None:
        if self.active not in self.keys:
            raise ValueError("the active key is not among the keys")
        for key_id, key in self.keys.items():
            if not _KEY_ID.fullmatch(key_id):
                raise ValueError("a key id is 1 to 16 of a-z, 0-9, '_' and '-'")
            if len(key) < _SHORTEST_KEY:
                raise ValueError(f"a key has at least {_SHORTEST_KEY} bytes")

    def hash(self, identifier: Identifier) -> str:
        """`<key id>:<64 hexadecimal digits>` under the active key: what is stored and published."""
        return _hash(self.active, self.keys[self.active], identifier)

    def hashes(self, identifier: Identifier) -> tuple[str, ...]:
        """The hash under every key, the active one first: what a look-up compares with while keys change."""
        others = (_hash(key_id, key, identifier) for key_id, key in self.keys.items() if key_id != self.active)
        return (self.hash(identifier), *others)


def normalise(kind: Kind, value: str, default_region: str | None = None) -> str:
    """The one spelling of an identifier. Raises BadIdentifier; see the module for the rules of each kind."""
    if kind == "phone":
        return _phone(value, default_region)
    try:
        return _NORMAL_FORMS[kind](value)
    except KeyError:
        raise BadIdentifier(f"the kind of an identifier is one of {', '.join(KINDS)}") from None


def _hash(key_id: str, key: bytes, identifier: Identifier) -> str:
    # The kind goes in, so that two kinds never share a hash, whatever their normal forms may become.
    message = f"{identifier.kind}\0{identifier.value}".encode()
    return f"{key_id}:{hmac.digest(key, message, 'sha256').hex()}"


def _card(value: str) -> str:
    card = value.translate(_SEPARATORS)
    if not (card.isascii() and card.isalnum() and len(card) <= _LONGEST_CARD):
        raise BadIdentifier(f"a card has 1 to {_LONGEST_CARD} letters and digits")
    return card.upper()


def _phone(value: str, default_region: str | None) -> str:
    try:
        number = phonenumbers.parse(value, default_region)
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        again = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        raise BadIdentifier("not a phone number; write it with its country, as in +49 …") from None
    if number.extension:
        raise BadIdentifier("a phone number is given without an extension")
    # Surplus zeros ("+31 000…") are dropped one at a time: such a number would have several normal forms.
    if again != number or not _has_possible_length(number):
        raise BadIdentifier("a phone number of that length does not exist in its country")
    return e164


def _has_possible_length(number: phonenumbers.PhoneNumber) -> bool:
    return phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE


def _email(value: str) -> str:
    try:
        address = validate_email(value.strip(), check_deliverability=False)
    except EmailNotValidError:
        raise BadIdentifier("not an e-mail address") from None
    local = unicodedata.normalize("NFC", address.local_part.casefold())
    return f"{local}@{address.domain.lower()}"


def _external(value: str) -> str:
    text = unicodedata.normalize("NFC", value).strip()
    source, _, reference = text.partition(":")
    if not (source and reference and len(text) <= _LONGEST and text.isprintable()):
        raise BadIdentifier(f"an external id is <source>:<id>, at most {_LONGEST} printable characters")
    return text


_NORMAL_FORMS: Mapping[str, Callable[[str], str]] = {"card": _card, "email": _email, "external": _external}
