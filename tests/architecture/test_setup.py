"""A fresh machine gets exactly what the lock says, by its own index; CI believes only tests that ran."""

import importlib.util
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text()


@pytest.fixture(scope="module")
def environment() -> ModuleType:
    spec = importlib.util.spec_from_file_location("environment", ROOT / "deploy/setup/environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_pip_was_told_uv_is_told(environment: ModuleType, tmp_path: Path) -> None:
    pip = {
        "index-url": "https://index.example/simple",
        "extra-index-url": "https://one.example\nhttps://two.example",
        "cert": "/shop/ca.pem",
        "find-links": f"{tmp_path} /no/such/folder",
    }
    told = environment.uv_settings(pip, {})
    assert told["UV_DEFAULT_INDEX"] == "https://index.example/simple"
    assert told["UV_INDEX"] == "https://one.example https://two.example"
    assert told["SSL_CERT_FILE"] == "/shop/ca.pem"
    assert told["UV_FIND_LINKS"] == str(tmp_path)
    assert told["UV_PYTHON_DOWNLOADS"] == "never"


def test_what_the_caller_says_stays(environment: ModuleType) -> None:
    assert "SSL_CERT_FILE" not in environment.uv_settings({"cert": "/a.pem"}, {"SSL_CERT_FILE": "/b.pem"})


def test_the_installer_itself_is_pinned_with_its_hashes(environment: ModuleType) -> None:
    lines = environment.pinned("uv", LOCK).splitlines()
    assert lines[0].startswith("uv==")
    assert all(line.strip().startswith("--hash=sha256:") for line in lines[1:])
    assert len(lines) > 1


def test_the_lock_names_no_index() -> None:
    assert "://" not in LOCK
    assert "index-url" not in LOCK


def test_the_lock_pins_every_dependency_of_every_package() -> None:
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", LOCK, re.MULTILINE))
    manifests = [
        tomllib.loads(path.read_text()) for path in [ROOT / "pyproject.toml", *ROOT.glob("*/*/pyproject.toml")]
    ]
    wanted = [need for manifest in manifests for need in manifest["project"]["dependencies"]]
    wanted += manifests[0]["dependency-groups"]["dev"]
    names = {re.split(r"[\[<>=~! ;]", need)[0].lower() for need in wanted}
    assert {name for name in names if not name.startswith("regulars")} <= pinned


def ci(folder: Path, recipe: str) -> tuple[int, list[str]]:
    """The exit status and the lines of `.ci/run` where `make test` does what the recipe says."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", folder / ".ci/run")
    (folder / "Makefile").write_text(f"test:\n\t@{recipe}\n")
    done = subprocess.run(["bash", ".ci/run"], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def test_ci_ends_with_what_pytest_said_and_leaves_nothing_running(tmp_path: Path) -> None:
    status, lines = ci(tmp_path, "sleep 300 & echo $$! > left; echo '=== 12 passed in 3.40s ==='")
    assert (status, lines[-1]) == (0, "=== 12 passed in 3.40s ===")
    left = (tmp_path / "left").read_text().strip()
    assert subprocess.run(["kill", "-0", left], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize(
    ("closing", "status"),
    [
        ("=== 1 failed, 11 passed in 3.40s ===", 2),
        ("=== 11 passed, 1 skipped in 3.40s ===", 0),
        ("nothing to do", 0),
        ("install Java 17 or later and Maven", 1),
    ],
)
def test_ci_fails_when_a_test_failed_or_did_not_run(tmp_path: Path, closing: str, status: int) -> None:
    assert ci(tmp_path, f"echo '{closing}'; exit {status}")[0] != 0
