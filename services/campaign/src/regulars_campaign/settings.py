"""What the campaign service is told from outside; every name has the prefix REGULARS_CAMPAIGN_."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from regulars_campaign.domain.campaigns import Channel
from regulars_kit.service import ServiceSettings
from regulars_kit.values import Money


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="REGULARS_CAMPAIGN_")

    time_zone: str = Field("UTC", description="IANA zone of the shop: its days are those that rules count in.")
    customer_url: str = Field(
        "http://127.0.0.1:8000", description="Where the customer service's `serve` answers, asked at each sending."
    )
    signing_key: Path | None = Field(
        None,
        description="PEM file with the private key by which this service asks others; none: every message waits.",
    )
    sink_dir: Path | None = Field(
        None, description="Folder that e-mails are written to, one file each; none: no campaign can be launched."
    )
    message_cost_minor: dict[Channel, Annotated[int, Field(ge=0, le=10**6)]] = Field(
        {},
        description='What sending a message costs by channel, in minor units: `{"email": 1}`; none: nobody has said.',
    )
    message_cost_currency: str | None = Field(
        None, pattern=r"^[A-Z]{3}$", description="Currency of those costs; stands together with them."
    )
    events_together: int = Field(
        200, ge=1, le=1_000, description="Events heard that share a transaction at most; 1: each has its own."
    )

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("not a zone of the IANA time zone database")
        return name

    @model_validator(mode="after")
    def _costs_have_a_currency(self) -> Self:
        if bool(self.message_cost_minor) != (self.message_cost_currency is not None):
            raise ValueError("message_cost_minor and message_cost_currency stand together")
        return self

    @property
    def message_costs(self) -> Mapping[str, Money]:
        """By channel; a message of a channel that is missing costs nobody knows what."""
        currency = self.message_cost_currency
        if currency is None:
            return {}
        return {channel: Money(minor, currency) for channel, minor in self.message_cost_minor.items()}

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
