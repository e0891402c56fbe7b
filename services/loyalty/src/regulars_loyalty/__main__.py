"""`regulars-loyalty serve | consume | relay | migrate`."""

from __future__ import annotations

from regulars_kit.service import main as run
from regulars_loyalty.bootstrap import build
from regulars_loyalty.settings import Settings


def main() -> None:
    run("loyalty", build, Settings, "regulars_loyalty")


if __name__ == "__main__":
    main()
