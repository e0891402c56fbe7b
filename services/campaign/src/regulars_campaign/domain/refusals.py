"""What campaign says no to, each with its stable code."""

from __future__ import annotations

from typing import ClassVar

from regulars_kit.values import Refused


class UnknownSegment(Refused):
    """No segment has this id or code."""

    code: ClassVar[str] = "unknown_segment"


class UnknownTemplate(Refused):
    """No template has this id or code."""

    code: ClassVar[str] = "unknown_template"


class UnknownCampaign(Refused):
    """No campaign has this id."""

    code: ClassVar[str] = "unknown_campaign"


class UnknownCustomer(Refused):
    """Nothing was ever heard of this customer."""

    code: ClassVar[str] = "unknown_customer"


class CodeTaken(Refused):
    """Another one has this code."""

    code: ClassVar[str] = "code_taken"


class TooManySegments(Refused):
    """A shop has as many segments as it may have; each one is judged at every event that touches it."""

    code: ClassVar[str] = "too_many_segments"


class InvalidRule(Refused):
    """A segment's rule that cannot be read; `field` points at the node."""

    code: ClassVar[str] = "invalid_rule"


class UnknownRuleField(InvalidRule):
    """A segment's rule asks for something that customers do not have."""

    code: ClassVar[str] = "unknown_rule_field"


class RuleTooLarge(InvalidRule):
    """A segment's rule has more leaves, levels or values than a rule may have."""

    code: ClassVar[str] = "rule_too_large"


class InvalidTemplate(Refused):
    """A template that is no Liquid, or asks for more than a template may do."""

    code: ClassVar[str] = "invalid_template"


class UnknownVariable(InvalidTemplate):
    """A template names a variable that no message has."""

    code: ClassVar[str] = "unknown_variable"


class WrongState(Refused):
    """A campaign cannot do this from the state it is in."""

    code: ClassVar[str] = "wrong_state"


class ChannelNotConfigured(Refused):
    """No provider is configured for the campaign's channel."""

    code: ClassVar[str] = "channel_not_configured"
