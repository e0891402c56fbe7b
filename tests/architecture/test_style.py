"""The product's sources keep the laws of CONTRIBUTING.md, and each law's checker sees a planted breach."""

from pathlib import Path

import pytest

from architecture import style

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(manifest.parent for manifest in ROOT.glob("*/*/pyproject.toml"))
SOURCES = sorted(
    path for folder in ["services", "shared", "deploy"] for path in (ROOT / folder).rglob("*.py") if path.is_file()
)
INNER = [path for path in SOURCES if {"domain", "application"} & set(path.parts)]


def a_source(folder: Path, text: str) -> list[Path]:
    path = folder / "planted.py"
    path.write_text(text)
    return [path]


def test_there_are_sources_to_judge() -> None:
    assert len(PACKAGES) >= 5
    assert len(SOURCES) > len(INNER) > 0


def test_no_function_is_longer_than_sixty_lines() -> None:
    assert style.long_functions(SOURCES) == []


def test_most_functions_are_short() -> None:
    assert style.heavy_tail([function.length for path in SOURCES for function in style.functions(path)]) == []


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    assert style.long_files(SOURCES) == []


def test_nothing_is_left_unfinished() -> None:
    assert style.unfinished(SOURCES) == []


def test_domain_and_use_cases_are_typed_to_the_end() -> None:
    assert style.untyped(INNER) == []


def test_no_error_is_swallowed() -> None:
    assert style.swallowed_errors(SOURCES) == []


def test_every_package_introduces_itself_on_one_screen() -> None:
    assert style.missing_or_long_readmes(PACKAGES) == []


@pytest.mark.parametrize(("lines", "is_long"), [(60, False), (61, True)])
def test_a_function_is_measured_from_its_def_to_its_end(tmp_path: Path, lines: int, is_long: bool) -> None:
    source = a_source(tmp_path, "async def f():\n" + "    x = 1\n" * (lines - 1))
    assert bool(style.long_functions(source)) is is_long


@pytest.mark.parametrize(
    ("lengths", "is_heavy"),
    [
        ([10] * 9 + [60], False),
        ([11] * 10, True),
        ([5] * 17 + [31] * 3, True),
    ],
)
def test_the_tail_is_judged_as_a_whole(lengths: list[int], is_heavy: bool) -> None:
    assert bool(style.heavy_tail(lengths)) is is_heavy


@pytest.mark.parametrize(("lines", "is_long"), [(300, False), (301, True)])
def test_a_file_is_measured_in_lines(tmp_path: Path, lines: int, is_long: bool) -> None:
    assert bool(style.long_files(a_source(tmp_path, "x = 1\n" * lines))) is is_long


@pytest.mark.parametrize("text", ["x = 1  # TODO later", "# FIXME", "def f():\n    raise NotImplementedError"])
def test_a_planted_stub_goes_red(tmp_path: Path, text: str) -> None:
    assert style.unfinished(a_source(tmp_path, text))


@pytest.mark.parametrize(
    "text", ["from typing import Any", "from typing import Any as A", "import typing\nx: typing.Any"]
)
def test_a_planted_any_goes_red(tmp_path: Path, text: str) -> None:
    assert style.untyped(a_source(tmp_path, text))


@pytest.mark.parametrize(
    "handler", ["except:\n    x = 1", "except Exception:\n    pass", "except BaseException:\n    pass"]
)
def test_a_planted_silence_goes_red(tmp_path: Path, handler: str) -> None:
    assert style.swallowed_errors(a_source(tmp_path, f"try:\n    x = 0\n{handler}\n"))


def test_an_error_that_is_handled_is_no_silence(tmp_path: Path) -> None:
    assert style.swallowed_errors(a_source(tmp_path, "try:\n    x = 0\nexcept OSError:\n    pass\n")) == []


def test_a_missing_or_an_endless_readme_goes_red(tmp_path: Path) -> None:
    assert style.missing_or_long_readmes([tmp_path])
    (tmp_path / "README.md").write_text("line\n" * 61)
    assert style.missing_or_long_readmes([tmp_path])
    (tmp_path / "README.md").write_text("line\n" * 60)
    assert style.missing_or_long_readmes([tmp_path]) == []
