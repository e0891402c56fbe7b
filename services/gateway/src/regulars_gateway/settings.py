"""What the gateway is told from outside; every name has the prefix REGULARS_GATEWAY_."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from regulars_gateway.application.ports import Terms
from regulars_kit.service import ServiceSettings


def _listed(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _networks(value: Any) -> Any:
    return tuple(ip_network(part) if isinstance(part, str) else part for part in _listed(value))


def _seconds(value: Any) -> Any:
    return tuple(float(part) if isinstance(part, str) else part for part in _listed(value))


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_listed)]
Waits = Annotated[tuple[Annotated[float, Field(ge=0)], ...], NoDecode, BeforeValidator(_seconds)]


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="REGULARS_GATEWAY_")

    principal_private_key: Path | None = Field(
        None, description="PEM file with the key that principals are signed by; `serve` needs it."
    )
    admin_key: SecretStr | None = Field(None, description="An API key that opens everything, ensured at each start.")
    admin_key_file: Path | None = Field(None, description="File with the same, for those who keep secrets in files.")
    service_urls: dict[str, str] = Field(
        default_factory=dict,
        description='JSON object, service to the address of its `serve`: {"loyalty": "http://loyalty:8000"}.',
    )
    more_scopes: Names = Field(
        frozenset(), description="Scopes that keys may hold beside those of the services' routes, comma-separated."
    )
    key_cache_s: float = Field(
        5.0, gt=0, le=5, description="Seconds for which a key is not looked up again; so late a revocation is felt."
    )
    allowed_networks: Networks = Field(
        (), description="Private networks that webhooks may go to, comma-separated: 127.0.0.0/8,10.1.0.0/16."
    )
    retry_schedule_s: Waits = Field(
        (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000),
        description="Seconds between the attempts of a delivery, comma-separated; after the last it is exhausted.",
    )
    retry_jitter: float = Field(0.1, ge=0, le=1, description="By what share a wait is lengthened at most, by chance.")
    delivery_timeout_s: float = Field(10.0, gt=0, le=60, description="Seconds that a receiver has for its answer.")
    deliveries_at_once: int = Field(256, ge=1, le=1_000, description="Deliveries one process has in flight at most.")
    deliveries_per_endpoint: int = Field(100, ge=1, le=100, description="Of those, to one endpoint at most.")

    def terms(self) -> Terms:
        """How deliveries are made. A lease outlasts what can be done under it: a lane's turn and one more answer."""
        return Terms(
            schedule=[timedelta(seconds=wait_s) for wait_s in self.retry_schedule_s],
            jitter=self.retry_jitter,
            lease=timedelta(seconds=self.delivery_timeout_s + 7),
            per_endpoint=self.deliveries_per_endpoint,
            at_once=self.deliveries_at_once,
        )

    def administrator(self) -> str | None:
        """The administrator's key, None without one. Raises OSError when its file cannot be read."""
        if self.admin_key is not None:
            return self.admin_key.get_secret_value()
        return None if self.admin_key_file is None else self.admin_key_file.read_text().strip()
