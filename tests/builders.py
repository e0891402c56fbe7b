"""A shop's facts with vivid defaults: a club in Berlin, Anna who buys there, and the receipts she brings home."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from regulars_loyalty.domain.facts import (
    PointsAdjusted,
    PointsRedeemed,
    PurchaseMade,
    PurchaseReturned,
    RedemptionReversed,
    ReturnedShare,
)
from regulars_loyalty.domain.programme import Programme
from regulars_loyalty.domain.programme_document import parse
from regulars_loyalty.domain.purchase import Line, Purchase, Receipt

BERLIN = ZoneInfo("Europe/Berlin")
ANNA = UUID("0a11a000-0000-4000-8000-000000000001")
BEN = UUID("0be11000-0000-4000-8000-000000000002")
ANNAS_ACCOUNT = UUID("acc00000-0000-4000-8000-000000000001")

_numbers = itertools.count(1)


def an_id() -> UUID:
    """A new id. Later ones sort later, so that a test reads in the order in which it was written."""
    return UUID(int=(0x1D << 120) | next(_numbers))


def local(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """The instant at which the clock on the shop's wall shows this ("2026-02-10", "2026-02-10 18:30"), in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def the_specs_example() -> dict[str, Any]:
    """The programme that the product's specification shows."""
    return {
        "effective_from": "2026-01-01",
        "time_zone": "Europe/Berlin",
        "stores": ["*"],
        "wallet": "points",
        "earn": {"EUR": "1"},
        "point_value": {"EUR": "0.01"},
        "expires": {"after": "P12M", "from": "earned"},
        "pending": "P0D",
        "return_period": "P14D",
        "tiers": [{"code": "base", "from": 0, "multiplier": "1"}, {"code": "gold", "from": 1000, "multiplier": "1.5"}],
        "qualify": {"by": "base_points", "period": "calendar_year", "on_return": "revoke"},
        "rules": [
            {"code": "x2-shoes", "when": {"category": ["shoes"], "from": "2026-03-01"}, "multiplier": "2"},
            {"code": "welcome", "when": {"first_purchase": True}, "bonus": 50},
        ],
        "policies": {"debt": "debt", "late": "no-rerate", "grace_days": 0},
    }


TIERS = [{"code": "base", "from": 0, "multiplier": "1"}, {"code": "gold", "from": 1000, "multiplier": "1.5"}]


def a_document(**said: Any) -> dict[str, Any]:
    """The plainest programme: a point per euro that never ends, a cent each, no tiers, no rules."""
    return {
        "effective_from": "2020-01-01",
        "time_zone": "Europe/Berlin",
        "stores": ["*"],
        "earn": {"EUR": "1"},
        "point_value": {"EUR": "0.01"},
        **said,
    }


def a_programme(*versions: Mapping[str, Any], **said: Any) -> Programme:
    """The club, from its documents or from one plain document with these changes."""
    documents = versions or (a_document(**said),)
    return Programme.of([parse(document, "club", number) for number, document in enumerate(documents, 1)])


def a_line(net_minor: int = 1999, **said: Any) -> Line:
    given: dict[str, Any] = {"line_id": "1", "sku": "SHOE-42", "category": None, "quantity_milli": 1000, **said}
    return Line(net_minor=net_minor, **given)


def lines_of(*nets: int, **said: Any) -> tuple[Line, ...]:
    """Lines "1", "2", … with these amounts in minor units."""
    return tuple(a_line(net, line_id=str(place), **said) for place, net in enumerate(nets, 1))


def a_purchase(
    total: int = 1999,
    *,
    when: str | datetime = "2026-02-10 12:00",
    lines: Sequence[Line] | None = None,
    store: str = "berlin-mitte",
    purchase_id: UUID | None = None,
    **said: Any,
) -> Purchase:
    """A receipt of `total` cents, on one line unless `lines` are given. `when` is local time in Berlin."""
    at = local(when) if isinstance(when, str) else when
    given: dict[str, Any] = {"currency": "EUR", **said}
    identity = purchase_id or an_id()
    return Purchase(
        purchase_id=identity,
        receipt=Receipt(store, "till-1", date(2026, 2, 10), str(identity)),
        occurred_at=at,
        lines=tuple(lines) if lines else (a_line(total),),
        **given,
    )


def made(purchase: Purchase, programme: Programme) -> PurchaseMade:
    """The purchase as a fact that nobody has priced yet."""
    version = programme.at(purchase.occurred_at)
    return PurchaseMade(purchase.purchase_id, purchase.occurred_at, version.number, purchase, None)


def bought(total: int, when: str | datetime, programme: Programme, **said: Any) -> PurchaseMade:
    return made(a_purchase(total, when=when, **said), programme)


def returned(purchase: PurchaseMade, when: str | datetime, *shares: tuple[int, Fraction | int]) -> PurchaseReturned:
    """Shares of lines (place from 0, how much of it) came back; without shares, the whole receipt."""
    whole = [(place, Fraction(1)) for place in range(len(purchase.purchase.lines))]
    parts = tuple(ReturnedShare(purchase.fact_id, place, Fraction(share)) for place, share in shares or whole)
    return PurchaseReturned(an_id(), local(when) if isinstance(when, str) else when, parts)


def redeemed(points: int, when: str | datetime) -> PointsRedeemed:
    return PointsRedeemed(an_id(), local(when) if isinstance(when, str) else when, points)


def reversed_(redemption: PointsRedeemed, when: str | datetime, points: int | None = None) -> RedemptionReversed:
    """Points of a redemption come back, all of them unless said."""
    at = local(when) if isinstance(when, str) else when
    return RedemptionReversed(an_id(), at, redemption.fact_id, redemption.points if points is None else points)


def granted(points: int, when: str | datetime, until: str | None = None) -> PointsAdjusted:
    """Points given (or, below 0, taken) by hand, until a local instant."""
    at = local(when) if isinstance(when, str) else when
    return PointsAdjusted(an_id(), at, points, local(until) if until else None)
