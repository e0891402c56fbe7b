"""What the campaign service is told from outside; every name has the prefix REGULARS_CAMPAIGN_."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from regulars_kit.service import ServiceSettings


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
    events_together: int = Field(
        200, ge=1, le=1_000, description="Events heard that share a transaction at most; 1: each has its own."
    )

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("not a zone of the IANA time zone database")
        return name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
