from __future__ import annotations

from regulars_scoring.application.ports import Reads
from regulars_scoring.domain.rfm_settings import RfmSettings


async def read_rfm_settings(begin: Reads) -> RfmSettings:
    """The shop's settings, or the defaults while it has none."""
    async with begin() as unit:
        return await unit.rfm_settings()
