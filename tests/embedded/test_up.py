"""`regulars up` as a new user meets it: what it prints works as pasted, it stops cleanly, it comes back."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from schemathesis.specs.openapi.definitions import OPENAPI_31

from regulars_gateway.domain.keys import is_well_formed


@dataclass(frozen=True, slots=True)
class Shop:
    """A running `regulars up`: its process, what it printed, and how to call it."""

    process: subprocess.Popen[str]
    printed: str
    url: str
    key: str

    @property
    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    @property
    def commands(self) -> list[str]:
        return [line for line in self.printed.splitlines() if "curl -sS" in line]


@contextmanager
def an_open_shop(home: Path) -> Iterator[Shop]:
    command = [sys.executable, "-m", "regulars", "up", "--home", str(home), "--port", "0", "--sample", "none"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0)
    try:
        yield read_greeting(process)
    finally:
        process.kill()
        process.communicate()


def read_greeting(process: subprocess.Popen[str]) -> Shop:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            break
    printed = "".join(lines)
    url = re.search(r"http://127\.0\.0\.1:\d+", printed)
    key = re.search(r"rk_[0-9a-f]+", printed)
    assert url and key, printed
    return Shop(process, printed, url[0], key[0])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up") / "home"


@pytest.fixture(scope="module")
def shop(home: Path) -> Iterator[Shop]:
    with an_open_shop(home) as shop:
        yield shop


def pasted(commands: list[str]) -> list[dict[str, object]]:
    """What the commands answer when they are pasted into one shell, one after the other."""
    if shutil.which("curl") is None:
        pytest.fail("the printed commands are tried with curl: apt-get install curl")
    script = "\n".join(f"{command}\necho" for command in commands)
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    return [json.loads(line) for line in (ended.stderr + "\n" + ended.stdout).splitlines() if line.startswith("{")]


def test_the_printed_key_is_the_home_s(shop: Shop, home: Path) -> None:
    file = home / "admin-key"
    assert file.read_text().strip() == shop.key
    assert is_well_formed(shop.key)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_printed_commands_work_as_pasted(shop: Shop) -> None:
    customer, *answers = pasted(shop.commands)
    programme, purchase, account = answers
    assert "code" not in programme or programme["code"] == "main"
    assert purchase["customer_id"] == customer["id"]
    assert purchase["earned"] == 19  # 19.99 EUR at a point a euro, rounded down
    wallets = account["wallets"]
    assert isinstance(wallets, list)
    assert wallets[0]["balance"] == 19


def test_the_readmes_purchase_earns_in_its_own_answer(shop: Shop, home: Path) -> None:
    programme = {
        "effective_from": "2020-01-01",
        "time_zone": "Europe/London",
        "stores": ["high-street"],
        "earn": {"GBP": "1"},
        "rules": [{"code": "welcome", "when": {"first_purchase": True}, "bonus": 50}],
    }
    with shop.client as client:
        assert client.put("/v1/programmes/high-street", json=programme).status_code == 200
    commands = readme_commands(shop, home)
    # A card may be unknown to loyalty at this instant; the id never is.
    assert re.search(r'"customer": \{"id": "\'\$CUSTOMER\'"\}', commands)
    customer, purchase, came_back = pasted([commands])
    assert purchase["customer_id"] == customer["id"]
    assert purchase["earned"] == 76  # 26.48 pounds at a point each, rounded down, and 50 as a welcome
    assert came_back["taken_back"] == 29  # half of the mugs' 20 + 38


def readme_commands(shop: Shop, home: Path) -> str:
    """The README's first customer, purchase and return, addressed to this shop."""
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    found = re.search(r"```\n(KEY=.*?)```", readme, re.DOTALL)
    assert found
    return found[1].replace(".regulars/", f"{home}/").replace("localhost:8080", shop.url)


def test_the_probes_and_the_docs_ask_for_no_key(shop: Shop) -> None:
    for path in ("/healthz", "/readyz", "/docs", "/openapi.json"):
        assert httpx.get(shop.url + path, trust_env=False).status_code == 200


def test_everything_else_does(shop: Shop) -> None:
    for path in ("/v1/customers", "/v1/purchases/x", "/nowhere", "/internal/subjects/x", "/metrics"):
        assert httpx.get(shop.url + path, trust_env=False).json()["code"] == "api_key_required"


def test_internal_routes_are_not_reached_with_the_key_either(shop: Shop) -> None:
    with shop.client as client:
        assert client.get("/internal/subjects/x").json()["code"] == "not_found"


def test_the_metrics_of_all_services_are_one_page(shop: Shop) -> None:
    with shop.client as client:
        client.get("/v1/customers")
        page = client.get("/metrics").text
    counted = re.search(r"^http_requests_total\{(.*customer.*)\} \d", page, re.MULTILINE)
    assert counted and 'service="customer"' in counted[1]
    assert page.count("# TYPE http_requests_total counter") == 1


def test_the_whole_openapi_document_is_valid(shop: Shop) -> None:
    document = httpx.get(shop.url + "/openapi.json", trust_env=False).json()
    Draft202012Validator(OPENAPI_31).validate(document)
    assert {"/v1/customers", "/v1/purchases", "/v1/programmes/{code}"} <= document["paths"].keys()


def test_while_postgresql_is_away_a_till_is_told_to_try_again_and_then_it_works(shop: Shop, home: Path) -> None:
    postmaster = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    with shop.client as client:
        for answer in iter(lambda: client.get("/v1/customers"), None):
            if answer.status_code == 200:
                break
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            time.sleep(int(answer.headers["retry-after"]) / 10)


def test_what_was_acknowledged_outlives_a_stop_and_a_kill_9(tmp_path: Path) -> None:
    with an_open_shop(tmp_path / "home") as first:
        ada = register(first, "Ada")
        pasted(first.commands[:1])
        first.process.send_signal(signal.SIGINT)
        assert first.process.wait(60) == 0
    with an_open_shop(tmp_path / "home") as second:
        assert second.key == first.key
        # There is a programme now: the first command, which makes one, is not printed again.
        assert (len(first.commands), len(second.commands)) == (4, 3)
        grace = register(second, "Grace")
        second.process.kill()
    with an_open_shop(tmp_path / "home") as third, third.client as client:
        assert [client.get(f"/v1/customers/{one}").json()["name"] for one in (ada, grace)] == ["Ada", "Grace"]


def register(shop: Shop, name: str) -> str:
    """The id of a new customer, whose registration was acknowledged."""
    with shop.client as client:
        made = client.post("/v1/customers", json={"name": name}, headers={"Idempotency-Key": name})
    assert made.status_code == 201
    return str(made.json()["id"])
