"""What a purchase earns (P1, P2): exact fractions all the way, floored once per purchase.

base of a line = its net without the part paid in points
points = floor(sum of base x rate x rules x tier) + fixed bonuses
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from math import ceil, floor

from regulars_kit.values import currency_exponent
from regulars_loyalty.domain.calendar import local_day, lot_expiry
from regulars_loyalty.domain.programme import QualifyBy, Rule, Version
from regulars_loyalty.domain.purchase import Line, Purchase
from regulars_loyalty.domain.refusals import CurrencyNotInProgramme
from regulars_loyalty.domain.sharing import share

_ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Price:
    """What one purchase is worth in points, and why. Tuples run parallel to the purchase's lines.

    `line_points` include bonuses; `line_credits` count towards a tier; `line_paid` are the points spent on the
    line. `exact` is the sum before the floor. `expires_at` is the lot's end, None for never.
    """

    earned: int
    line_points: tuple[int, ...]
    credit: int
    line_credits: tuple[int, ...]
    paid: int
    line_paid: tuple[int, ...]
    expires_at: datetime | None
    tier: str | None
    visit: int
    exact: Fraction = Fraction(0)
    line_exact: tuple[Fraction, ...] = ()
    line_rules: tuple[tuple[str, ...], ...] = ()


def points_to_pay(amount_minor: int, currency: str, version: Version) -> int:
    """How many points an amount costs at the programme's point value, rounded up so that none is given away."""
    value = version.point_value.get(currency)
    if value is None:
        raise CurrencyNotInProgramme("this programme has no point value in the purchase's currency", field="/currency")
    return ceil(Fraction(amount_minor, 10 ** currency_exponent(currency)) / value)


def price(purchase: Purchase, version: Version, tier_code: str | None, visits_before: int) -> Price:
    """Price a purchase at the tier held before it, as the customer's visit number `visits_before` + 1.

    Raises CurrencyNotInProgramme rather than guess an exchange rate.
    """
    rate = version.earn.get(purchase.currency)
    if rate is None:
        raise CurrencyNotInProgramme("this programme earns nothing in this currency", field="/currency")
    tier = version.tier(tier_code)
    rules = [rule for rule in version.rules if _applies(rule, purchase, version, visits_before)]
    bases = _bases(purchase)
    per_minor = rate / 10 ** currency_exponent(purchase.currency)
    factor = per_minor * (tier.multiplier if tier else 1)
    exact = [base * factor * _multiplier(rules, line) for base, line in zip(bases, purchase.lines, strict=True)]
    total = sum(exact, Fraction(0))
    points = _with_bonuses(share(floor(total), exact), rules, purchase.lines, exact)
    credit = _credit(bases, per_minor, version)
    paid = points_to_pay(purchase.paid_in_points_minor, purchase.currency, version) if _pays(purchase) else 0
    return Price(
        earned=sum(points),
        line_points=tuple(points),
        credit=credit,
        line_credits=tuple(share(credit, bases)),
        paid=paid,
        line_paid=tuple(share(paid, [line.net_minor for line in purchase.lines])),
        expires_at=lot_end(purchase.occurred_at, version),
        tier=tier.code if tier else None,
        visit=visits_before + 1,
        exact=total,
        line_exact=tuple(exact),
        line_rules=tuple(_codes(rules, line) for line in purchase.lines),
    )


def stored_price(
    purchase: Purchase,
    line_points: tuple[int, ...],
    *,
    earned: int,
    credit: int,
    paid: int,
    expires_at: datetime | None,
    tier: str | None,
    visit: int,
) -> Price:
    """The price of an accepted purchase from what is kept of it; the shares that are not kept are worked out again.

    Without the purchase's lines, the price has none either.
    """
    return Price(
        earned=earned,
        line_points=line_points,
        credit=credit,
        line_credits=tuple(share(credit, _bases(purchase))),
        paid=paid,
        line_paid=tuple(share(paid, [line.net_minor for line in purchase.lines])),
        expires_at=expires_at,
        tier=tier,
        visit=visit,
    )


def _pays(purchase: Purchase) -> bool:
    return purchase.paid_in_points_minor > 0


def lot_end(at: datetime, version: Version) -> datetime | None:
    """When a lot earned at `at` ends (P4); None for never."""
    return None if version.lot_life is None else lot_expiry(at, version.lot_life, version.zone)


def _bases(purchase: Purchase) -> list[Fraction | int]:
    if not _pays(purchase) or not purchase.lines:
        return [line.net_minor for line in purchase.lines]
    money = Fraction(purchase.total_minor - purchase.paid_in_points_minor, purchase.total_minor)
    return [line.net_minor * money for line in purchase.lines]


def _credit(bases: list[Fraction | int], per_minor: Fraction, version: Version) -> int:
    total = sum(bases)
    return floor(total) if version.qualify_by is QualifyBy.SPEND else floor(total * per_minor)


def _applies(rule: Rule, purchase: Purchase, version: Version, visits_before: int) -> bool:
    when = rule.when
    return (
        (when.stores is None or purchase.receipt.store in when.stores)
        and (when.channels is None or purchase.channel in when.channels)
        and (when.first_purchase is None or when.first_purchase == (visits_before == 0))
        and (when.every_nth_visit is None or (visits_before + 1) % when.every_nth_visit == 0)
        and _within(local_day(purchase.occurred_at, version.zone), when.from_day, when.to_day)
    )


def _within(day: date, from_day: date | None, to_day: date | None) -> bool:
    return (from_day is None or from_day <= day) and (to_day is None or day < to_day)


def _matches(rule: Rule, line: Line) -> bool:
    when = rule.when
    return (when.categories is None or line.category in when.categories) and (
        when.skus is None or line.sku in when.skus
    )


def _multiplier(rules: list[Rule], line: Line) -> Fraction:
    product = _ONE
    for rule in rules:
        if rule.multiplier != 1 and _matches(rule, line):
            product *= rule.multiplier
    return product


def _codes(rules: list[Rule], line: Line) -> tuple[str, ...]:
    return tuple(rule.code for rule in rules if _matches(rule, line))


def _with_bonuses(points: list[int], rules: list[Rule], lines: tuple[Line, ...], exact: list[Fraction]) -> list[int]:
    """Add fixed bonuses after the multipliers: a line's to each line it matches, a basket's shared like points."""
    for rule in rules:
        if not rule.bonus:
            continue
        if rule.when.is_about_lines:
            points = [have + rule.bonus * _matches(rule, line) for have, line in zip(points, lines, strict=True)]
        else:
            points = [have + part for have, part in zip(points, share(rule.bonus, exact), strict=True)]
    return points
