"""`regulars-customer serve | consume | relay | migrate`."""

from __future__ import annotations

from regulars_customer.bootstrap import build
from regulars_customer.settings import Settings
from regulars_kit.service import main as run


def main() -> None:
    run("customer", build, Settings, "regulars_customer")


if __name__ == "__main__":
    main()
