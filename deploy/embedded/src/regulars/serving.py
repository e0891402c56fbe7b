"""The port, and what is said when it cannot be had."""

from __future__ import annotations

import errno
import socket

from regulars.refusals import CannotStart
from regulars_kit import lifecycle

_BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """The listening socket, opened before anything else is started: connections wait in it until we serve.

    Port 0 is any free one. Raises `CannotStart`.
    """
    try:
        listener = lifecycle.listen(host, port)
        # From here on the port is ours: bound alone, another process could still come to listen on it.
        listener.listen(_BACKLOG)
        # nginx takes an inherited socket as it is: of two workers that go for one connection, the one that comes too
        # late would wait in accept() for the next one, and leave all of its own connections waiting.
        listener.setblocking(False)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} is taken: stop the program that has it, or"
        else:
            reason = f"port {port} on {host} cannot be opened ({error.strerror or error}):"
        raise CannotStart(f"{reason} give another with --port.") from None
    return listener
