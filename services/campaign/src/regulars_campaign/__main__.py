"""`regulars-campaign serve | consume | relay | migrate`."""

from __future__ import annotations

from regulars_campaign.bootstrap import build
from regulars_campaign.settings import Settings
from regulars_kit.service import main as run


def main() -> None:
    run("campaign", build, Settings, "regulars_campaign")


if __name__ == "__main__":
    main()
