"""`regulars-scoring serve | consume | relay | migrate`."""

from __future__ import annotations

from regulars_kit.service import main as run
from regulars_scoring.bootstrap import build
from regulars_scoring.settings import Settings


def main() -> None:
    run("scoring", build, Settings, "regulars_scoring")


if __name__ == "__main__":
    main()
