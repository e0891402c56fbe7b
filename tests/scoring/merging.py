"""Stories of customers who buy, are merged, parted and erased; and what they amount to by a look at each fact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from hypothesis import strategies as st

from builders import ANNA, BEN, an_id
from regulars_contracts.events import Event
from regulars_contracts.events.customer import Erased, Merged, Unmerged
from regulars_contracts.events.loyalty import PurchaseClaimed, PurchaseRecorded, PurchaseReturned
from scoring.shop import a_claim, a_merge, a_return, a_sale, an_erasure, undone

PEOPLE = (ANNA, BEN, *(UUID(f"0c000000-0000-4000-8000-00000000000{number}") for number in range(3, 6)))
FIRST = date(2026, 1, 1)

Ledgers = Mapping[UUID, Mapping[date, tuple[int, int]]]
"""Net and open purchases by customer and day, where there is any of them."""

people = st.sampled_from(PEOPLE)
days = st.integers(0, 4).map(lambda number: FIRST + timedelta(days=number))


@st.composite
def _bought(draw: st.DrawFn) -> list[Event]:
    """A purchase with its returns; somebody's at once, or claimed, or nobody's."""
    customer, total = draw(people), draw(st.sampled_from([0, 100, 1000]))
    how = draw(st.sampled_from(["known", "known", "claimed", "nobody's"]))
    currency = draw(st.sampled_from(["EUR", "EUR", "EUR", "CHF"]))
    sale = a_sale(total, draw(days), customer if how == "known" else None, currency=currency)
    events: list[Event] = [sale, *([a_claim(sale, customer)] if how == "claimed" else [])]
    for _ in range(draw(st.integers(0, 2))):
        back = draw(st.integers(0, total))
        total -= back
        events.append(a_return(back, sale, voided=draw(st.integers(0, 3)) == 0))
    return events


@st.composite
def _merged(draw: st.DrawFn) -> list[Event]:
    """A merge, told to one of its customers or to both, and perhaps its undoing. Merges may contradict each other."""
    merged, surviving = draw(st.lists(people, min_size=2, max_size=2, unique=True))
    merge = a_merge(merged, surviving)
    both: list[Event] = [merge, merge.model_copy(update={"customer_id": surviving})]
    return [*both[: draw(st.integers(1, 2))], *([undone(merge)] if draw(st.integers(0, 2)) == 0 else [])]


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """In any order, some of it twice."""
    events = [
        *(event for told in draw(st.lists(_bought(), min_size=1, max_size=8)) for event in told),
        *(event for told in draw(st.lists(_merged(), min_size=1, max_size=6)) for event in told),
        *(
            a_return(77, on=on, customer_id=customer)
            for customer, on in draw(st.lists(st.tuples(people, days), max_size=2))
        ),
        *(an_erasure(customer) for customer in draw(st.one_of(st.just([]), st.lists(people, max_size=1)))),
    ]
    doubles = draw(st.lists(st.sampled_from(events), max_size=4))
    return draw(st.permutations([*events, *doubles]))


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a story amounts to: who stands for whom, and what each customer has bought on which day."""

    survivors: Mapping[UUID, UUID]
    ledgers: Ledgers


def amounts_of(story: Sequence[Event]) -> Amounts:
    """Reads the story as often as it likes, each part of it by its own id."""
    erased = {event.customer_id for event in story if isinstance(event, Erased)}
    survivors = _survivors(story, erased)
    ledgers: dict[UUID, dict[date, tuple[int, int]]] = defaultdict(dict)
    for customer, on, net, is_open in _entries(story):
        if customer is not None and customer not in erased:
            mine = ledgers[survivors.get(customer, customer)]
            before = mine.get(on, (0, 0))
            mine[on] = before[0] + net, before[1] + is_open
    return Amounts(
        survivors,
        {
            customer: kept
            for customer, mine in ledgers.items()
            if (kept := {on: entry for on, entry in mine.items() if entry != (0, 0)})
        },
    )


def _survivors(story: Sequence[Event], erased: set[UUID]) -> dict[UUID, UUID]:
    """Groups as sets, joined one after the other in the order in which the merges were made."""
    undone_ids = {event.merge_id for event in story if isinstance(event, Unmerged)}
    merges = {event.merge_id: event for event in story if isinstance(event, Merged)}
    groups: list[tuple[UUID, set[UUID]]] = [(customer, {customer}) for customer in PEOPLE]
    for merge_id in sorted(merges.keys() - undone_ids):
        merge = merges[merge_id]
        if erased & {merge.merged_id, merge.surviving_id}:
            continue
        one = next(group for group in groups if merge.merged_id in group[1])
        other = next(group for group in groups if merge.surviving_id in group[1])
        if one is not other:
            groups = [group for group in groups if group not in (one, other)]
            groups.append((other[0], one[1] | other[1]))
    return {each: survivor for survivor, group in groups for each in group if each != survivor}


def _entries(story: Sequence[Event]) -> list[tuple[UUID | None, date, int, int]]:
    """Whose, on which day, net minor units in euros, and 1 where the purchase is not wholly returned."""
    sales = {event.purchase_id: event for event in story if isinstance(event, PurchaseRecorded)}
    claims = {event.purchase_id: event.customer_id for event in story if isinstance(event, PurchaseClaimed)}
    returns = {event.return_id: event for event in story if isinstance(event, PurchaseReturned)}
    entries: list[tuple[UUID | None, date, int, int]] = []
    for purchase_id, sale in sales.items():
        back = [each for each in returns.values() if each.purchase_id == purchase_id]
        amount = sum(line.net_minor for each in back for line in each.lines)
        is_gone = any(each.voided for each in back) or bool(back and amount >= sale.total_minor)
        net = sale.total_minor - amount if sale.currency == "EUR" else 0
        entries.append((sale.customer_id or claims.get(purchase_id), sale.business_date, net, int(not is_gone)))
    unmatched = (each for each in returns.values() if each.purchase_id is None)
    return [*entries, *((each.customer_id, each.business_date, -each.lines[0].net_minor, 0) for each in unmatched)]


def an_opening() -> PurchaseRecorded:
    """The first purchase of all, which settles the currency that money is counted in: nobody's."""
    return a_sale(1, FIRST, customer_id=None, purchase_id=an_id())
