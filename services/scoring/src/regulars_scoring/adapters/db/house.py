"""What a process remembers of the installation."""

from __future__ import annotations

from dataclasses import dataclass

from regulars_scoring.adapters.db.models import ModelCache
from regulars_scoring.adapters.db.session import Session

_CURRENCY = "SELECT currency FROM house"
_SET_CURRENCY = "INSERT INTO house (currency) VALUES ($1) ON CONFLICT DO NOTHING"


@dataclass(slots=True)
class HouseCache:
    """The model that serves, and the currency once it is settled.

    `preferred_currency` is what money is counted in from the first purchase on; None: the first one seen.
    """

    models: ModelCache
    preferred_currency: str | None = None
    currency: str | None = None

    async def reporting_currency(self, session: Session, seen: str | None) -> str | None:
        """Settled by the first that is seen; None while none was."""
        if self.currency is None:
            row = await session.first(_CURRENCY)
            if row is None:
                return None if seen is None else await self._settle(session, self.preferred_currency or seen)
            self.currency = row["currency"]
        return self.currency

    async def _settle(self, session: Session, currency: str) -> str:
        # Not remembered before it is committed: the transaction may yet be rolled back.
        await session.execute(_SET_CURRENCY, currency)
        row = await session.first(_CURRENCY)
        return currency if row is None else str(row["currency"])
