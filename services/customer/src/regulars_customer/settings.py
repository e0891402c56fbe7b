"""What the customer service is told from outside; every name has the prefix REGULARS_CUSTOMER_."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from regulars_kit.auth import Verifier
from regulars_kit.service import ServiceSettings

SHORTEST_KEY_BYTES = 16


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="REGULARS_CUSTOMER_")

    identifier_keys: dict[str, SecretStr] = Field(
        description="JSON object, key id to key in hexadecimal (16 bytes or more): identifiers are hashed under them."
    )
    # What was hashed under another key keeps its hash: no key may leave the list while a hash of it is about.
    identifier_key_id: str = Field(description="Which of the keys is used from now on.")
    default_region: str | None = Field(
        None, description="Country (ISO 3166-1 alpha-2) of phone numbers written without one; none: they are refused."
    )

    callers: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "JSON object, name of a service that may call /internal (`campaign`) to its public key: PEM, or the base64 "
            "within it; two PEM blocks while it changes. Nobody may by default."
        ),
    )
    lapsed_after_days: int = Field(
        365, ge=1, le=36_500, description="Days without a purchase after which a customer has lapsed."
    )
    loyal_from_purchases: int = Field(5, ge=3, le=1_000_000, description="Purchases from which a customer is loyal.")
    events_together: int = Field(
        1_000, ge=1, le=1_000, description="Events heard that share a transaction at most; 1: each has its own."
    )

    @field_validator("callers")
    @classmethod
    def _are_keys(cls, callers: dict[str, str]) -> dict[str, str]:
        keys = {name: key if "-----BEGIN" in key else as_pem(key) for name, key in callers.items()}
        Verifier(keys, "customer")
        return keys

    @field_validator("default_region")
    @classmethod
    def _is_region(cls, region: str | None) -> str | None:
        if region is not None and not (len(region) == 2 and region.isascii() and region.isupper()):
            raise ValueError("a region is two capital letters, such as DE")
        return region

    @model_validator(mode="after")
    def _active_key_is_listed(self) -> Self:
        if self.identifier_key_id not in self.identifier_keys:
            raise ValueError("identifier_key_id is not among identifier_keys")
        if any(len(key) < SHORTEST_KEY_BYTES for key in self.keys().values()):
            raise ValueError(f"an identifier key has at least {SHORTEST_KEY_BYTES} bytes")
        return self

    @model_validator(mode="after")
    def _door_is_no_caller(self) -> Self:
        if self.principal_issuer in self.callers:
            raise ValueError("callers are services: the door, which signs for everybody, is none")
        return self

    @property
    def lapsed_after(self) -> timedelta:
        return timedelta(days=self.lapsed_after_days)

    def keys(self) -> dict[str, bytes]:
        """The identifier keys as bytes. Raises ValueError for one that is not hexadecimal."""
        return {name: bytes.fromhex(key.get_secret_value()) for name, key in self.identifier_keys.items()}


def as_pem(key: str) -> str:
    """The base64 of a public key (SubjectPublicKeyInfo) as PEM."""
    return f"-----BEGIN PUBLIC KEY-----\n{key.strip()}\n-----END PUBLIC KEY-----\n"
