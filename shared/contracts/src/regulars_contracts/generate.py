"""Writes what is made of the models: `schemas/*.json`, the package's `asyncapi.json`. Run after every change.

python -m regulars_contracts.generate
python -m regulars_contracts.generate --release 0.2.0     at a release: also keeps a copy of the schemas for ever
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from regulars_contracts.asyncapi import document
from regulars_contracts.schemas import JsonObject, all_schemas
from regulars_contracts.topics import CONTRACTS, read_topics

# Inside the package, so that an installed wheel has it; `published.py` reads it there.
ASYNCAPI = "src/regulars_contracts/asyncapi.json"


def generated(root: Path = CONTRACTS) -> dict[str, str]:
    """The generated files by their path below `root`, as they should be."""
    schemas = all_schemas()
    asyncapi = document(read_topics(root / "topics"), schemas, read_json(root / "examples"), _version(root))
    files = {f"schemas/{name}.json": _json(schema) for name, schema in schemas.items()}
    return files | {ASYNCAPI: _json(asyncapi)}


def out_of_date(root: Path = CONTRACTS) -> list[str]:
    """Generated files that are missing, differ from the models, or belong to an event that is no more."""
    expected = generated(root)
    differing = [path for path, text in expected.items() if _read(root / path) != text]
    leftover = {f"schemas/{file.name}" for file in (root / "schemas").glob("*.json")} - expected.keys()
    return sorted([*differing, *leftover])


def write(root: Path = CONTRACTS) -> None:
    """Bring the generated files up to date."""
    expected = generated(root)
    for path in out_of_date(root):
        if path in expected:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(expected[path], "utf-8")
        else:
            (root / path).unlink()


def release(name: str, root: Path = CONTRACTS) -> None:
    """Keep the schemas as they are now under a release's name. Raises FileExistsError: a release is never rewritten."""
    folder = root / "released"
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.json").open("x", encoding="utf-8") as file:
        file.write(_json(all_schemas()))


def read_json(folder: Path) -> dict[str, JsonObject]:
    """All JSON files of a folder, by name without `.json`."""
    return {file.stem: cast(JsonObject, json.loads(file.read_text("utf-8"))) for file in sorted(folder.glob("*.json"))}


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="regulars_contracts.generate", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--release", metavar="VERSION", help="keep a copy of the schemas under this version")
    wanted = cast("str | None", parser.parse_args().release)
    write()
    if wanted:
        release(wanted)


def _version(root: Path) -> str:
    # From the file, because the metadata of an editable installation stays as it was when it was installed.
    return str(tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _read(file: Path) -> str | None:
    return file.read_text("utf-8") if file.exists() else None


if __name__ == "__main__":
    main()
