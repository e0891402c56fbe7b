"""What may change in an event without a new version, and what may not.

Events are read by processes older and newer than their writer: a replay brings last month's events to today's reader,
a rolling update brings today's to yesterday's reader. So within a version one thing only is allowed: a new field that
nobody must send, which old readers ignore. Whatever else a schema demands stays as it was released: a bound made
tighter refuses old events, one made looser lets through what old readers refuse. Vocabularies that will grow are
patterns, never enumerations, for that reason. Descriptions are free.

The models are compared with `released/<version>.json`, a copy of all schemas made once at each release and never
rewritten. `schemas/` cannot serve: it is regenerated in the same commit as the change. `git show HEAD:` cannot either:
after the commit it agrees with any break, and an exported archive has no history. An event that no release contains
is free to change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

Schema = Mapping[str, object]

_FREE = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "deprecated"})
_HANDLED = frozenset({"properties", "required", "items", "anyOf", "patternProperties", "additionalProperties"})


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """What a reader or writer of `old` would trip over in `new`, each as a sentence that opens with its path.

    Empty when the change is compatible.
    """
    return list(_Comparison(old, new).of(old, new, ""))


def broken_events(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> dict[str, list[str]]:
    """The breaking changes between two sets of schemas, by event type. An event that is gone is one."""
    found = {
        name: breaking_changes(schema, new[name]) if name in new else ["/: the event is gone"]
        for name, schema in old.items()
    }
    return {name: changes for name, changes in found.items() if changes}


class _Comparison:
    """Walks two schemas side by side, through their `$ref`s. Our events do not nest in themselves, so it ends."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old_root, self._new_root = old, new

    def of(self, old: object, new: object, path: str) -> Iterator[str]:
        """Whatever differs at this place and below."""
        if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
            if old != new:
                yield f"{path or '/'}: {old!r} became {new!r}"
            return
        old, new = _resolve(old, self._old_root), _resolve(new, self._new_root)
        yield from _demands(old, new, path or "/")
        yield from self._fields(_named(old, "properties"), _named(new, "properties"), path)
        yield from self._required(old, new, path or "/")
        yield from self._patterns(_named(old, "patternProperties"), _named(new, "patternProperties"), path)
        yield from self._variants(_listed(old, "anyOf"), _listed(new, "anyOf"), path)
        for keyword, step in (("items", "/*"), ("additionalProperties", "/*")):
            yield from self._below(old.get(keyword), new.get(keyword), path + step)

    def _fields(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        for name, schema in old.items():
            if name in new:
                yield from self.of(schema, new[name], f"{path}/{name}")
            else:
                yield f"{path}/{name}: the field is gone"

    def _required(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        before, after = set(_listed(old, "required")), set(_listed(new, "required"))
        for name in sorted(map(str, after - before)):
            yield f"{path}: {name} must be sent now, and old events lack it"
        for name in sorted(map(str, before - after)):
            yield f"{path}: {name} may be left out now, and old readers need it"

    def _patterns(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        if old.keys() != new.keys():
            yield f"{path or '/'}: the names of entries follow another pattern"
        for pattern in old.keys() & new.keys():
            yield from self.of(old[pattern], new[pattern], f"{path}/*")

    def _variants(self, old: list[object], new: list[object], path: str) -> Iterator[str]:
        if len(old) != len(new):
            yield f"{path or '/'}: {len(old)} possible forms became {len(new)}"
            return
        for before, after in zip(old, new, strict=True):
            yield from self.of(before, after, path)

    def _below(self, old: object, new: object, path: str) -> Iterator[str]:
        if old is not None or new is not None:
            yield from self.of(old, new, path)


def _demands(old: Schema, new: Schema, path: str) -> Iterator[str]:
    """Keywords compared as they are: type, bounds, pattern, format, const, enum, default, and any we do not know."""
    for keyword in sorted((old.keys() | new.keys()) - _FREE - _HANDLED - {"$ref"}):
        if old.get(keyword) != new.get(keyword) or (keyword in old) != (keyword in new):
            yield f"{path}: {keyword} was {old.get(keyword)!r} and is {new.get(keyword)!r}"


def _resolve(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    return cast(Schema, _named(root, "$defs")[reference.removeprefix("#/$defs/")])


def _named(schema: Schema, keyword: str) -> Schema:
    return cast(Schema, schema.get(keyword, {}))


def _listed(schema: Schema, keyword: str) -> list[object]:
    return cast("list[object]", schema.get(keyword, []))
