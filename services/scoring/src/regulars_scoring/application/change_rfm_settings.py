from __future__ import annotations

from regulars_scoring.application.ports import Transactions
from regulars_scoring.domain.rfm_settings import RfmSettings, check_settings


async def change_rfm_settings(settings: RfmSettings, begin: Transactions) -> None:
    """Keep the shop's settings, by which the next run places everybody. Raises `InvalidRfm`."""
    check_settings(settings)
    async with begin() as unit:
        await unit.keep_rfm_settings(settings)
