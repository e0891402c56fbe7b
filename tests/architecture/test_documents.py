"""What the documents say is what the code does: the tables are current, and the links lead somewhere."""

import importlib.util
import pkgutil
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from regulars_kit.problems import KIT_STATUSES
from regulars_kit.values import Refused

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/*/README.md")]
SERVICES = sorted(manifest.parent.name for manifest in ROOT.glob("services/*/pyproject.toml"))
PLACE = re.compile(r"`((?:services|shared|deploy|tests|benchmarks|docs)(?:/[\w.*-]+)*)`")
LINK = re.compile(r"\]\((?!https?://)([^)#]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs/tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refusals_of(package: str) -> set[type[Refused]]:
    """Every refusal that a package defines, wherever in it."""
    root = import_module(package)
    for module in pkgutil.walk_packages(root.__path__, f"{package}."):
        import_module(module.name)
    return {refusal for refusal in descendants(Refused) if refusal.__module__.startswith(package)}


def descendants(family: type[Refused]) -> set[type[Refused]]:
    return {heir for child in family.__subclasses__() for heir in {child, *descendants(child)}}


def test_the_tables_are_current(tables: ModuleType) -> None:
    document = (ROOT / "ARCHITECTURE.md").read_text()
    assert tables.current(document) == document, "run `make docs`"


def test_a_table_out_of_date_goes_red(tables: ModuleType) -> None:
    document = (ROOT / "ARCHITECTURE.md").read_text().replace("`insufficient_points`", "`poor`")
    assert tables.current(document) != document


def test_a_document_without_a_place_for_its_table_goes_red(tables: ModuleType) -> None:
    with pytest.raises(ValueError, match="no place for the table of codes"):
        tables.between_markers("<!-- limits -->\n<!-- /limits -->", "codes", "")


def test_the_figures_of_a_report_fill_their_table(tables: ModuleType) -> None:
    row = {"case": "single_32", "ours": 2360.4, "peer": 5101, "ratio": 0.4627, "unit": "purchases/s", "p50_ms": 12.345}
    written = tables.figures_table([row], tables.WAITS)
    assert written.splitlines()[2] == "| `single_32` | 2,360 | 5,101 | 0.46 | purchases/s | 12.35 |  |"


@pytest.mark.parametrize("benchmark", ["purchase", "chain", "scoring", "nightly"])
def test_the_readme_has_a_place_for_each_benchmarks_figures(benchmark: str, tables: ModuleType) -> None:
    readme = (ROOT / "README.md").read_text()
    row = {"case": "planted", "ours": 1.5, "peer": None, "ratio": 2, "unit": "days"}
    more = {"p50_ms": None, "p99_ms": 12_345.6, "ours_mb": None, "peer_mb": 12_345.6}
    report = {"benchmark": benchmark, "rows": [row | more]}
    written = tables.with_figures(readme, report)
    assert "| `planted` | 1.50 |  | 2.00 | days |  | 12,346 |" in written
    assert tables.with_figures(written, report) == written != readme


@pytest.mark.parametrize("service", SERVICES)
def test_every_refusal_of_a_service_has_its_status(service: str, tables: ModuleType) -> None:
    statuses = {**KIT_STATUSES, **tables.statuses_of(service)}
    nameless = [refusal for refusal in refusals_of(f"regulars_{service}.domain") if refusal not in statuses]
    assert nameless == []


def test_a_code_means_one_status(tables: ModuleType) -> None:
    said = [(refusal.code, status) for refusal, status in KIT_STATUSES.items()]
    for service in SERVICES:
        said += [(refusal.code, status) for refusal, status in tables.statuses_of(service).items()]
    assert len(dict(said)) == len(set(said)), sorted(set(said))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    dead = [target for target in LINK.findall(document.read_text()) if not (document.parent / target).exists()]
    assert dead == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_place_named_is_there(document: Path) -> None:
    lost = [place for place in PLACE.findall(document.read_text()) if not any(ROOT.glob(place))]
    assert lost == []


def test_every_decision_is_listed_and_says_what_enforces_it() -> None:
    listed = (ROOT / "docs/adr/README.md").read_text()
    for record in ROOT.glob("docs/adr/0*.md"):
        assert record.name in listed
        assert "**Enforced by**" in record.read_text(), record.name


def test_every_script_that_make_runs_is_there() -> None:
    scripts = re.findall(r"\b[\w/]+\.(?:py|sh)\b", (ROOT / "Makefile").read_text())
    assert [script for script in scripts if not (ROOT / script).exists()] == []
