"""Read a customer's points: now, as of an instant of business time, as it was known at an instant of ours, or ahead.

`as_of` in the future answers what will be true if nothing else happens.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from regulars_kit.values import Clock
from regulars_loyalty.application.ports import Begin, LoyaltyUnit, Passbook
from regulars_loyalty.application.publish_programme import View
from regulars_loyalty.domain.account import Account
from regulars_loyalty.domain.folding import advance, fold
from regulars_loyalty.domain.refusals import UnknownCustomer, UnknownProgramme


async def read_account(
    customer_id: UUID,
    programme: str | None,
    wallet: str | None,
    as_of: datetime | None,
    known_at: datetime | None,
    begin: Begin,
    now: Clock,
) -> View:
    """Balances of every wallet, or those named. Raises UnknownCustomer for one without an account."""
    async with begin() as unit:
        wallets = []
        for passbook in await accounts_named(unit, customer_id, programme, wallet):
            account = await account_at(unit, passbook, as_of or now(), as_of, known_at)
            wallets.append(_view(passbook, account))
        return {"customer_id": str(customer_id), "wallets": wallets}


async def accounts_named(
    unit: LoyaltyUnit, customer_id: UUID, programme: str | None, wallet: str | None
) -> list[Passbook]:
    """The customer's accounts, narrowed by programme and wallet where given. Raises UnknownCustomer."""
    accounts = await unit.accounts_of(customer_id)
    if not accounts:
        raise UnknownCustomer("this customer has no account yet; it opens with the first purchase")
    return [
        each for each in accounts if programme in (None, each.owner.programme) and wallet in (None, each.owner.wallet)
    ]


async def one_account(unit: LoyaltyUnit, customer_id: UUID, programme: str | None, wallet: str | None) -> Passbook:
    """The account named, or the only one. Raises UnknownCustomer, and UnknownProgramme where there are several."""
    accounts = await accounts_named(unit, customer_id, programme, wallet)
    if len(accounts) != 1:
        raise UnknownProgramme("name the programme and wallet: there is not exactly one account", field="/programme")
    return accounts[0]


async def account_at(
    unit: LoyaltyUnit, passbook: Passbook, at: datetime, as_of: datetime | None, known_at: datetime | None
) -> Account:
    """The account at an instant: from its lots when that is all it takes, from its history for the past."""
    programme = (await unit.programmes()).named(passbook.owner.programme)
    account = passbook.account
    is_past = as_of is not None and account.newest_at is not None and as_of < account.newest_at
    if known_at is None and not is_past:
        await unit.load_lots(passbook)
        advance(account, programme, at)
        return account
    history = await unit.history(account.account_id, until=at, known_at=known_at)
    return fold(account.account_id, history.facts, programme, at)


def _view(passbook: Passbook, account: Account) -> View:
    ahead = next((lot for lot in account.open_lots() if lot.expires_at is not None), None)
    return {
        "programme": passbook.owner.programme,
        "wallet": passbook.owner.wallet,
        "balance": account.balance,
        "spendable": account.spendable,
        "held": 0,
        "pending": 0,
        "debt": account.debt,
        "tier": account.tier,
        "next_expiry": _next_expiry(account) if ahead else None,
    }


def _next_expiry(account: Account) -> View:
    """The soonest end of a lot, and how many points end then."""
    ends = [(lot.expires_at, lot.remaining) for lot in account.open_lots() if lot.expires_at is not None]
    soonest = min(end for end, _ in ends)
    return {"at": soonest.isoformat(), "points": sum(points for end, points in ends if end == soonest)}
