"""The settings every service has, read from the environment under the service's prefix."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Subclassed by each service with its `env_prefix`. A frozen settings object is made once, by the process."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    database_url: str = Field(description="PostgreSQL database of the service, as postgresql+asyncpg://…")
    database_pool: int = Field(10, ge=1, le=100, description="Connections one process keeps at most.")
    bus: Literal["postgres", "kafka"] = Field("postgres", description="What carries events between the services.")
    bus_url: str = Field("", description="Database URL of the PostgreSQL bus, or Kafka's bootstrap servers.")
    principal_public_key: Path | None = Field(
        None,
        description="PEM file with the public key of the door; both keys, one after the other, while it changes.",
    )
    principal_issuer: str = Field("gateway", description="The `kid` by which the door signs.")
    host: str = Field("127.0.0.1", description="Address `serve` listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port of `serve`.")
    health_port: int = Field(8001, ge=0, le=65535, description="Port of health and metrics of `consume` and `relay`.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severity logged.")
    log_format: Literal["json", "console"] = Field("json", description="Log records for machines or for people.")
    traces_endpoint: str | None = Field(None, description="OTLP/HTTP address for traces; none are made without.")
    traces_ratio: float = Field(0.01, ge=0, le=1, description="Share of requests traced.")


def settings_table(settings: type[ServiceSettings]) -> list[tuple[str, str, str]]:
    """(environment variable, default, meaning) of each setting: what the documentation prints."""
    prefix = settings.model_config.get("env_prefix", "")
    return [
        (f"{prefix}{name}".upper(), "required" if field.is_required() else repr(field.default), field.description or "")
        for name, field in settings.model_fields.items()
    ]


def faults_of(error: ValidationError, prefix: str) -> str:
    """What is wrong with the environment, a line each, by the variables' names: they begin with `prefix`."""
    faults = (f"{prefix}{'__'.join(map(str, fault['loc']))}".upper() + f": {fault['msg']}" for fault in error.errors())
    return "\n".join(["the settings do not fit:", *faults])
