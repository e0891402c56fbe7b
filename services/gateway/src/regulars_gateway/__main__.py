"""`regulars-gateway serve | consume | relay | migrate`."""

from __future__ import annotations

from regulars_gateway.bootstrap import build
from regulars_gateway.settings import Settings
from regulars_kit.service import main as run


def main() -> None:
    run("gateway", build, Settings, "regulars_gateway")


if __name__ == "__main__":
    main()
