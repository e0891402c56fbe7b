"""`regulars score` as it is typed."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from regulars.score.bar import Bar
from regulars.score.options import Engine
from regulars.score.run import run
from scoring.files_shop import CDNOW, an_order, read_back, regular_rows, written

COMMAND = Path(sys.executable).with_name("regulars")


def regulars_score(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    command = [str(COMMAND), "score", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_a_file_is_scored_and_summed_up(tmp_path: Path) -> None:
    out, report = tmp_path / "scores.parquet", tmp_path / "report.html"
    done = regulars_score(CDNOW, "--as-of", "1998-06-30", "--out", out, "--report", report, "--engine", "duckdb")
    assert done.returncode == 0, done.stderr
    for words in ("Rows read", "6,919", "Customers scored", "2,357", "MBG/NBD (r 0.6178", "42.7%", str(out)):
        assert words in done.stdout
    assert done.stderr.splitlines()[0] == "Reading the purchases…"
    assert len(read_back(out)) == 2357
    assert report.read_text().startswith("<!DOCTYPE html>")


def test_what_is_set_aside_and_what_is_strange_about_the_fit_is_said(tmp_path: Path) -> None:
    rows = [(*row, "EUR") for row in [*regular_rows(), ("", "2025-01-01", "5"), ("anna", "soon", "5")]]
    path = written(tmp_path / "a.csv", [*rows, ("anna", "2025-02-01", "5", "USD")], "who,when,paid,money")
    done = regulars_score(
        *(path, "--out", tmp_path / "scores.csv", "--rejects", tmp_path / "rejects.csv", "--horizon-days", "60"),
        *("--customer", "who", "--date", "when", "--amount", "paid", "--currency", "money", "--rate", "USD=0.79"),
    )
    assert done.returncode == 0, done.stderr
    for words in ("no customer", "not a date", "of them in USD, converted", "Expected, 12 months EUR"):
        assert words in done.stdout
    assert "churn_60" in (tmp_path / "scores.csv").read_text().splitlines()[0]
    assert len((tmp_path / "rejects.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nowhere.csv"], 2, "regulars: there is no file nowhere.csv"),
        ([CDNOW, "--as-of", "1990-01-01"], 2, "regulars: the first purchase is of 1997-01-01"),
        ([CDNOW, "--amount", "nothing"], 2, "has no column nothing; it has customer_id"),
        ([CDNOW, "--out", "/proc/scores.csv"], 2, "cannot be written"),
        ([CDNOW, "--as-of", "1997-01-02"], 1, "regulars: no forecast can be made of these purchases"),
        ([CDNOW, "--as-of", "yesterday"], 2, "a day is written 2011-12-10"),
        ([CDNOW, "--rate", "USD"], 2, "a rate is written USD=0.79"),
        ([CDNOW, "--rate", "dollars=1"], 2, "a currency has three letters"),
        ([CDNOW, "--rate", "USD=-1"], 2, "a rate is written USD=0.79"),
        ([CDNOW, "--decimal", ";"], 2, "it is . or ,"),
        ([CDNOW, "--horizon-days", "0"], 2, "--horizon-days"),
        ([CDNOW, "--engine", "abacus"], 2, "abacus"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    tmp_path: Path, arguments: list[str | Path], status: int, words: str
) -> None:
    out: list[str | Path] = [] if "--out" in arguments else ["--out", tmp_path / "scores.csv"]
    done = regulars_score(*arguments, *out)
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_spark_that_is_not_installed_is_asked_for_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("regulars.score.run.find_spec", lambda name: None)
    assert run(an_order(CDNOW, tmp_path / "scores.csv"), Engine.SPARK) == 2
    assert "regulars: --engine spark needs PySpark: pip install 'regulars[spark]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_help_names_every_option() -> None:
    said = regulars_score("--help").stdout
    for option in ("--as-of", "--out", "--report", "--rejects", "--customer", "--rate", "--date-format"):
        assert option in said


def test_other_commands_wait_for_no_kernel() -> None:
    heavy = "{'numpy', 'scipy', 'duckdb', 'pyspark'} & set(sys.modules)"
    code = f"import sys, regulars.__main__; sys.exit(bool({heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_on_a_terminal_a_bar_moves_and_goes() -> None:
    shown = io.StringIO()
    with Bar(Console(file=shown, force_terminal=True, width=100)) as bar:
        bar.tell("reading", 0.5)
        bar.tell("writing", 0.0)
    assert "Writing the scores" in shown.getvalue()


def test_elsewhere_each_step_is_a_line() -> None:
    shown = io.StringIO()
    with Bar(Console(file=shown, width=100)) as bar:
        for share in (0.0, 0.5, 0.9):
            bar.tell("reading", share)
        bar.tell("fitting", 0.0)
    assert shown.getvalue().splitlines() == ["Reading the purchases…", "Fitting the models…"]


def test_ctrl_c_ends_it_at_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    # Ten million rows take long enough to be stopped in the middle.
    path, work = tmp_path / "purchases.parquet", tmp_path / "work"
    work.mkdir()
    columns = "i % 1000000 AS customer, DATE '2025-01-01' + (i % 300)::INT AS date, 5.0 AS amount"
    many = f"SELECT {columns} FROM range(10000000) t(i)"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({many}) TO '{path}'").fetchall()
    environment = {**os.environ, "TMPDIR": str(work)}
    # What runs the tests may be deaf to Ctrl-C, as all started in the background by a script is; the command is not.
    heard = ["env", "--default-signal=INT", str(COMMAND)]
    command = [*heard, "score", str(path), "--out", str(tmp_path / "scores.parquet")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as running:
        assert running.stderr is not None
        assert running.stderr.readline() == "Reading the purchases…\n"
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()
    assert running.returncode == 130, said
    assert "Traceback" not in said
    assert sorted(tmp_path.iterdir()) == [path, work]
    assert list(work.iterdir()) == []
