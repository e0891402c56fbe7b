"""What the scoring service is told from outside; every name has the prefix REGULARS_SCORING_."""

from __future__ import annotations

from datetime import time
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from regulars_kit.service import ServiceSettings
from regulars_scoring.domain.goods import NOT_GOODS


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="REGULARS_SCORING_")

    time_zone: str = Field(
        "UTC", description="IANA zone in which `today` and the hour of the nightly run are reckoned."
    )
    nightly_at: time = Field(time(3), description="Hour of the nightly run over everybody, in that zone.")
    reporting_currency: str | None = Field(
        None,
        pattern=r"^[A-Z]{3}$",
        description="Currency that money is counted in; none: the first one seen. Kept from the first purchase on.",
    )
    churn_medium_from: float = Field(0.3, ge=0, le=1, description="Churn from which on a customer's risk is medium.")
    churn_high_from: float = Field(
        0.6, ge=0, le=1, description="Churn from which on it is high, and an alarm is raised."
    )
    not_goods: tuple[str, ...] = Field(
        NOT_GOODS, description="Categories of lines that are no goods: they are in no basket, and offered to nobody."
    )
    events_together: int = Field(
        200, ge=1, le=1_000, description="Events heard that share a transaction at most; 1: each has its own."
    )
    published_per_second: int = Field(
        750, ge=50, description="Customers whose new scores a run tells a second at most, after its first 5,000."
    )

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("a time zone is named as in the IANA database, such as Europe/Berlin") from None
        return name

    @model_validator(mode="after")
    def _bands_ascend(self) -> Self:
        if self.churn_medium_from > self.churn_high_from:
            raise ValueError("churn_medium_from is above churn_high_from")
        return self
