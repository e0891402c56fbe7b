"""I4 on real PostgreSQL: whatever comes in whatever order, the stored account is the fold of its stored facts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from builders import ANNA, a_purchase, lines_of, local
from loyalty.books import books, check_books
from loyalty.db_rig import Rig, a_command
from regulars_kit.values import Refused
from regulars_loyalty.application.expire_points import expire_points
from regulars_loyalty.domain.account import Account
from regulars_loyalty.domain.facts import PurchaseReturned, RedemptionReversed
from regulars_loyalty.domain.folding import fold
from regulars_loyalty.domain.late import net
from regulars_loyalty.domain.posting import GENESIS, chain_hash
from regulars_loyalty.domain.purchase import Purchase
from regulars_loyalty.domain.returning import LineWanted

if TYPE_CHECKING:
    from conftest import FreshDatabase


@pytest.fixture
async def rig(fresh_database: FreshDatabase) -> AsyncIterator[Rig]:
    rig = Rig(await fresh_database("regulars_loyalty"))
    yield rig
    await rig.close()


async def test_a_late_receipt_behind_others_in_its_batch_changes_their_price_too(rig: Rig) -> None:
    bonus = {"code": "welcome", "when": {"first_purchase": True}, "bonus": 50}
    await rig.publish(policies={"late": "re-rate"}, rules=[bonus])
    later, earlier = (a_purchase(100, when=f"2026-02-10 {hour}:00") for hour in (12, 10))
    await rig.record(a_command(later), a_command(earlier))
    async with rig.begin() as unit:
        stored = [await unit.purchase(each.purchase_id) for each in (earlier, later)]
    assert [each and (each.row.earned, each.row.line_points, each.row.visit) for each in stored] == [
        (51, (51,), 1),
        (1, (1,), 2),
    ]
    await check_stored(rig)


@pytest.mark.parametrize("late", ["no-rerate", "re-rate"])
@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_the_stored_account_is_the_fold_of_its_stored_facts(
    rig: Rig, seed: int, late: str
) -> None:
    """I4, with facts that come in any order."""
    await rig.publish(
        expires={"after": "P2M"},
        tiers=[{"code": "base", "from": 0}, {"code": "gold", "from": 100, "multiplier": "1.5"}],
        rules=[{"code": "third", "when": {"every_nth_visit": 3}, "bonus": 7}],
        policies={"late": late, "grace_days": seed % 2 * 20, "debt": ["debt", "clamp"][seed // 2]},
    )
    rig.now = local("2026-09-01")
    chance = random.Random(seed)
    sold: list[Purchase] = []
    redeemed: list[dict[str, Any]] = []
    for _ in range(40):
        with suppress(Refused):
            await something_happens(rig, chance, sold, redeemed)
        await check_stored(rig)
    await expire_points(rig.begin, rig.clock)
    await check_stored(rig)


async def something_happens(
    rig: Rig, chance: random.Random, sold: list[Purchase], redeemed: list[dict[str, Any]]
) -> None:
    when = f"2026-{chance.randint(1, 8):02}-{chance.randint(1, 28):02} {chance.randint(8, 19):02}:00"
    match chance.randrange(7):
        case 0:
            sold.append(await rig.sell(lines=lines_of(chance.randint(0, 9000), 500), when=when))
        case 1:
            batch = [a_purchase(chance.randint(0, 9000), when=f"2026-{chance.randint(1, 8):02}-05") for _ in range(3)]
            await rig.record(*map(a_command, batch))
            sold += batch
        case 2:
            sold.append(await rig.sell(2_000, when=when, paid_in_points_minor=chance.randint(1, 40)))
        case 3 if sold:
            line = LineWanted("1", quantity_milli=chance.choice([250, 333, 1000]))
            await rig.give_back(chance.choice(sold), when, line)
        case 4:
            redeemed.append(await rig.redeem(chance.randint(1, 60), when))
        case 5 if redeemed:
            await rig.reverse(chance.choice(redeemed), chance.randint(1, 30), when)
        case 6:
            await rig.adjust(chance.choice([-9, 40]), when)


async def check_stored(rig: Rig) -> None:
    async with rig.begin() as unit:
        accounts = await unit.accounts_of(ANNA)
        for passbook in accounts:
            account, programme = passbook.account, (await unit.programmes()).named("club")
            history = await unit.history(account.account_id, until=None, known_at=None)
            await unit.load_lots(passbook)
            postings = await unit.postings_of(account.account_id, limit=10_000, after_seq=0)
            spends = {
                fact.fact_id: await unit.spend(fact.fact_id)
                for fact in history.facts
                if not isinstance(fact, PurchaseReturned | RedemptionReversed)
            }
    for passbook in accounts:
        folded = fold(passbook.account.account_id, history.facts, programme, passbook.account.newest_at)
        assert_same(passbook.account, folded)
        assert +Counter(history.posted) == +net(folded.moves)
        check_books(books(posting.move for posting in postings), folded.spendable, folded.debt)
        assert {key: spend for key, spend in spends.items() if spend} == folded.spends
        head = GENESIS
        for seq, posting in enumerate(postings, 1):
            assert posting.account_seq == seq
            head = chain_hash(head, posting.account_id, seq, posting.move, posting.recorded_at, posting.late_fact_id)
            assert posting.hash == head
        assert (passbook.seq, passbook.head) == (len(postings), head)


def assert_same(stored: Account, folded: Account) -> None:
    assert (stored.spendable, stored.debt, stored.visits) == (folded.spendable, folded.debt, folded.visits)
    assert (stored.tier, stored.standings) == (folded.tier, folded.standings)
    assert stored.open_lots() == folded.open_lots()
