"""The rule of imports holds, and its keeper is awake: every forbidden import, planted in a copy, is named."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ["customer", "gateway", "loyalty"]
ROOMS = ["http", "bus", "db"]

DIRECTION = "imports point inwards"
KNOWING = "knows several services"
INDEPENDENT = "never import each other"
PURE_DOMAIN = "A domain imports"
PURE_USE_CASE = "A use case imports"
PURE_VALUES = "The kit's values"
EVENTS = "Published events"
IDENTIFIERS = "Identifiers are normalised"

Planting = tuple[str, str, str]
"""The rule broken, the package that breaks it, and what it imports."""


def plantings_inside(service: str) -> list[Planting]:
    """What no room of a service may import, room by room."""
    own = f"regulars_{service}"
    outer = [f"{own}.bootstrap", f"{own}.adapters.db"]
    libraries = ["fastapi", "sqlalchemy", "asyncpg", "aiokafka", "pydantic", "httpx", "structlog"]
    kit = ["regulars_kit.db", "regulars_kit.http", "regulars_kit.bus", "regulars_contracts.identifiers"]
    return [
        *((DIRECTION, f"{own}.domain", inner) for inner in [*outer, f"{own}.application"]),
        *((DIRECTION, f"{own}.application", inner) for inner in outer),
        *((DIRECTION, f"{own}.adapters.{room}", f"{own}.bootstrap") for room in ROOMS),
        *((PURE_DOMAIN, f"{own}.domain", stranger) for stranger in [*libraries, *kit]),
        *((PURE_USE_CASE, f"{own}.application", stranger) for stranger in [*libraries, *kit]),
        *(
            (INDEPENDENT, f"{own}.adapters.{room}", f"{own}.adapters.{other}")
            for room in ROOMS
            for other in ROOMS
            if room != other
        ),
        *(
            (EVENTS, f"{own}.{room}", "regulars_contracts.events")
            for room in ["domain", "application", "adapters.http"]
        ),
        (EVENTS, f"{own}.adapters.db", "regulars_contracts.envelope"),
        *((IDENTIFIERS, f"{own}.{room}", "regulars_contracts.identifiers") for room in ["domain", "application"]),
    ]


PLANTINGS: list[Planting] = [
    *(planting for service in SERVICES for planting in plantings_inside(service)),
    (KNOWING, "regulars_customer.adapters.db", "regulars_loyalty.domain"),
    (KNOWING, "regulars_loyalty.adapters.db", "regulars_customer.domain"),
    (KNOWING, "regulars_gateway.adapters.http", "regulars_loyalty.domain"),
    *((KNOWING, f"regulars_{service}.adapters.bus", "regulars.samples") for service in SERVICES),
    *(
        (KNOWING, shared, stranger)
        for shared in ["regulars_kit", "regulars_contracts"]
        for stranger in ["regulars_customer.domain", "regulars_loyalty.domain", "regulars.samples"]
    ),
    (KNOWING, "regulars_kit", "regulars_contracts.events"),
    (KNOWING, "regulars_contracts", "regulars_kit.values"),
    (PURE_VALUES, "regulars_kit.values", "sqlalchemy"),
    (PURE_VALUES, "regulars_kit.values", "regulars_kit.db"),
    (EVENTS, "regulars", "regulars_contracts.events"),
    (IDENTIFIERS, "regulars", "regulars_contracts.identifiers"),
]


def source_roots(tree: Path) -> list[Path]:
    return sorted([*tree.glob("services/*/src"), *tree.glob("shared/*/src"), tree / "deploy/embedded/src"])


def lint(tree: Path) -> tuple[int, str]:
    """import-linter's exit status on a tree, and what it said, unwrapped and without colour."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(root) for root in source_roots(tree)),
        "COLUMNS": "400",
        "NO_COLOR": "1",
    }
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def broken_rules(report: str) -> dict[str, str]:
    """What the report says under each broken contract, by the contract's name."""
    _, _, details = report.partition("Broken contracts")
    rules: dict[str, str] = {}
    name, previous = "", ""
    for line in details.splitlines():
        if line and set(line) == {"-"}:
            name = previous
        rules[name] = rules.get(name, "") + line + "\n"
        previous = line
    return rules


def copy_of_the_tree(target: Path) -> Path:
    """The sources and their import rules, as they are."""
    forget = shutil.ignore_patterns("__pycache__", "*.parquet")
    for root in source_roots(ROOT):
        shutil.copytree(root, target / root.relative_to(ROOT), ignore=forget)
    (target / "tests/architecture").mkdir(parents=True)
    shutil.copy(ROOT / "tests/architecture/allow_list.py", target / "tests/architecture")
    shutil.copy(ROOT / "pyproject.toml", target)
    return target


def planted_name(planting: Planting) -> str:
    """The module that a planting adds to its package, named after what it imports."""
    _, package, imported = planting
    return f"{package}.planted_{imported.replace('.', '_')}"


def plant(tree: Path, planting: Planting) -> None:
    _, package, imported = planting
    root = next(root for root in source_roots(tree) if (root / package.split(".")[0]).exists())
    folder = root.joinpath(*package.split("."))
    if folder.is_dir():
        # Inside a function, where an import hides best.
        (folder / f"{planted_name(planting).rpartition('.')[2]}.py").write_text(f"def f():\n    import {imported}\n")
    else:
        with folder.with_suffix(".py").open("a") as module:
            module.write(f"\nimport {imported}\n")


@pytest.fixture(scope="module")
def rules_broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All plantings at once, each in a module of its own, so that one run of the linter answers for all."""
    tree = copy_of_the_tree(tmp_path_factory.mktemp("planted"))
    for planting in PLANTINGS:
        plant(tree, planting)
    status, report = lint(tree)
    assert status == 1, report
    return broken_rules(report)


def test_the_tree_keeps_the_rule_of_imports() -> None:
    status, report = lint(ROOT)
    assert status == 0, report


@pytest.mark.parametrize("planting", PLANTINGS, ids=lambda planting: f"{planting[1]} imports {planting[2]}")
def test_a_forbidden_import_goes_red(planting: Planting, rules_broken: dict[str, str]) -> None:
    rule, package, imported = planting
    said = next((text for name, text in rules_broken.items() if rule in name), "")
    importer = package if package == "regulars_kit.values" else planted_name(planting)
    assert any(importer in line and imported in line for line in said.splitlines()), said[:2000]


def test_a_room_that_no_service_has_goes_red(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path)
    (tree / "services/loyalty/src/regulars_loyalty/helpers.py").write_text("")
    status, report = lint(tree)
    assert status == 1
    assert "regulars_loyalty.helpers" in report
