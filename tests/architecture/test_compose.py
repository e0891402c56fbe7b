"""What is deployed is what there is: every service of the table, in every file that lists services."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from regulars.distributed.services import ROLES, SERVICES

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
PROMETHEUS = yaml.safe_load((ROOT / "deploy/observability/prometheus.yml").read_text())
NAMES = [entry.name for entry in SERVICES]
NGINX_CODE = re.compile(r'"code":"(\w+)"')


def test_every_service_of_the_checkout_is_in_the_table() -> None:
    assert sorted(NAMES) == sorted(manifest.parent.name for manifest in ROOT.glob("services/*/pyproject.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_every_service_is_composed_of_its_processes(name: str) -> None:
    for role in (*ROLES, "migrate"):
        process = COMPOSE["services"][f"{name}-{role}"]
        assert process["command"] == [role]
        assert process["image"].startswith(f"regulars/{name}:")
        assert process["build"]["args"] == {"SERVICE": name}
        assert process["read_only"] is True
    assert f"{name}-serve" in COMPOSE["services"]["nginx"]["depends_on"]
    assert name in COMPOSE["services"]["databases"]["environment"]["SERVICES"].split()


def test_every_process_is_watched_by_prometheus() -> None:
    watched = {
        name for job in PROMETHEUS["scrape_configs"] for found in job["dns_sd_configs"] for name in found["names"]
    }
    assert watched == {f"{name}-{role}" for name in NAMES for role in ROLES}


def test_the_gateway_knows_where_its_neighbours_are() -> None:
    urls = json.loads(COMPOSE["x-gateway"]["environment"]["REGULARS_GATEWAY_SERVICE_URLS"])
    assert urls == {name: f"http://{name}-serve:8000" for name in NAMES if name != "gateway"}


def test_every_image_has_a_tag_and_no_secret_stands_in_the_file() -> None:
    assert all(":" in process["image"] for process in COMPOSE["services"].values())
    text = (ROOT / "docker-compose.yml").read_text()
    assert all("${" in line for line in text.splitlines() if "PASSWORD:" in line or "IDENTIFIER_KEYS:" in line)
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {".env", ".compose/"} <= set(ignored)


def test_keys_are_made_once_and_open_only_what_they_should(tmp_path: Path) -> None:
    (tmp_path / "deploy/docker").mkdir(parents=True)
    (tmp_path / "services/loyalty").mkdir(parents=True)
    (tmp_path / "services/loyalty/pyproject.toml").touch()
    script = tmp_path / "deploy/docker/keys.py"
    script.write_text((ROOT / "deploy/docker/keys.py").read_text())
    made = [keys_after(script) for _ in range(2)]
    assert made[0] == made[1]
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert (tmp_path / ".compose").stat().st_mode & 0o077 == 0
    names = {line.partition("=")[0] for line in (tmp_path / ".env").read_text().splitlines()}
    assert names == {
        "POSTGRES_PASSWORD",
        "REGULARS_IDENTIFIER_KEY",
        "REGULARS_CAMPAIGN_PUBLIC_KEY",
        "LOYALTY_DATABASE_PASSWORD",
    }


def keys_after(script: Path) -> dict[str, str]:
    subprocess.run([sys.executable, script], check=True, capture_output=True)
    root = script.parents[2]
    return {path.name: path.read_text() for path in [root / ".env", *(root / ".compose").iterdir()]}


def test_every_code_that_nginx_says_is_in_the_documents() -> None:
    said = set(NGINX_CODE.findall((ROOT / "deploy/gateway/problems.conf").read_text()))
    document = (ROOT / "ARCHITECTURE.md").read_text()
    assert {code for code in said if f"`{code}`" not in document} == set()
