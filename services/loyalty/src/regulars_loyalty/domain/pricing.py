"""What a purchase earns (P1, P2): exact all the way, floored once per purchase.

base of a line = its net without the part paid in points
points = floor(sum of base x rate x rules x tier) + fixed bonuses

The lines' amounts are counted in parts of one size (`Parts`): whole numbers say what fractions would, and every
purchase pays for them, which fractions would make several times as much.
"""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction
from math import ceil, lcm, prod

from regulars_kit.values import currency_exponent, value
from regulars_loyalty.domain.calendar import local_day, lot_expiry
from regulars_loyalty.domain.programme import QualifyBy, Rule, Version
from regulars_loyalty.domain.purchase import Line, Purchase
from regulars_loyalty.domain.refusals import CurrencyNotInProgramme
from regulars_loyalty.domain.sharing import share

_ONE = Fraction(1)

Matching = tuple[tuple[Rule, ...], ...]
"""The rules in force for each line."""


@value
class Parts:
    """An exact amount for each line: line i has `counts[i]` parts, of which `in_one` make a whole."""

    counts: tuple[int, ...]
    in_one: int

    def times(self, numerator: int, denominator: int) -> Parts:
        return Parts(tuple([count * numerator for count in self.counts]), self.in_one * denominator)

    def times_each(self, factors: list[Fraction]) -> Parts:
        """Each line's amount by its own factor."""
        common = lcm(*[factor.denominator for factor in factors])
        counts = [
            count * factor.numerator * (common // factor.denominator)
            for count, factor in zip(self.counts, factors, strict=True)
        ]
        return Parts(tuple(counts), self.in_one * common)

    @property
    def floor(self) -> int:
        """The sum of all lines, rounded down."""
        return sum(self.counts) // self.in_one


@value
class Price:
    """What one purchase is worth in points, and why. Tuples run parallel to the purchase's lines.

    `line_points` include bonuses; `line_credits` count towards a tier; `line_paid` are the points spent on the line.
    `unfloored` are the points before the floor and the bonuses, `matching` the rules that made them. `expires_at` is
    the lot's end, None for never.
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
    unfloored: Parts = Parts((), 1)
    matching: Matching = ()

    @property
    def line_rules(self) -> tuple[tuple[str, ...], ...]:
        return tuple([tuple([rule.code for rule in rules]) for rules in self.matching])

    @property
    def exact(self) -> Fraction:
        """The sum before the floor."""
        return Fraction(sum(self.unfloored.counts), self.unfloored.in_one)

    @property
    def line_exact(self) -> tuple[Fraction, ...]:
        return tuple(Fraction(count, self.unfloored.in_one) for count in self.unfloored.counts)


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
    rules = _in_force(version, purchase, visits_before)
    matching = tuple([tuple([rule for rule in rules if _matches(rule, line)]) for line in purchase.lines])
    bases = _bases(purchase)
    base_points = bases.times(rate.numerator, rate.denominator * 10 ** currency_exponent(purchase.currency))
    unfloored = _multiplied(base_points, tier.multiplier if tier else _ONE, rules, matching)
    points = _with_bonuses(share(unfloored.floor, unfloored.counts), rules, matching, unfloored)
    credit = (bases if version.qualify_by is QualifyBy.SPEND else base_points).floor
    paid = points_to_pay(purchase.paid_in_points_minor, purchase.currency, version) if _pays(purchase) else 0
    return Price(
        earned=sum(points),
        line_points=tuple(points),
        credit=credit,
        line_credits=tuple(share(credit, bases.counts)),
        paid=paid,
        line_paid=tuple(share(paid, [line.net_minor for line in purchase.lines])),
        expires_at=lot_end(purchase.occurred_at, version),
        tier=tier.code if tier else None,
        visit=visits_before + 1,
        unfloored=unfloored,
        matching=matching,
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
        line_credits=tuple(share(credit, _bases(purchase).counts)),
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


def _bases(purchase: Purchase) -> Parts:
    """What of each line was paid in money, in minor units."""
    nets = tuple([line.net_minor for line in purchase.lines])
    if not _pays(purchase) or not nets:
        return Parts(nets, 1)
    total_minor = purchase.total_minor
    return Parts(nets, 1).times(total_minor - purchase.paid_in_points_minor, total_minor)


def _in_force(version: Version, purchase: Purchase, visits_before: int) -> list[Rule]:
    day = local_day(purchase.occurred_at, version.zone)
    return [rule for rule in version.rules if _applies(rule, purchase, day, visits_before)]


def _applies(rule: Rule, purchase: Purchase, day: date, visits_before: int) -> bool:
    when = rule.when
    return (
        (when.stores is None or purchase.receipt.store in when.stores)
        and (when.channels is None or purchase.channel in when.channels)
        and (when.first_purchase is None or when.first_purchase == (visits_before == 0))
        and (when.every_nth_visit is None or (visits_before + 1) % when.every_nth_visit == 0)
        and (when.from_day is None or when.from_day <= day)
        and (when.to_day is None or day < when.to_day)
    )


def _matches(rule: Rule, line: Line) -> bool:
    when = rule.when
    return (when.categories is None or line.category in when.categories) and (
        when.skus is None or line.sku in when.skus
    )


def _multiplied(base_points: Parts, of_tier: Fraction, rules: list[Rule], matching: Matching) -> Parts:
    points = base_points.times(of_tier.numerator, of_tier.denominator)
    if all(rule.multiplier == 1 for rule in rules):
        return points
    return points.times_each([_product(its_rules) for its_rules in matching])


def _product(rules: tuple[Rule, ...]) -> Fraction:
    # Hardly a line has more than one: a product of fractions is not cheap.
    return rules[0].multiplier if len(rules) == 1 else prod([rule.multiplier for rule in rules], start=_ONE)


def _with_bonuses(points: list[int], rules: list[Rule], matching: Matching, unfloored: Parts) -> list[int]:
    """Add fixed bonuses after the multipliers: a line's to each line it matches, a basket's shared like points."""
    for rule in rules:
        if not rule.bonus:
            continue
        if rule.when.is_about_lines:
            bonuses = [rule.bonus * (rule in its_rules) for its_rules in matching]
        else:
            bonuses = share(rule.bonus, unfloored.counts)
        points = [have + bonus for have, bonus in zip(points, bonuses, strict=True)]
    return points
