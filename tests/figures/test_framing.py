"""What every benchmark does around its measuring."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import pytest

from framing import framed, parser_of
from purchase_path.measuring import Failed


@pytest.fixture(autouse=True)
def all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other tests of this process go on where they like."""
    monkeypatch.setattr("framing.use_two_cores", lambda: [0, 1])


def options_in(folder: Path) -> Namespace:
    arguments = ["--home", str(folder / "home"), "--json", str(folder / "figures.json")]
    return parser_of("planted", "What it is.\n\nAnd more.").parse_args(arguments)


def test_it_measures_in_an_empty_folder_and_leaves_the_report_alone(tmp_path: Path) -> None:
    options = options_in(tmp_path)
    options.home.mkdir()
    (options.home / "of the last run").touch()
    with framed("planted", options) as frame:
        assert list(options.home.iterdir()) == []
        frame.report["rows"] = [{"case": "one"}]
    told = json.loads(options.json.read_text())
    assert (told["benchmark"], told["rows"], told["machine"]["fsync"]) == ("planted", [{"case": "one"}], "on")
    assert not options.home.exists()


def test_what_cannot_be_measured_is_one_line_and_no_report(tmp_path: Path) -> None:
    options = options_in(tmp_path)
    with pytest.raises(SystemExit, match="bench-planted: nobody answers"), framed("planted", options):
        raise Failed("nobody answers")
    assert not options.json.exists()
