"""The CRM audit's counts: the kernels beside a customer-by-customer reckoning, and the laws that hold among them."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_scoring.adapters.engine.audit import audited
from regulars_scoring.adapters.engine.gaps import gaps_of, shortest_first
from regulars_scoring.domain.audit import AGE_STRATA_DAYS, Audit, Movements
from regulars_scoring.domain.cycle import FEWEST_GAPS, rank_of_limit
from regulars_scoring.domain.proportions import Share
from regulars_scoring.domain.rfm_settings import DEFAULT_SETTINGS, RfmSettings
from regulars_scoring.domain.state import Entry
from scoring.ledgers import AS_OF, Days, ledger_in, occasions_in, people
from scoring.test_placing import any_settings, axes_by_hand, cells_by_hand
from scoring.test_rfm import rank

windows = st.sampled_from([7, 30, 90, 365])


def audit(customers: Sequence[Days], window_days: int, said: RfmSettings = DEFAULT_SETTINGS) -> Audit:
    ledger = ledger_in(customers)
    return audited(ledger, shortest_first(gaps_of(ledger.occasions)), AS_OF, window_days, said)


@dataclass(frozen=True)
class Span:
    """Days after `start` up to `end`."""

    start: date
    end: date

    def holds(self, day: date) -> bool:
        return self.start < day <= self.end


def spans(window_days: int) -> tuple[Span, Span, Span]:
    """Now, before, and the one before that."""
    ends = [AS_OF - number * timedelta(days=window_days) for number in range(4)]
    return Span(ends[1], ends[0]), Span(ends[2], ends[1]), Span(ends[3], ends[2])


def movements_by_hand(customers: Sequence[Days], span: Span, earlier: Span) -> Movements:
    counts: Counter[str] = Counter()
    for days in customers:
        occasions = occasions_in(days)
        is_active, was_active = (any(map(each.holds, occasions)) for each in (span, earlier))
        was_customer = occasions[0] <= span.start
        counts["active"] += is_active
        counts["kept"] += is_active and was_active
        counts["new"] += is_active and not was_customer
        counts["won_back"] += is_active and was_customer and not was_active
        counts["lost"] += was_active and not is_active
        counts["away"] += was_customer and not was_active
    return Movements(**{name: counts[name] for name in ("active", "kept", "new", "won_back", "lost", "away")})


@given(people, windows)
@settings(max_examples=120, deadline=None)
def test_movements_are_those_of_each_customer(customers: Sequence[Days], window_days: int) -> None:
    now, before, earlier = spans(window_days)
    found = audit(customers, window_days)
    assert found.movements_now == movements_by_hand(customers, now, before)
    assert found.movements_before == movements_by_hand(customers, before, earlier)
    for movements in (found.movements_now, found.movements_before):
        assert movements.active == movements.kept + movements.new + movements.won_back
    # Who was active in the window before is kept or lost in this one.
    assert found.movements_before.active == found.movements_now.active_before


@given(people, windows)
@settings(max_examples=120, deadline=None)
def test_who_switches_away_was_in_rhythm_and_is_so_no_longer(customers: Sequence[Days], window_days: int) -> None:
    found = audit(customers, window_days).switching_away
    for share, span in zip((found.now, found.before), spans(window_days), strict=False):
        assert (share.count, share.of) == silence_by_hand(customers, span)


def silence_by_hand(customers: Sequence[Days], span: Span) -> tuple[int, int]:
    fell_silent = in_rhythm = 0
    for days in customers:
        known = occasions_in(days, span.start)
        gaps = sorted((later - earlier).days for earlier, later in pairwise(known))
        if len(gaps) < FEWEST_GAPS:
            continue
        limit = gaps[rank_of_limit(len(gaps))]
        if (span.start - known[-1]).days <= limit:
            in_rhythm += 1
            fell_silent += (span.end - occasions_in(days, span.end)[-1]).days > limit
    return fell_silent, in_rhythm


@given(people, windows)
@settings(max_examples=120, deadline=None)
def test_the_best_tenth_is_that_of_each_windows_start(customers: Sequence[Days], window_days: int) -> None:
    found = audit(customers, window_days)
    strata = []
    for share, span in zip((found.best_repurchase.now, found.best_repurchase.before), spans(window_days), strict=False):
        by_age = best_by_hand(customers, span)
        strata.append(by_age)
        assert (share.count, share.of) == (sum(count for count, _ in by_age), sum(of for _, of in by_age))
    weights = [(now[1] + before[1]) if now[1] and before[1] else 0 for now, before in zip(*strata, strict=True)]
    equalised = found.best_repurchase_age_equalised
    assert equalised.left_out == sum(of for each in strata for _, of in each) - sum(weights)
    if sum(weights):
        rates = [
            sum(w * count / of for w, (count, of) in zip(weights, each, strict=True) if w) / sum(weights)
            for each in strata
        ]
        assert equalised.now is not None and equalised.before is not None
        assert abs(equalised.now - rates[0]) < 1e-9 and abs(equalised.before - rates[1]) < 1e-9


def best_by_hand(customers: Sequence[Days], span: Span) -> list[tuple[int, int]]:
    """Who bought again, and who is of the best tenth by net until the start, by stratum of age then."""
    known = {place: days for place, days in enumerate(customers) if occasions_in(days, span.start)}
    net = {
        place: sum(entry.net_minor for day, entry in days.items() if day <= span.start) for place, days in known.items()
    }
    found = [[0, 0] for _ in range(len(AGE_STRATA_DAYS) + 1)]
    turned = [-value for value in net.values()]
    for place, days in known.items():
        if rank(turned, -net[place], 10) == 1:
            stratum = bisect_right(AGE_STRATA_DAYS, (span.start - occasions_in(days)[0]).days)
            found[stratum][0] += any(map(span.holds, occasions_in(days)))
            found[stratum][1] += 1
    return [(count, of) for count, of in found]


@given(people, windows, any_settings)
@settings(max_examples=120, deadline=None)
def test_migration_has_the_segments_of_both_days_at_its_margins(
    customers: Sequence[Days], window_days: int, said: RfmSettings
) -> None:
    moved = audit(customers, window_days, said).migration
    before, now = segments_by_hand(customers, window_days, said), segments_by_hand(customers, 0, said)
    pairs = Counter((before.get(place), now[place]) for place in range(len(customers)))
    assert {(each.before, each.now): each.customers for each in moved} == pairs
    assert sum(each.customers for each in moved) == len(customers)


def segments_by_hand(customers: Sequence[Days], days_ago: int, said: RfmSettings) -> dict[int, str]:
    axes = axes_by_hand(customers, days_ago, said.window_days)
    cells = cells_by_hand(list(axes.values()), said)
    return {place: said.grid.segment_of(cell.recency, cell.frequency) for place, cell in zip(axes, cells, strict=True)}


def bought(*ages: int) -> Days:
    return {AS_OF - timedelta(days=age): Entry(1000, 1) for age in ages}


def test_an_audit_of_six_customers() -> None:
    """Windows of 30 days: now is 1 to 30 June, before 2 to 31 May, and the one before that 2 April to 1 May."""
    customers = [
        bought(100, 45, 5),  # kept
        bought(40),  # new in May, lost in June
        bought(10),  # new in June
        bought(200, 20),  # won back in June, for May had gone without
        bought(70, 35),  # kept in May, lost in June
        bought(300),  # away
    ]
    found = audit(customers, 30)
    assert (found.now.first, found.now.last) == (date(2026, 6, 1), date(2026, 6, 30))
    assert (found.before.first, found.before.last) == (date(2026, 5, 2), date(2026, 5, 31))
    # Away at the start of June: the fourth and the last. At the start of May: the first, who came back, and these.
    assert found.movements_now == Movements(active=3, kept=1, new=1, won_back=1, lost=2, away=2)
    assert found.movements_before == Movements(active=3, kept=1, new=1, won_back=1, lost=0, away=3)
    assert (found.lost.now.count, found.lost.now.of, found.lost.now.share) == (2, 3, 2 / 3)
    assert found.lost.before == Share(0, 1, 0.0, 0.0, found.lost.before.high)
    assert found.lost.difference == 2 / 3
    # Nobody has three gaps of their own.
    assert (found.switching_away.now.of, found.switching_away.difference) == (0, None)
