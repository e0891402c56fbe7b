"""What the processes of the service share besides accounts: programmes, and who holds a card."""

from __future__ import annotations

import asyncio

import pytest

from builders import ANNA, BEN, a_document, a_purchase
from loyalty.db_rig import NOW, Rig, a_command
from regulars_kit.values import Unavailable
from regulars_loyalty.application.claim_purchase import give
from regulars_loyalty.application.link_identifiers import link_identifiers
from regulars_loyalty.application.ports import ProgrammeDocument
from regulars_loyalty.application.purchase_rows import Answer, Shopper
from regulars_loyalty.domain.returning import LineWanted
from waiting import until_somebody_waits_for_a_lock

CARD = "k1:4a"


async def programmes_seen_by(rig: Rig) -> dict[str, int]:
    """How many versions of each programme a process knows."""
    async with rig.begin() as unit:
        return {code: len(each.versions) for code, each in (await unit.programmes()).by_code.items()}


async def test_what_one_process_publishes_every_process_knows_at_once(rig: Rig, other: Rig) -> None:
    assert await programmes_seen_by(other) == {"club": 1}
    await rig.publish(effective_from="2026-03-01", earn={"EUR": "2"})
    await rig.publish("outlet", stores=["outlet"])
    assert await programmes_seen_by(other) == await programmes_seen_by(rig) == {"club": 2, "outlet": 1}


async def test_documents_come_back_as_they_were_sent(rig: Rig) -> None:
    async with rig.begin() as unit:
        (stored,) = await unit.documents()
    assert (stored.code, stored.number, stored.document, stored.recorded_at) == ("club", 1, a_document(), NOW)


async def test_a_version_counts_in_its_own_unit_and_nowhere_when_that_is_rolled_back(rig: Rig) -> None:
    (first,) = await documents(rig)
    with pytest.raises(Unavailable):
        async with rig.begin() as unit:
            await unit.lock_programmes()
            await unit.publish_version(ProgrammeDocument("club", 2, first.effective_from, first.document, NOW))
            assert len((await unit.programmes()).named("club").versions) == 2
            raise Unavailable("the power went out")
    assert await programmes_seen_by(rig) == {"club": 1}


async def documents(rig: Rig) -> list[ProgrammeDocument]:
    async with rig.begin() as unit:
        return list(await unit.documents())


async def test_publications_take_turns_and_see_each_other(rig: Rig, other: Rig) -> None:
    rates = [str(rate) for rate in range(2, 8)]
    await asyncio.gather(
        *(each.publish(earn={"EUR": rate}) for each, rate in zip([rig, other] * 3, rates, strict=True))
    )
    stored = await documents(rig)
    assert [each.number for each in stored] == [1, 2, 3, 4, 5, 6, 7]
    assert sorted(str(each.document["earn"]) for each in stored[1:]) == [str({"EUR": rate}) for rate in rates]


async def test_an_identifier_leads_to_its_holder_until_it_is_unlinked(rig: Rig) -> None:
    async with rig.begin() as unit:
        await unit.link_identifiers([CARD], ANNA)
        await unit.link_identifiers(["k1:other"], BEN)
    async with rig.begin() as unit:
        assert await unit.customer_of([CARD, "k1:unknown", CARD]) == {CARD: ANNA}
        await unit.unlink_identifier(CARD, BEN)
        assert await unit.customer_of([CARD]) == {CARD: ANNA}
        await unit.link_identifiers([CARD], BEN)
        assert await unit.customer_of([CARD]) == {CARD: BEN}
        await unit.unlink_identifier(CARD, BEN)
        assert await unit.customer_of([CARD]) == {}


async def test_a_purchase_shown_a_card_that_is_just_being_linked_is_never_left_behind(rig: Rig, other: Rig) -> None:
    shown = [a_command(a_purchase(1000), shopper=Shopper(identifier_hash=CARD)) for _ in range(20)]

    async def sell() -> None:
        for command in shown:
            (answer,) = await rig.record(command)
            assert isinstance(answer, Answer)

    await asyncio.gather(sell(), link_identifiers([CARD], ANNA, other.begin, other.clock))
    async with rig.begin() as unit:
        assert await unit.unclaimed([CARD]) == []
        (passbook,) = await unit.accounts_of(ANNA)
    assert passbook.account.spendable == 200


async def test_a_purchase_waits_for_a_link_that_is_under_way(rig: Rig, other: Rig) -> None:
    command = a_command(a_purchase(1000), shopper=Shopper(identifier_hash=CARD))
    async with other.begin() as unit:
        await unit.link_identifiers([CARD], ANNA)
        selling = asyncio.create_task(rig.record(command))
        await until_somebody_waits_for_a_lock(other.database)
    (answer,) = await selling
    assert isinstance(answer, Answer)
    assert f'"customer_id":"{ANNA}"' in answer.body


async def test_a_claimed_purchase_brings_its_returns_along(rig: Rig) -> None:
    nobodys = a_purchase(10_000)
    await rig.record(a_command(nobodys, None))
    await rig.give_back(nobodys, "2026-02-10 13:00", LineWanted("1", net_minor=2_500))
    async with rig.begin() as unit:
        (fact,) = await unit.returns_of(nobodys.purchase_id)
        await give(unit, nobodys.purchase_id, ANNA, NOW)
    async with rig.begin() as unit:
        (passbook,) = await unit.accounts_of(ANNA)
        history = await unit.history(passbook.account.account_id, until=None, known_at=None)
        stored = await unit.purchase(nobodys.purchase_id)
        assert await unit.returns_of(nobodys.purchase_id) == []
    assert (passbook.account.spendable, passbook.fact_no) == (75, 2)
    assert [each.fact_id for each in history.facts] == [nobodys.purchase_id, fact.fact_id]
    assert stored is not None
    assert (stored.row.customer_id, stored.row.earned, stored.row.line_points) == (ANNA, 100, (100,))
    assert '"customer_id":null' in stored.row.first.first.answer


async def test_a_connection_cut_under_a_batch_is_an_outage_and_the_next_batch_goes_through(rig: Rig) -> None:
    with pytest.raises(Unavailable):
        async with rig.begin() as unit:
            await unit.programmes()
            await rig.value(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'tests'"
            )
            await unit.firsts([], [], [])
    (answer,) = await rig.record(a_command(a_purchase()))
    assert isinstance(answer, Answer)
