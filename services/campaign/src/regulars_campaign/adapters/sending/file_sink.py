"""A channel that writes messages to a folder: for trying out, for tests, and for whoever carries them further."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from pathlib import Path
from uuid import UUID

from regulars_campaign.domain.templates import Text
from regulars_kit.values import Unavailable


class FileSink:
    """One file per message, `<message id>.json`. The same message again leaves the file as it is.

    Written aside, brought to the disk, then renamed: a file that is there is whole, whenever we are killed.
    """

    def __init__(self, folder: Path, channel: str) -> None:
        self._folder = folder
        self._channel = channel

    async def send(self, message_id: UUID, address: str, text: Text) -> None:
        letter = {
            "message_id": str(message_id),
            "channel": self._channel,
            "to": address,
            "subject": text.subject,
            "body": text.body,
        }
        try:
            await asyncio.to_thread(self._write, message_id, json.dumps(letter, ensure_ascii=False, indent=2).encode())
        except OSError as error:
            raise Unavailable("the message cannot be written to its folder; try again") from error

    def _write(self, message_id: UUID, content: bytes) -> None:
        path = self._folder / f"{message_id}.json"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            # A name of its own for each try: a twin may be writing the same message.
            self._write_aside(self._folder / f".{message_id}.{secrets.token_hex(4)}.part", content, path)
            self._make_durable()
        # Of tries that were killed; and of a twin that is still writing, who then finds the whole file.
        for aside in self._folder.glob(f".{message_id}.*.part"):
            aside.unlink(missing_ok=True)

    def _write_aside(self, aside: Path, content: bytes, path: Path) -> None:
        try:
            with aside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.rename(path)
        except FileNotFoundError:
            if not path.exists():
                raise
        finally:
            aside.unlink(missing_ok=True)

    def _make_durable(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
