"""Results of many tasks: a folder of files, which takes its name when the last one is whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regulars_scoring.adapters.files.refusals import WrongUse

_MARK = "_SUCCESS"
"""An empty file by which Spark says that a folder is whole; and we, that it may be written anew."""


def check_folder(target: Path) -> None:
    """Raises `WrongUse` where something else than an earlier result would be lost."""
    if target.exists() and not (target / _MARK).is_file():
        raise WrongUse(f"{target} is there, and is no folder that Spark has written: remove it, or name another")


@contextmanager
def a_folder(target: Path) -> Iterator[Path]:
    """A folder to be made beside the target, which takes its place at the end. Raises `WrongUse`."""
    target = target.resolve()
    partly, former = (target.with_name(f".{target.name}.{os.getpid()}{mark}") for mark in ("", ".former"))
    try:
        yield partly
        (partly / _MARK).touch()
        if target.exists():
            target.replace(former)
        partly.replace(target)
    except OSError:
        raise WrongUse(f"{target} cannot be written: name a folder that is yours, with space in it") from None
    finally:
        for folder in (partly, former):
            shutil.rmtree(folder, ignore_errors=True)


def part_of(folder: Path, number: int, suffix: str) -> Path:
    return folder / f"part-{number:05}{suffix}"
