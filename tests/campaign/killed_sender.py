"""A sender in a process of its own, for a test that kills it: says `sent` after each letter.

python killed_sender.py DATABASE_URL FOLDER
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from uuid import UUID

import regulars_campaign.bootstrap as bootstrap
from campaign.shop import Desk, WallClock, a_service
from regulars_campaign.adapters.sending.file_sink import FileSink
from regulars_campaign.domain.templates import Text


class TellingSink(FileSink):
    async def send(self, message_id: UUID, address: str, text: Text) -> None:
        sys.stdout.write("sending\n")
        sys.stdout.flush()
        await super().send(message_id, address, text)
        sys.stdout.write("sent\n")
        sys.stdout.flush()


async def main(database_url: str, folder: str) -> None:
    bootstrap.FileSink = TellingSink  # type: ignore[attr-defined]
    service = a_service(database_url, Desk(), WallClock(), sink_dir=Path(folder))
    await service.loops[0](asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
