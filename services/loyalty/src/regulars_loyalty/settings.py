"""What the loyalty service is told from outside; every name has the prefix REGULARS_LOYALTY_."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from regulars_kit.service import ServiceSettings

SHORTEST_KEY_BYTES = 16


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="REGULARS_LOYALTY_")

    identifier_keys: dict[str, SecretStr] = Field(
        description="JSON object, key id to key in hexadecimal (16 bytes or more): the customer service's own."
    )
    identifier_key_id: str = Field(description="Which of the keys is used from now on; the customer service's own.")
    default_region: str | None = Field(
        None, description="Country (ISO 3166-1 alpha-2) of phone numbers written without one; none: they are refused."
    )

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

    def keys(self) -> dict[str, bytes]:
        """The identifier keys as bytes. Raises ValueError for one that is not hexadecimal."""
        return {name: bytes.fromhex(key.get_secret_value()) for name, key in self.identifier_keys.items()}
