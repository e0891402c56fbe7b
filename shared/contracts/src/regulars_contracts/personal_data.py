"""Which field names would carry personal data, and so may stand in no event.

Personal data lives in the customer service alone. This list is a net, not a proof: it catches the field that someone
adds in good faith. Matching is by whole words (`store_name`, `firstName`), so that `nameless` or `emailed` pass.
"""

from __future__ import annotations

import re

_PERSONAL = re.compile(
    r"(^|_)("
    r"name|firstname|lastname|surname|forename|nickname|salutation|email|mail|phone|telephone|mobile|fax|msisdn"
    r"|address|street|house_number|postcode|postal_code|zip|zipcode|ip|lat|lon|latitude|longitude"
    r"|birth_date|birthdate|birthday|date_of_birth|dob|ssn|tax_id|passport|iban|card_number|password"
    r"|note|notes|comment|comments|text|message(?!_id$)|body"
    r")(_|$)"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_personal(field: str) -> bool:
    """Whether a field of this name would name, reach or describe a person, or hold what somebody wrote."""
    snake = _CAMEL.sub("_", field).lower().replace("-", "_")
    return _PERSONAL.search(snake) is not None
