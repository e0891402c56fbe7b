"""The table of the distributed run: which services there are, and what each is told.

A new service is an entry here; its processes, its database, its routes and its place under Docker follow from it.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from regulars_kit.service import Service

Role = Literal["serve", "consume", "relay"]
ROLES: tuple[Role, ...] = ("serve", "consume", "relay")
ISSUER = "gateway"
IDENTIFIER_KEY = "k1"


@dataclass(frozen=True, slots=True)
class Ground:
    """What all services of a run stand on. `database_url` maps a service's name to its database.

    `principal_public_key` is the file by which they know the gateway; `identifier_key` (hexadecimal) hashes cards and
    phones. `addresses` maps a service to the address of one of its `serve`. By the campaign's pair customer knows who
    asks for people's addresses; `messages_dir` None: campaigns have nowhere to write to. The other keys are the
    gateway's alone.
    """

    database_url: Callable[[str], str]
    kafka: str
    identifier_key: str
    principal_public_key: Path
    principal_private_key: Path
    admin_key: Path
    campaign_public_key: str
    campaign_private_key: Path
    messages_dir: Path | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)

    def identifiers(self) -> Mapping[str, str]:
        """The settings of a service that knows customers by hashes."""
        return {
            "identifier_keys": json.dumps({IDENTIFIER_KEY: self.identifier_key}),
            "identifier_key_id": IDENTIFIER_KEY,
        }

    def customer(self) -> Mapping[str, str]:
        """The settings of the one who knows addresses, and who may ask for them."""
        return {**self.identifiers(), "callers": json.dumps({"campaign": self.campaign_public_key})}

    def campaign(self) -> Mapping[str, str]:
        """The settings of the one who writes: whom it asks for addresses, in its own name, and where letters go."""
        sink = {"sink_dir": str(self.messages_dir)} if self.messages_dir else {}
        return {
            "customer_url": self.addresses.get("customer", ""),
            "signing_key": str(self.campaign_private_key),
            **sink,
        }

    def gateway(self) -> Mapping[str, str]:
        """The settings of the one who signs, knows the first key, and merges everybody's documents."""
        return {
            "principal_private_key": str(self.principal_private_key),
            "admin_key_file": str(self.admin_key),
            "service_urls": json.dumps({name: url for name, url in self.addresses.items() if name != "gateway"}),
        }


def _nothing(_: Ground) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Entry:
    """A service. `settings` are its own, by their names in its settings class, beside those that every service has.

    `serves` is how many processes answer its requests; of `consume` and `relay` it has one each.
    """

    name: str
    settings: Callable[[Ground], Mapping[str, str]] = _nothing
    serves: int = 1

    @property
    def package(self) -> str:
        return f"regulars_{self.name}"

    @property
    def database(self) -> str:
        return f"regulars_{self.name}"

    def environment(self, ground: Ground) -> dict[str, str]:
        """What every process of the service is told, as environment variables."""
        settings = {
            "database_url": ground.database_url(self.database),
            "bus": "kafka",
            "bus_url": ground.kafka,
            "principal_public_key": str(ground.principal_public_key),
            "principal_issuer": ISSUER,
            **self.settings(ground),
        }
        return {f"REGULARS_{self.name}_{setting}".upper(): value for setting, value in settings.items()}

    def build(self, settings: Mapping[str, Any], *parts: Any) -> Service:
        """The service itself, in this process: what its bootstrap makes of the settings and `parts`."""
        settings_class = importlib.import_module(f"{self.package}.settings").Settings
        service: Service = importlib.import_module(f"{self.package}.bootstrap").build(
            settings_class(**settings), *parts
        )
        return service


SERVICES: tuple[Entry, ...] = (
    Entry("customer", Ground.customer),
    Entry("loyalty", Ground.identifiers, serves=2),
    Entry("scoring"),
    Entry("campaign", Ground.campaign),
    # The door is what every till waits for: while one `serve` is started again, the other answers.
    Entry("gateway", Ground.gateway, serves=2),
)
