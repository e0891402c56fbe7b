"""What the gateway says no to, each with its stable code."""

from __future__ import annotations

from typing import ClassVar

from regulars_kit.values import Refused


class ApiKeyRequired(Refused):
    """No API key came with the request."""

    code: ClassVar[str] = "api_key_required"


class ApiKeyUnknown(Refused):
    """The API key is not known here: mistyped, revoked, or past its end."""

    code: ClassVar[str] = "api_key_unknown"


class UnknownAudience(Refused):
    """No service has this name."""

    code: ClassVar[str] = "unknown_audience"


class UnknownKey(Refused):
    """No key has this id."""

    code: ClassVar[str] = "unknown_key"


class KeyEnded(Refused):
    """The key is revoked or past its end: it cannot be rotated any more."""

    code: ClassVar[str] = "key_ended"


class UnknownScope(Refused):
    """No route asks for this scope, or it is not for keys."""

    code: ClassVar[str] = "unknown_scope"


class NotYoursToGive(Refused):
    """A key is given, or made anew, only by one who may do all that it may."""

    code: ClassVar[str] = "not_yours_to_give"


class InThePast(Refused):
    """An end that has already been."""

    code: ClassVar[str] = "in_the_past"


class UnknownEndpoint(Refused):
    """No webhook endpoint has this id."""

    code: ClassVar[str] = "unknown_endpoint"


class TooManyEndpoints(Refused):
    """There are as many webhook endpoints as there may be."""

    code: ClassVar[str] = "too_many_endpoints"


class BadUrl(Refused):
    """Not an address that webhooks can be sent to."""

    code: ClassVar[str] = "bad_url"


class AddressDenied(BadUrl):
    """A private, local or reserved address, to which nothing is sent unless the operator allows its network."""

    code: ClassVar[str] = "address_denied"


class UnknownEventType(Refused):
    """No event of this type is published."""

    code: ClassVar[str] = "unknown_event_type"


class EndpointIsDisabled(Refused):
    """The endpoint gets no deliveries: enable it first."""

    code: ClassVar[str] = "endpoint_disabled"


class UnknownDelivery(Refused):
    """No delivery has this id: there was none, or it is older than 30 days."""

    code: ClassVar[str] = "unknown_delivery"


class CursorExpired(Refused):
    """The feed no longer reaches back to this place: what lies between is older than 30 days."""

    code: ClassVar[str] = "cursor_expired"
