"""nginx's configuration for one machine, out of the files that the containers use as well."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from regulars.refusals import CannotStart
from regulars.server_user import ServerUser, own

FILES = Path(__file__).resolve().parents[4] / "gateway"
"""The configuration as the checkout has it."""

# Far above what a shop does and what one machine bears: against a client that has lost its mind.
RATES: Mapping[str, str] = {
    "REGULARS_CALLER_RATE": "2000",
    "REGULARS_CALLER_BURST": "2000",
    "REGULARS_CHECK_RATE": "50",
    "REGULARS_CHECK_BURST": "200",
}
_NAME = re.compile(r"\$\{([A-Z_]+)\}")


@dataclass(frozen=True, slots=True)
class Proxy:
    """An nginx that writes into `folder` alone. `upstreams`: service -> the ports of its `serve` processes.

    `listens_on` is as nginx's `listen` wants it; `user` is whom it runs as, None for ourselves.
    """

    folder: Path
    access_log: Path
    listens_on: str
    authorise_port: int
    upstreams: Mapping[str, Sequence[int]]
    user: ServerUser | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def command(self, nginx: str) -> list[str]:
        """What starts it; errors go to stderr from the first line on."""
        return [nginx, "-e", "stderr", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def write(self) -> None:
        """Make the folder anew, with its configuration. Answers kept by another run are gone. Raises `CannotStart`."""
        if not FILES.is_dir():
            raise CannotStart(f"nginx's configuration is missing ({FILES}): run this from a checkout of Regulars.")
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "cache").mkdir(parents=True, mode=0o700)
        self.access_log.touch(mode=0o600)
        for name in ("nginx.conf", "regulars.conf"):
            (self.folder / name).write_text(filled((FILES / f"{name}.template").read_text(), self._values()))
        (self.folder / "upstreams.conf").write_text(self._upstreams())
        for path in (self.folder, *self.folder.iterdir(), self.access_log):
            own(path, self.user)

    def _values(self) -> dict[str, str]:
        return {
            **RATES,
            "REGULARS_LISTEN": self.listens_on,
            "REGULARS_GATEWAY_DIR": str(FILES),
            "REGULARS_SERVE": "-serve",
            "REGULARS_AUTHORISE_PORT": str(self.authorise_port),
            "REGULARS_CACHE_DIR": str(self.folder / "cache"),
            "REGULARS_ACCESS_LOG": str(self.access_log),
            "REGULARS_RUN_DIR": str(self.folder),
            "REGULARS_WORKERS": str(min(os.cpu_count() or 1, 4)),
            "NGINX_LOCAL_RESOLVERS": "127.0.0.1",
            **self.settings,
        }

    def _upstreams(self) -> str:
        """Connections to the services are kept open, for less time than the services keep them."""
        groups = []
        for service, ports in self.upstreams.items():
            servers = [f"    server 127.0.0.1:{port} max_fails=1 fail_timeout=1s;" for port in ports]
            groups += [f"upstream {service}-serve {{", *servers, "    keepalive 32;", "    keepalive_timeout 60s;", "}"]
        return "\n".join(groups) + "\n"


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its `${NAMES}`; nginx's own variables stay. Raises KeyError for a name without a value."""
    return _NAME.sub(lambda found: values[found[1]], template)
