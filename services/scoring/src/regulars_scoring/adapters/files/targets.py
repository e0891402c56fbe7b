"""Where results are to be written: looked at before the work begins rather than after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from regulars_scoring.adapters.files.refusals import WrongUse

TABLES = (".parquet", ".pq", ".csv")
PAGES = (".html", ".htm")


def check_targets(
    source: Path, out: Path, report: Path | None, rejects: Path | None, *, are_folders: bool = False
) -> None:
    """Raises `WrongUse` for a place that cannot be written to, a suffix that means nothing, or a file named twice.

    `are_folders`: the tables become folders of files.
    """
    _check(out, TABLES, is_folder=are_folders)
    if rejects is not None:
        _check(rejects, TABLES, is_folder=are_folders)
    if report is not None:
        _check(report, PAGES)
    seen = {source.resolve()}
    for target in (out, report, rejects):
        if target is None:
            continue
        if target.resolve() in seen:
            raise WrongUse(f"{target} is named twice: a result would overwrite what it is made of, or another one")
        seen.add(target.resolve())


def _check(target: Path, suffixes: tuple[str, ...], *, is_folder: bool = False) -> None:
    if target.suffix.lower() not in suffixes:
        raise WrongUse(f"{target} has to end with {' or '.join(suffixes)}")
    folder = target.parent
    if not folder.is_dir():
        raise WrongUse(f"there is no folder {folder}: make it first")
    if target.is_dir() and not is_folder:
        raise WrongUse(f"{target} is a folder: name a file")
    if not os.access(folder, os.W_OK):
        raise WrongUse(f"{folder} may not be written to: name a folder that is yours")


@contextmanager
def as_a_whole(target: Path) -> Iterator[Path]:
    """A place beside the target that takes its name at the end: the target is whole, or as it was before.

    Raises `WrongUse` where it cannot be written.
    """
    partly = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        yield partly
        partly.replace(target)
    except OSError:
        raise WrongUse(f"{target} cannot be written: name a folder that is yours, with space in it") from None
    finally:
        with suppress(OSError):
            partly.unlink(missing_ok=True)


def write_page(text: str, target: Path) -> None:
    """Raises `WrongUse` where the place cannot be written to."""
    with as_a_whole(target) as partly:
        partly.write_text(text, encoding="utf-8")
