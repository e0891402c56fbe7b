"""Ours: the loyalty service, two `regulars-loyalty serve`, one for each core, their principal checked."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from purchase_path import shop
from purchase_path.load import Load, run_load
from purchase_path.measuring import Failed, Reading
from purchase_path.server import free_port, python_server
from purchase_path.stored import checked
from regulars_kit.auth import HEADER, Principal, Signer, new_key_pair

PROCESSES = 2
"""Each has half of the tills, as nginx would spread them."""

_BATCH = 200
_TIMEOUT_S = 60
_SCOPES = frozenset({"purchases:write", "programmes:write"})


@dataclass(frozen=True, slots=True)
class Ours:
    """The service over the database at `database_url`: an address for each process. It believes what `signer` signs."""

    urls: Sequence[str]
    database_url: str
    signer: Signer

    def measure(self, wrk: Path, load: Load) -> Reading:
        """Purchases a second and the wait of a request. The principal is signed afresh: it lives for 60 s."""
        path = "/v1/purchases:batch" if load.batch else "/v1/purchases"
        signed = Load(load.clients, load.seconds, load.customers, load.batch, self._principal())
        return checked(self.database_url, load, run_load(wrk, [url + path for url in self.urls], signed))

    def open_shop(self) -> None:
        """Publish the programme and open every customer's account with a first purchase."""
        with httpx.Client(base_url=self.urls[0], headers=self._principal(), timeout=_TIMEOUT_S) as client:
            client.put(f"/v1/programmes/{shop.CODE}", json=shop.PROGRAMME).raise_for_status()
            for first in range(1, shop.CUSTOMERS + 1, _BATCH):
                body = shop.first_purchases(first, min(first + _BATCH - 1, shop.CUSTOMERS))
                told = client.post(
                    "/v1/purchases:batch", content=body, headers={"Content-Type": "application/x-ndjson"}
                ).text.splitlines()
                refused = [line for line in told if '"status":201' not in line]
                if refused:
                    raise Failed(f"a first purchase was refused: {refused[0]}")

    def _principal(self) -> dict[str, str]:
        return {HEADER: self.signer.sign(Principal("bench", None, _SCOPES), "loyalty")}


@contextmanager
def loyalty_service(database_url: str, bus_url: str, folder: Path) -> Iterator[Ours]:
    """The service over a database that is ready for it. No relay runs: the outbox fills, as it does for the peers."""
    private, public = new_key_pair()
    key_file = folder / "principal.pem"
    key_file.write_text(public)
    settings = {
        "DATABASE_URL": database_url,
        "BUS_URL": bus_url,
        "PRINCIPAL_PUBLIC_KEY": str(key_file),
        "IDENTIFIER_KEYS": f'{{"k1": "{secrets.token_hex(32)}"}}',
        "IDENTIFIER_KEY_ID": "k1",
        "LOG_LEVEL": "warning",
    }
    environment = {f"REGULARS_LOYALTY_{name}": value for name, value in settings.items()}
    with ExitStack() as stack:
        urls = [stack.enter_context(_serve(environment, folder / f"ours-{each}.log")) for each in range(PROCESSES)]
        yield Ours(urls, database_url, Signer(private, "gateway"))


@contextmanager
def _serve(environment: Mapping[str, str], log: Path) -> Iterator[str]:
    url = f"http://127.0.0.1:{(port := free_port())}"
    on_port = {**environment, "REGULARS_LOYALTY_PORT": str(port)}
    with python_server(["-m", "regulars_loyalty", "serve"], on_port, f"{url}/readyz", log):
        yield url
