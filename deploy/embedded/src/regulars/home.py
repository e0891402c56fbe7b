"""The home: one folder with everything that must survive a restart: the data, the keys, the version that wrote them."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from regulars.refusals import CannotStart
from regulars_gateway.domain.keys import is_well_formed, new_key
from regulars_kit.auth import new_key_pair

# Raised when an older `regulars` could no longer read what this one writes.
HOME_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of a home, all made at its first start.

    `admin_key` opens the door. The principal pair (PEM) signs what the door hands to a service, the campaign pair what
    the campaign service asks of the customer service. `identifier_key` is the key of the hashes under which the
    services know a card, a phone, an e-mail.
    """

    admin_key: str
    principal_private: str
    principal_public: str
    campaign_private: str
    campaign_public: str
    identifier_key: bytes


class Home:
    """The folder, held for this process alone until `close`. Raises `CannotStart` when it cannot be.

    It stays with the `command` that began it, `up` or `cluster`: their buses differ, and what one has not told its
    readers yet the other would never tell them.
    """

    def __init__(self, folder: Path, command: str = "up") -> None:
        self.folder = folder.absolute()
        try:
            # Others may pass through, since the server's user has its data inside, but not look around.
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o711)
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CannotStart(
                f"the home {self.folder} cannot be written: {error.strerror}; give another with --home."
            ) from error
        try:
            self._hold()
            self._check_version()
            self._check_command(command)
        except CannotStart:
            os.close(self._lock)
            raise

    def __enter__(self) -> Home:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def postgres_dir(self) -> Path:
        return self.folder / "postgres"

    @property
    def admin_key_path(self) -> Path:
        return self.folder / "admin-key"

    def close(self) -> None:
        """Let another process have the home."""
        os.close(self._lock)

    def keys(self) -> Keys:
        """The keys, made where missing. Raises `CannotStart` when a key file is damaged or the disk is full."""
        admin_key = self.kept("admin-key", new_key)
        if not is_well_formed(admin_key):
            raise CannotStart(f"{self.admin_key_path} is damaged: delete it, and the next start makes a new key.")
        identifier_key = bytes.fromhex(self.kept("identifier-key", lambda: secrets.token_hex(32)))
        return Keys(admin_key, *self._pair("principal"), *self._pair("campaign"), identifier_key)

    def _pair(self, name: str) -> tuple[str, str]:
        # Both halves in one file, so that they cannot come from two starts.
        return _split_pair(self.kept(f"{name}-key.pem", lambda: "".join(new_key_pair())))

    def kept(self, name: str, make: Callable[[], str]) -> str:
        """A secret by the name of its file, made where missing. Raises `CannotStart` when the disk is full."""
        path = self.folder / name
        if not path.exists():
            self._write(path, make() + "\n")
        return path.read_text().strip()

    def kept_file(self, name: str, text: str) -> Path:
        """A file of the home with this text, for a process that reads it by itself."""
        self._write(self.folder / name, text)
        return self.folder / name

    def _hold(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._lock, 32, 0).decode(errors="replace").strip() or "unknown"
            raise CannotStart(
                f"Regulars already runs on the home {self.folder} (process {holder}): "
                "stop it, or give this one another with --home."
            ) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def _check_version(self) -> None:
        path = self.folder / "VERSION"
        if path.exists():
            found = path.read_text(errors="replace").strip()
            if found != HOME_VERSION:
                raise CannotStart(
                    f"the home {self.folder} is of version {found[:20]}, this Regulars reads version {HOME_VERSION}: "
                    "start the release that wrote it, or begin another with --home."
                )
            return
        strangers = sorted(entry.name for entry in self.folder.iterdir() if entry.name not in {"lock", "VERSION.new"})
        if strangers:
            raise CannotStart(
                f"{self.folder} is no home of Regulars (it holds {strangers[0]}): give an empty folder with --home."
            )
        self._write(path, HOME_VERSION + "\n")

    def _check_command(self, command: str) -> None:
        path = self.folder / "run-by"
        # A home of before there were two has no such file, and databases.
        if not path.exists():
            self._write(path, ("up" if self.postgres_dir.exists() else command) + "\n")
        if (found := path.read_text().strip()) != command:
            raise CannotStart(
                f"the home {self.folder} belongs to `regulars {found}`: start that, or give another with --home."
            )

    def _write(self, path: Path, text: str) -> None:
        """Whole and on the disk, or not at all; readable by the owner alone."""
        beside = path.with_name(path.name + ".new")
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            raise CannotStart(f"{path} cannot be written: {error.strerror}.") from error


def is_in_use(folder: Path) -> bool:
    """Whether a process holds the home."""
    try:
        lock = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _split_pair(pair: str) -> tuple[str, str]:
    private, marker, public = pair.partition("-----BEGIN PUBLIC KEY-----")
    return private.strip() + "\n", marker + public.rstrip() + "\n"
