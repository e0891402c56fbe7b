"""What the one who started it reads first: where it is, the key, and commands that work as pasted."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import uuid4

_FIRST_UUID = "grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' | head -n 1"


@dataclass(frozen=True, slots=True)
class Greeting:
    """`currency` None: there is no programme yet, and the first command makes one."""

    url: str
    key: str
    key_file: Path
    currency: str | None
    today: date

    def text(self) -> str:
        """The lines to print, without markup."""
        where = [f"Regulars is open at {self.url} (API: {self.url}/docs)", f"API key: {self.key}  (in {self.key_file})"]
        intro = "Try it, in one terminal, in this order:"
        return "\n".join([*where, "", intro, "", *("\n\n".join(self.commands()).splitlines()), "", "Ctrl-C stops it."])

    def commands(self) -> list[str]:
        """Register a customer, sell them something, read their account; before that a programme, when there is none."""
        first = [] if self.currency else [self._publish_programme()]
        return [*first, self._register(), self._sell(), self._read_account()]

    def _publish_programme(self) -> str:
        programme = {
            "effective_from": date(self.today.year, 1, 1).isoformat(),
            "time_zone": "UTC",
            "stores": ["*"],
            "wallet": "points",
            "earn": {"EUR": "1"},
            "point_value": {"EUR": "0.01"},
            "expires": {"after": "P12M", "from": "earned"},
            "tiers": [
                {"code": "base", "from": 0, "multiplier": "1"},
                {"code": "gold", "from": 1000, "multiplier": "1.5"},
            ],
            "qualify": {"by": "base_points", "period": "calendar_year", "on_return": "revoke"},
        }
        return self._curl("PUT", "/v1/programmes/main", programme)

    def _register(self) -> str:
        customer = {
            "name": "Ada Example",
            "identifiers": [{"kind": "card", "value": f"29{uuid4().int % 10**11:011d}"}],
            "source": "curl",
        }
        register = self._curl("POST", "/v1/customers", customer, f"-H 'Idempotency-Key: {uuid4()}' ")
        # Kept in the shell, since the two commands after it name the customer.
        return f"CUSTOMER=$({register} | tee /dev/stderr | {_FIRST_UUID})"

    def _sell(self) -> str:
        purchase = {
            "store": "front-street",
            "till": "1",
            "receipt_no": uuid4().hex[:8],
            "business_date": self.today.isoformat(),
            "customer": {"id": "CUSTOMER"},
            "currency": self.currency or "EUR",
            "lines": [{"line_id": "1", "sku": "coffee-1kg", "quantity": 1, "net_minor": 1999}],
        }
        command = self._curl("PUT", f"/v1/purchases/{uuid4()}", purchase)
        return command.replace('"CUSTOMER"', "\"'$CUSTOMER'\"")

    def _read_account(self) -> str:
        return f'curl -sS {self._authorization()} "{self.url}/v1/accounts/$CUSTOMER"'

    def _curl(self, method: str, path: str, body: Mapping[str, object], more: str = "") -> str:
        sent = shlex.quote(json.dumps(body))
        headers = f"{self._authorization()} -H 'Content-Type: application/json' {more}"
        return f"curl -sS -X {method} {self.url}{path} {headers}-d {sent}"

    def _authorization(self) -> str:
        return f"-H 'Authorization: Bearer {self.key}'"
