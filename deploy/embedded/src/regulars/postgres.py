"""A private PostgreSQL as a child process: the binaries come in a wheel, the data lie in one folder.

The server dies with us (also after `kill -9`), in a process group of its own, so that Ctrl-C reaches the application
first. It listens on a unix socket that only its own user and root can open; on TCP only when asked.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import asyncpg

from regulars.cluster import (
    SUPERUSER,
    checked_binaries,
    create_cluster,
    refuse_a_full_disk,
    refuse_another_version,
)
from regulars.postgres_settings import SETTINGS
from regulars.postmaster import environment, explained, is_alive, is_ready, recorded_pid, servers_on
from regulars.refusals import CannotStart
from regulars.server_user import ServerUser, before_exec, choose_server_user, own

RECOVERY_TIMEOUT_S = 300.0
# How long a server whose parent was killed may take to write its last checkpoint.
ORPHAN_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
LONGEST_SOCKET_PATH = 107  # sockaddr_un.sun_path holds these and a NUL (unix(7)).
_DEFAULT_PORT = 5432
_LOG_LIMIT_BYTES = 10 * 1024 * 1024
_POLL_S = 0.01


class PostgresServer:
    """One PostgreSQL over one data folder. `start` it from the main thread: the server dies with its parent thread.

    `port` None: no TCP at all. With a port it listens on 127.0.0.1 and `password` is the superuser's.
    `settings` go on top of durable defaults (postgresql.conf names and values).
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        password: str | None = None,
        settings: Mapping[str, str] | None = None,
        binaries: Path | None = None,
    ) -> None:
        if port is not None and password is None:
            raise ValueError("a port without a password: nobody could log in")
        self.data_dir = data_dir.absolute()
        self._port = port
        self._password = password
        self._settings = {**SETTINGS, **(settings or {})}
        self._binaries = binaries
        self._user: ServerUser | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    def __enter__(self) -> PostgresServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The postmaster's. Raises `RuntimeError` before the first start."""
        if self._process is None:
            raise RuntimeError("the server was never started")
        return self._process.pid

    @property
    def socket_dir(self) -> Path:
        """Where the unix socket lies: the data folder, or a short folder of its own when that path is too long."""
        longest = self.data_dir / f".s.PGSQL.{self._port or _DEFAULT_PORT}"
        if len(os.fsencode(longest)) <= LONGEST_SOCKET_PATH:
            return self.data_dir
        return Path(tempfile.gettempdir()) / f"regulars-{hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]}"

    @property
    def _socket_lock(self) -> Path:
        return self.socket_dir / f".s.PGSQL.{self._port or _DEFAULT_PORT}.lock"

    @property
    def log_path(self) -> Path:
        return self.data_dir / "server.log"

    def url(self, database: str) -> str:
        """The address of a database, for SQLAlchemy over asyncpg."""
        port = f"&port={self._port}" if self._port else ""
        return f"postgresql+asyncpg://{SUPERUSER}@/{quote(database)}?host={quote(str(self.socket_dir))}{port}"

    def start(self) -> None:
        """Return once the server answers; the data folder is made at the first start. Raises `CannotStart`."""
        try:
            self._start()
        except (PermissionError, subprocess.SubprocessError) as error:
            self.stop()
            raise CannotStart(
                f"{self.data_dir} is out of reach ({error}): start as the user whose home it is, "
                "and in a container without capabilities as an ordinary user, not as root."
            ) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the sessions, write a checkpoint, return when the process is gone. Twice is as good as once."""
        if self._process is not None and self._process.poll() is None:
            _end(self._process)
        if self._lock is not None:
            if self.socket_dir != self.data_dir:
                shutil.rmtree(self.socket_dir, ignore_errors=True)
            os.close(self._lock)
            self._lock = None

    async def create_database(self, name: str, *, template: str = "template1") -> str:
        """Make an empty database (or a copy of `template`) and return its url. Raises if it exists already."""
        await self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        """Drop the database and whoever is still connected to it; nothing if there is none."""
        await self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _start(self) -> None:
        binaries = checked_binaries(self._binaries)
        refuse_a_full_disk(self.data_dir)
        self._user = choose_server_user([self.data_dir, binaries / "postgres"])
        self._hold()
        if not (self.data_dir / "PG_VERSION").exists():
            create_cluster(self.data_dir, binaries, self._user, durable=self._settings["fsync"] != "off")
        refuse_another_version(self.data_dir)
        self._make_socket_dir()
        self._wait_for_an_orphan()
        self._launch(binaries)
        if self._password is not None:
            self._set_password(binaries, self._password)

    async def _administer(self, statement: str) -> None:
        connection = await asyncpg.connect(
            host=str(self.socket_dir), port=self._port or _DEFAULT_PORT, user=SUPERUSER, database="postgres", timeout=10
        )
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _make_socket_dir(self) -> None:
        folder = self.socket_dir
        if folder == self.data_dir:
            return
        uid = self._user.uid if self._user else os.geteuid()
        try:
            folder.mkdir(mode=0o700)
            own(folder, self._user)
        except FileExistsError:
            found = folder.lstat()
            # The name can be guessed and the folder above is open to all: trust it only if it is ours alone.
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o077:
                raise CannotStart(f"{folder} belongs to somebody else: remove it, or use a shorter --home.") from None

    def _hold(self) -> None:
        """Keep the folder for this process: the lock goes with us, so a server without a holder is an orphan."""
        if self._lock is not None:
            return
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(
            self.data_dir.with_name(self.data_dir.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise CannotStart(f"another process runs PostgreSQL on {self.data_dir}: stop it first.") from None
        self._lock = lock

    def _wait_for_an_orphan(self) -> None:
        """A server whose parent was killed is on its way out: let it finish; two on one folder is never right."""
        deadline = time.monotonic() + ORPHAN_TIMEOUT_S
        orphan = recorded_pid(self.data_dir)
        if orphan in servers_on(self.data_dir):
            # Where the kernel does not tell a child of its parent's death (macOS), we do: we hold the folder's lock.
            os.kill(orphan, signal.SIGINT)
        while others := servers_on(self.data_dir):
            if time.monotonic() > deadline:
                raise CannotStart(f"another PostgreSQL (process {others[0]}) runs on {self.data_dir}: stop it first.")
            time.sleep(_POLL_S)
        pid = recorded_pid(self.data_dir)
        if pid is not None and is_alive(pid):
            # A zombie nobody reaps, or another program's by now: PostgreSQL looks at the number alone and would refuse.
            (self.data_dir / "postmaster.pid").unlink(missing_ok=True)
            self._socket_lock.unlink(missing_ok=True)

    def _launch(self, binaries: Path) -> None:
        deadline = time.monotonic() + RECOVERY_TIMEOUT_S
        while True:
            log_start = self._open_process(binaries)
            failure = self._wait_until_ready(deadline, log_start)
            if failure is None:
                return
            # Sessions of a killed postmaster notice its death within moments; until then their memory is in use.
            if "shared memory block" not in failure or time.monotonic() > deadline:
                raise CannotStart(explained(failure, self.data_dir))
            time.sleep(0.1)

    def _open_process(self, binaries: Path) -> int:
        """Start the child and return where in the log its lines begin."""
        options = self._settings | {
            "listen_addresses": "127.0.0.1" if self._port else "",
            "port": str(self._port or _DEFAULT_PORT),
            "unix_socket_directories": str(self.socket_dir).replace('"', '""').join('""'),
            "unix_socket_permissions": "0700",
        }
        command = [str(binaries / "postgres"), "-D", str(self.data_dir)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        too_long = self.log_path.exists() and self.log_path.stat().st_size > _LOG_LIMIT_BYTES
        with self.log_path.open("wb" if too_long else "ab") as log:
            own(self.log_path, self._user)
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
                cwd="/",
                process_group=0,
                preexec_fn=before_exec(self._user, dies_with_us=True),
            )
            return log.tell()

    def _wait_until_ready(self, deadline: float, log_start: int) -> str | None:
        """None when the server answers; what it wrote to its log when it ended instead."""
        process = self._process
        assert process is not None
        while process.poll() is None:
            if is_ready(self.data_dir, process.pid):
                return None
            if time.monotonic() > deadline:
                self.stop()
                return f"not ready after {RECOVERY_TIMEOUT_S:.0f} s; see {self.log_path}"
            time.sleep(_POLL_S)
        with self.log_path.open("rb") as log:
            log.seek(log_start)
            return log.read().decode(errors="replace")

    def _set_password(self, binaries: Path, password: str) -> None:
        statement = f"ALTER ROLE {SUPERUSER} PASSWORD '{password.replace(chr(39), chr(39) * 2)}'"
        # Through stdin: a command line can be read by every user of the machine.
        subprocess.run(
            [str(binaries / "psql"), "-qX", "-h", str(self.socket_dir), "-p", str(self._port), "-U", SUPERUSER],
            input=statement.encode(),
            capture_output=True,
            check=True,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        # Without the checkpoint: the next start recovers from the write-ahead log, nothing is lost.
        process.send_signal(signal.SIGQUIT)
        process.wait()
