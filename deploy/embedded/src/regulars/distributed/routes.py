"""nginx's table of routes, written from the services' own OpenAPI documents: no route is kept by hand.

The paths are matched as the client sent them, byte for byte: what nginx would only understand after decoding or after
climbing `..`, a service would understand differently, so it leads nowhere.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

# Every service has these; which one is meant stands in the id (`loyalty-0197…`) or in the query.
BY_ID = ("jobs", "dead-letters")
PROBES = ("/healthz", "/readyz")
"""Every service has them for itself; from outside they are the gateway's."""

_END = r"(\?|$)"
_PARAMETER = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One address of a service: its template, and whether anyone may call it."""

    service: str
    path: str
    is_public: bool = False

    @property
    def is_versioned(self) -> bool:
        """Whether it is of the API; the others are pages."""
        return self.path.startswith("/v1/")


def routes_conf(services: Iterable[str], routes: Iterable[Route]) -> str:
    """The maps from the address as it was sent to the service, and to whether it is public."""
    names, known = list(services), [*routes, *(Route("gateway", probe, is_public=True) for probe in PROBES)]
    lines = [
        "# Written by `make docs` from the services' documents; tests hold it against them.",
        "map $request_uri $regulars_service {",
        "    # Dots, slashes and backslashes in disguise: never a path of ours.",
        r'    "~*^[^?]*(/\.\.?(/|\?|$)|%2e|%2f|%5c|%00)" "";',
        *(f'    "~^{pattern}" {service};' for pattern, service in _patterns(names, known)),
        '    default "";',
        "}",
        "",
        "map $request_uri $regulars_public {",
        *(f'    "~^{_whole(path)}" 1;' for path in sorted({route.path for route in known if route.is_public})),
        "    default 0;",
        "}",
        "",
        "map $request_uri $regulars_services {",
        f'    default "{", ".join(names)}";',
        "}",
    ]
    return "\n".join(lines) + "\n"


def _patterns(services: list[str], routes: list[Route]) -> Iterator[tuple[str, str]]:
    """Patterns from the most particular to the least: what lies below a collection of another service comes first."""
    alternatives = "|".join(services)
    for listed in BY_ID:
        yield rf"/v1/{listed}/(?<regulars_owner_{listed[:4]}>{alternatives})-", f"$regulars_owner_{listed[:4]}"
        yield (
            rf"/v1/{listed}\?([^#]*&)?service=(?<regulars_asked_{listed[:4]}>{alternatives})(&|$)",
            f"$regulars_asked_{listed[:4]}",
        )
        yield rf"/v1/{listed}{_END}", '"?"'
    for route in sorted(routes, key=lambda route: route.path):
        if not route.is_versioned:
            yield _whole(route.path), route.service
    versioned = [route for route in routes if route.is_versioned]
    owners = _owners(versioned)
    for route in sorted(versioned, key=lambda route: (_PARAMETER.sub("{}", route.path), route.service)):
        collection = _collection(route.path)
        if collection not in BY_ID and owners[collection] != route.service:
            yield _whole(route.path), route.service
    by_service = defaultdict(list)
    for collection, service in sorted(owners.items()):
        by_service[service].append(re.escape(collection))
    for service in sorted(by_service):
        yield rf"/v1/({'|'.join(by_service[service])})([/:?]|$)", service


def _owners(routes: Iterable[Route]) -> Mapping[str, str]:
    """Collection -> the service that has most of its addresses; jobs and dead letters are everybody's."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for route in routes:
        if (collection := _collection(route.path)) not in BY_ID:
            counted[collection][route.service] += 1
    return {collection: services.most_common(1)[0][0] for collection, services in counted.items()}


def _collection(path: str) -> str:
    """`/v1/purchases:batch` and `/v1/purchases/{id}` are both of `purchases`."""
    return re.split("[/:]", path.removeprefix("/v1/"))[0]


def _template(path: str) -> str:
    """A path as a pattern; a parameter is one segment, or with `:path` all that follow."""
    parts = re.split(r"(\{[^}]*\})", path)
    literals, parameters = (re.escape(part).replace(r"\-", "-") for part in parts[::2]), parts[1::2]
    patterns = ["[^?]*" if parameter.endswith(":path}") else "[^/?]+" for parameter in parameters]
    return "".join(part for pair in zip_longest(literals, patterns, fillvalue="") for part in pair)


def _whole(path: str) -> str:
    return _template(path) + _END
