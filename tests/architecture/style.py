"""The measurable part of CONTRIBUTING.md: how long, how typed, how finished. Each check answers with what is wrong."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

LONGEST_FUNCTION = 60
LONGEST_FILE = 300
USUAL_FUNCTION = 30
MEDIAN_FUNCTION = 10
SCREEN = 60
"""Lines of a package's README that are read without scrolling."""

_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")


@dataclass(frozen=True, slots=True)
class Function:
    """A function and its length in lines, from `def` to the end of its body, its docstring included."""

    name: str
    length: int


def functions(path: Path) -> list[Function]:
    return [
        Function(f"{path}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def long_functions(paths: Sequence[Path]) -> list[str]:
    return [
        f"{function.name}: {function.length} lines"
        for path in paths
        for function in functions(path)
        if function.length > LONGEST_FUNCTION
    ]


def heavy_tail(lengths: Sequence[int]) -> list[str]:
    """What is wrong with the lengths taken together: their median, and the length that nine in ten keep."""
    ordered = sorted(lengths)
    ninth = ordered[int(0.9 * (len(ordered) - 1))] if ordered else 0
    middle = median(ordered) if ordered else 0
    return [
        *([f"the median function has {middle} lines"] if middle > MEDIAN_FUNCTION else []),
        *([f"one function in ten is longer than {ninth - 1} lines"] if ninth > USUAL_FUNCTION else []),
    ]


def long_files(paths: Sequence[Path]) -> list[str]:
    lengths = {path: len(path.read_text().splitlines()) for path in paths}
    return [f"{path}: {length} lines" for path, length in lengths.items() if length > LONGEST_FILE]


def unfinished(paths: Sequence[Path]) -> list[str]:
    return [
        f"{path}:{number} {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if _UNFINISHED.search(line)
    ]


def untyped(paths: Sequence[Path]) -> list[str]:
    """Every use of `Any`, by whatever name it was imported."""
    return [
        f"{path}: {ast.unparse(node)}"
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if _is_any(node)
    ]


def _is_any(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == "Any" for alias in node.names)
    return isinstance(node, ast.Attribute) and node.attr == "Any"


def swallowed_errors(paths: Sequence[Path]) -> list[str]:
    """Handlers that hide whatever happened: a bare `except:`, or one for everything whose whole body is `pass`."""
    return [
        f"{path}:{node.lineno} hides every error"
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and _hides_everything(node)
    ]


def _hides_everything(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    everything = isinstance(handler.type, ast.Name) and handler.type.id in {"Exception", "BaseException"}
    return everything and all(isinstance(statement, ast.Pass) for statement in handler.body)


def missing_or_long_readmes(packages: Sequence[Path]) -> list[str]:
    return [complaint for package in packages for complaint in _readme_complaints(package / "README.md")]


def _readme_complaints(readme: Path) -> Iterator[str]:
    if not readme.exists():
        yield f"{readme} is missing"
    elif (length := len(readme.read_text().splitlines())) > SCREEN:
        yield f"{readme}: {length} lines, more than a screen"
