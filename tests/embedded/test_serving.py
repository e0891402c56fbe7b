"""The port is ours from the first moment, or we say that it is not."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from regulars.refusals import CannotStart
from regulars.serving import listen


def test_a_taken_port_is_said_before_anything_is_started() -> None:
    with closing(listen("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"port {port} is taken: .*--port"):
            listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_said_so() -> None:
    with pytest.raises(CannotStart, match=r"port 8080 on 192\.0\.2\.1 cannot be opened "):
        listen("192.0.2.1", 8080)


def test_a_connection_made_before_we_serve_waits_for_us() -> None:
    with closing(listen("127.0.0.1", 0)) as listener, closing(socket.create_connection(listener.getsockname(), 5)):
        connection, _ = listener.accept()
        connection.close()


def test_nobody_who_is_handed_the_port_waits_in_accept_for_a_connection_that_another_took() -> None:
    with closing(listen("127.0.0.1", 0)) as listener, pytest.raises(BlockingIOError):
        listener.accept()
