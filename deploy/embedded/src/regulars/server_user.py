"""Whom PostgreSQL runs as.

PostgreSQL refuses to run as root, and a checkout of root's often lies in a folder (`/root`, mode 700) that no other
user may enter. Opening that folder to others would be a change to somebody's machine that outlives us; instead the
child keeps one single capability, to look past folder permissions, and nothing on the disk changes.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from regulars.refusals import CannotStart
from regulars_kit.priority import step_back

# linux/prctl.h, linux/capability.h
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2

# Loaded before any fork: the code between fork and exec must not import.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The user of the child; `capability` is the number of the one it keeps, None for none."""

    name: str
    uid: int
    gid: int
    capability: int | None = None


def choose_server_user(must_reach: Iterable[Path]) -> ServerUser | None:
    """None: stay who we are. For root: `postgres` or else `nobody`, able to enter the folders of `must_reach`.

    Raises `CannotStart` when root has no such user to become, or that user could not enter a folder.
    """
    if os.geteuid() != 0:
        return None
    entry = _first_entry("postgres", "nobody")
    barred = next((folder for path in must_reach if (folder := _barred(path, entry.pw_uid, entry.pw_gid))), None)
    if barred is None:
        return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)
    capability = _reach_capability()
    if capability is None:
        raise CannotStart(
            f"PostgreSQL runs as the user {entry.pw_name} when started by root, and {entry.pw_name} may not enter "
            f"{barred}: put the home and the checkout elsewhere (say under /srv), or start as an ordinary user."
        )
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid, capability)


def own(path: Path, user: ServerUser | None) -> None:
    """Give the folder or file to the server's user; nothing to do when we are that user ourselves."""
    if user is not None:
        os.chown(path, user.uid, user.gid)


def before_exec(user: ServerUser | None, *, dies_with_us: bool, niceness: int = 0) -> Callable[[], None]:
    """What the child does between fork and exec: step back to `niceness`, become `user`, hear SIGINT, and ask for it
    when its parent dies.

    A shell that starts us in the background lets us ignore SIGINT, and the child would inherit that.

    The kernel means the parent *thread*: start a long-lived server from a thread that lives as long as the process.
    """
    parent = os.getpid()

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        step_back(niceness)
        if user is not None:
            _become(user)
        if _LIBC is not None and dies_with_us:
            # After the change of user, which clears it.
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _become(user: ServerUser) -> None:
    if user.capability is not None and _LIBC is not None:
        _LIBC.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(user.gid)
    os.setuid(user.uid)
    os.umask(0o077)
    if user.capability is not None and _LIBC is not None:
        _keep_only(user.capability)


def _keep_only(capability: int) -> None:
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    # Effective, permitted, inheritable; twice, for the low and the high 32 bits.
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if _LIBC is None or _LIBC.capset(header, sets) != 0:
        os._exit(126)
    _LIBC.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def _first_entry(*names: str) -> pwd.struct_passwd:
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise CannotStart("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as: add one.")


def _barred(path: Path, uid: int, gid: int) -> Path | None:
    """The first folder above `path` that the user may not enter, or None. Folders that do not exist yet are ours."""
    for folder in reversed(path.resolve().parents):
        try:
            found = folder.stat()
        except FileNotFoundError:
            return None
        right = stat.S_IXUSR if found.st_uid == uid else stat.S_IXGRP if found.st_gid == gid else stat.S_IXOTH
        if not found.st_mode & right:
            return folder
    return None


def _reach_capability() -> int | None:
    """The least of our capabilities that lets a user enter any folder; None when we have none to give."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    permitted = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapPrm:")), 0)
    held = (c for c in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE) if permitted >> c & 1)
    return next(held, None)
