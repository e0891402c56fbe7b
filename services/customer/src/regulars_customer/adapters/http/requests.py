"""What clients send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from regulars_customer.adapters.http.identities import Identities
from regulars_customer.domain.consents import Channel, Decision, Purpose
from regulars_customer.domain.customer import Registration
from regulars_customer.domain.facts import Origin
from regulars_customer.domain.identifiers import Claim, Identifier, IdentifierKind
from regulars_customer.domain.profile import Amendment, AttributeValue, Profile
from regulars_customer.domain.refusals import Contradiction
from regulars_kit.models import NO_CONTROLS, CurrencyCode, Day, Minor, StrictModel, Text
from regulars_kit.values import Money

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$")]
"""BCP 47: `de`, `pt-BR`."""

Tag = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_CONTROLS)]
"""A word by which the shop groups its customers. It is published: it must not name a person."""

AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]

TOLD_BY_API = "api"
"""The source of what a client tells without saying where it comes from."""


class IdentifierIn(StrictModel):
    """An identifier, in any spelling. `source`, for the kind `external` alone, is the system that gave the id."""

    kind: IdentifierKind
    value: Text
    source: Text | None = None

    def read(self, identities: Identities, at: str = "") -> Identifier:
        return identities.read(self.kind, self.value, self.source, at=at)


class ClaimIn(IdentifierIn):
    """`verified`: the shop has proof that it is theirs."""

    verified: bool = False

    def to_claim(self, identities: Identities, at: str = "") -> Claim:
        return Claim(self.read(identities, at), self.verified)


class DecisionIn(StrictModel):
    """A yes or no. `source` says where it was said, `wording_version` to which text."""

    granted: bool
    wording_version: Text | None = None
    source: Text | None = None

    def to_decision(self, purpose: Purpose, channel: Channel, *, source: str = TOLD_BY_API) -> Decision:
        return Decision(purpose, channel, self.granted, self.source or source, self.wording_version)


class ConsentIn(DecisionIn):
    purpose: Purpose
    channel: Channel


class TraitsIn(StrictModel):
    """What does not name a person and is published to the other services."""

    country: Country | None = None
    city: Text | None = None
    language: Language | None = None
    birth_month: Annotated[int, Field(ge=1, le=12)] | None = None
    tags: list[Tag] | None = None


class ProfileIn(StrictModel):
    """A JSON Merge Patch (RFC 7396): what is missing stays, null removes. `language` and `tags` are traits too."""

    name: Text | None = None
    given_name: Text | None = None
    family_name: Text | None = None
    birth_date: Day | None = None
    language: Language | None = None
    time_zone: Text | None = None
    traits: TraitsIn | None = None
    tags: list[Tag] | None = None
    attributes: dict[AttributeName, Text | Minor | bool | None] | None = None

    def to_amendment(self) -> Amendment:
        """Raises `Contradiction` when a trait is said twice and differently."""
        fields = self._fields()
        removes_all, attributes = self._attributes()

        def amendment(profile: Profile) -> Profile:
            kept = {} if removes_all else dict(profile.attributes)
            merged = {name: value for name, value in (kept | attributes).items() if value is not None}
            return replace(profile, **fields, attributes=merged)

        return amendment

    def _fields(self) -> dict[str, Any]:
        said: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set & _PLAIN}
        for name, value in self._traits().items():
            if said.setdefault(name, value) != value:
                raise Contradiction("is said twice, and differently", field=f"/traits/{name}")
        if "tags" in said:
            said["tags"] = tuple(sorted(set(said["tags"] or ())))
        if said.get("birth_date") is not None:
            said.setdefault("birth_month", None)  # the day tells the month from now on
        return said

    def _traits(self) -> dict[str, Any]:
        if "traits" not in self.model_fields_set:
            return {}
        # A null in the place of the object removes all that it holds.
        if self.traits is None:
            return dict.fromkeys(TraitsIn.model_fields)
        return {name: getattr(self.traits, name) for name in self.traits.model_fields_set}

    def _attributes(self) -> tuple[bool, dict[str, AttributeValue | None]]:
        if self.attributes is None:
            return "attributes" in self.model_fields_set, {}
        return False, dict(self.attributes)


_PLAIN = {"name", "given_name", "family_name", "birth_date", "language", "time_zone", "tags"}


class RegistrationIn(ProfileIn):
    """A customer. `source` tells where they came from, `acquisition_cost_minor` what it cost to win them."""

    identifiers: Annotated[tuple[ClaimIn, ...], Field(max_length=50)] = ()
    consents: Annotated[tuple[ConsentIn, ...], Field(max_length=50)] = ()
    source: Text = TOLD_BY_API
    acquisition_cost_minor: Annotated[Minor, Field(ge=0)] | None = None
    currency: CurrencyCode | None = None

    @model_validator(mode="after")
    def _cost_has_currency(self) -> Self:
        if (self.acquisition_cost_minor is None) != (self.currency is None):
            raise PydanticCustomError("invalid_field", "acquisition_cost_minor and currency stand together")
        return self

    def to_registration(self, identities: Identities, known_by: Identifier | None = None) -> Registration:
        """`known_by` is claimed too, whether the body names it or not."""
        claims = [claim.to_claim(identities, f"/identifiers/{place}") for place, claim in enumerate(self.identifiers)]
        if known_by is not None:
            claims.append(Claim(known_by))
        return Registration(self.to_amendment(), self._origin(), tuple(claims), self._decisions(), known_by)

    def to_import(self, identities: Identities) -> Registration:
        """A registration that can be repeated: its first external id tells whether the customer is known."""
        registration = self.to_registration(identities)
        return replace(registration, known_by=_first_external(registration.claims))

    def _origin(self) -> Origin:
        if self.acquisition_cost_minor is None or self.currency is None:
            return Origin(self.source)
        return Origin(self.source, Money(self.acquisition_cost_minor, self.currency))

    def _decisions(self) -> tuple[Decision, ...]:
        return tuple(said.to_decision(said.purpose, said.channel, source=self.source) for said in self.consents)


def _first_external(claims: Sequence[Claim]) -> Identifier | None:
    for claim in claims:
        if claim.identifier.kind is IdentifierKind.EXTERNAL:
            return claim.identifier
    return None


class SearchIn(StrictModel):
    identifier: IdentifierIn
