"""Read an account's postings, in their order."""

from __future__ import annotations

from uuid import UUID

from regulars_loyalty.application.ports import Begin
from regulars_loyalty.application.publish_programme import View
from regulars_loyalty.application.read_account import one_account
from regulars_loyalty.domain.posting import Posting


async def read_ledger(
    customer_id: UUID, programme: str | None, wallet: str | None, after_seq: int, limit: int, begin: Begin
) -> list[View]:
    """Up to `limit` postings after a number of one account. Raises UnknownCustomer, UnknownProgramme."""
    async with begin() as unit:
        passbook = await one_account(unit, customer_id, programme, wallet)
        postings = await unit.postings_of(passbook.account.account_id, limit=limit, after_seq=after_seq)
        return [entry(posting) for posting in postings]


def entry(posting: Posting) -> View:
    """A posting as the API shows it."""
    return {
        "entry_id": f"{posting.account_id}.{posting.account_seq}",
        "account_seq": posting.account_seq,
        "occurred_at": posting.at.isoformat(),
        "recorded_at": posting.recorded_at.isoformat(),
        "from": posting.source,
        "to": posting.target,
        "points": posting.points,
        "cause": posting.cause,
        "fact_id": str(posting.fact_id),
        "lot_id": posting.lot_id and str(posting.lot_id),
        "late_fact_id": posting.late_fact_id and str(posting.late_fact_id),
        "hash": posting.hash.hex(),
    }
