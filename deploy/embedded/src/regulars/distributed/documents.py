"""Every route of every service, asked of the services themselves: `python -m regulars.distributed.documents`.

Without an argument it prints nginx's table of routes; with one it writes it to that file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from regulars.distributed.routes import Route, routes_conf
from regulars.distributed.services import SERVICES, Entry, Ground
from regulars_kit.auth import PUBLIC, Verifier, new_key_pair, route_scopes
from regulars_kit.bus.memory import MemoryBus

# Of each process for itself: nobody asks for them from outside.
_OWN = ("/healthz", "/readyz", "/metrics")
_INTERNAL = "/internal/"


def routes_of(entry: Entry) -> list[Route]:
    """The addresses of a service that are asked for from outside, in their order."""
    with TemporaryDirectory() as folder, _told(entry.environment(_nowhere(Path(folder)))):
        service = entry.build({}, MemoryBus(), Verifier({}, entry.name))
    public: dict[str, bool] = {}
    for address, scope in route_scopes(service.app).items():
        path = address.partition(" ")[2]
        if path not in _OWN and not path.startswith(_INTERNAL):
            public[path] = public.get(path, True) and scope == PUBLIC
    return [Route(entry.name, path, is_public) for path, is_public in public.items()]


def _nowhere(folder: Path) -> Ground:
    """What lets a service be built, though it could reach nothing."""
    key = folder / "key.pem"
    private, public = new_key_pair()
    key.write_text(private)
    return Ground("postgresql+asyncpg://nowhere/{}".format, "nowhere:9092", "00" * 32, key, key, key, public, key)


def all_routes() -> list[Route]:
    """Those of all services, as the table has them."""
    return [route for entry in SERVICES for route in routes_of(entry)]


@contextmanager
def _told(environment: Mapping[str, str]) -> Iterator[None]:
    """These variables, for as long as settings are read."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def main(arguments: list[str]) -> None:
    text = routes_conf([entry.name for entry in SERVICES], all_routes())
    if arguments:
        Path(arguments[0]).write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
