"""What a return takes back and gives back (P6): exactly what its lines earned, and what was paid for them in points.

Each line's take is cumulative, floor(points x returned so far) - taken before, so that any sequence of partial
returns ends at the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import ceil, floor
from uuid import UUID

from regulars_kit.values import value
from regulars_loyalty.domain.account import Account, Bought, Bucket, Cause, LineTaking, Standing
from regulars_loyalty.domain.calendar import local_day
from regulars_loyalty.domain.facts import PurchaseReturned, ReturnedShare
from regulars_loyalty.domain.programme import Shortage, Version
from regulars_loyalty.domain.purchase import Line, Purchase
from regulars_loyalty.domain.refusals import NothingLeftToReturn, UnknownLine
from regulars_loyalty.domain.spending import restore


@value
class LineWanted:
    """How much of a line came back: by quantity, else by amount, else all that is left of it."""

    line_id: str
    quantity_milli: int | None = None
    net_minor: int | None = None


@value
class GoodsReturned:
    """Goods that came back without their receipt."""

    sku: str
    quantity_milli: int
    net_minor: int


@value
class Match:
    """Part of a return that is this line of this purchase: `share` of it, `net_minor` of the money given back."""

    goods: int
    share: ReturnedShare
    quantity: Fraction
    net_minor: int


def shares_of(purchase: Purchase, bought: Bought, wanted: Sequence[LineWanted]) -> tuple[ReturnedShare, ...]:
    """Turn what the client names into shares of lines; naming no line means all that is left.

    Raises UnknownLine, and NothingLeftToReturn where more is named than is left: then nothing is returned at all.
    """
    places = {line.line_id: place for place, line in enumerate(purchase.lines)}
    left = [1 - returned for returned in bought.returned]
    if not wanted:
        wanted = [LineWanted(line.line_id) for line, rest in zip(purchase.lines, left, strict=True) if rest]
    shares = []
    for index, each in enumerate(wanted):
        place = places.get(each.line_id)
        if place is None:
            raise UnknownLine("the purchase has no such line", field=f"/lines/{index}/line_id")
        share = _share(purchase.lines[place], each, left[place])
        if left[place] == 0 or share > left[place]:
            raise NothingLeftToReturn("less of this line is left than was sent back", field=f"/lines/{index}")
        left[place] -= share
        shares.append(ReturnedShare(purchase.purchase_id, place, share))
    if not shares:
        raise NothingLeftToReturn("everything of this purchase came back before")
    return tuple(shares)


def _share(line: Line, wanted: LineWanted, left: Fraction) -> Fraction:
    """How much of a line is meant: by quantity, by amount when there is none, with neither all that is left."""
    if wanted.quantity_milli is not None:
        return Fraction(wanted.quantity_milli, line.quantity_milli)
    if wanted.net_minor is None or (line.net_minor == 0 and wanted.net_minor == 0):
        return left
    return Fraction(wanted.net_minor, line.net_minor) if line.net_minor else Fraction(2)


@value
class LineLeft:
    """What is left of a line, in thousandths."""

    purchase_id: UUID
    sku: str
    quantity_milli: Fraction


def cover(wanted: Mapping[str, int], lines: Iterable[LineLeft]) -> tuple[list[UUID], bool]:
    """The purchases it takes until their lines, in the order given, hold what is wanted of each SKU (thousandths).

    And whether they do: where they do not, more lines might.
    """
    missing: dict[str, Fraction | int] = dict(wanted)
    purchases: dict[UUID, None] = {}
    for line in lines:
        if missing.get(line.sku, 0) > 0:
            missing[line.sku] -= line.quantity_milli
            purchases[line.purchase_id] = None
    return list(purchases), all(quantity <= 0 for quantity in missing.values())


def match(goods: Sequence[GoodsReturned], candidates: Sequence[tuple[Purchase, Bought]]) -> list[Match]:
    """Match goods to lines with their SKU and something left, in the candidates' order, until each is covered."""
    left = {bought.purchase_id: [1 - returned for returned in bought.returned] for _, bought in candidates}
    matches = []
    for index, each in enumerate(goods):
        wanted = Fraction(each.quantity_milli)
        for purchase, _ in candidates:
            for place, line in enumerate(purchase.lines):
                rest = left[purchase.purchase_id][place]
                if line.sku != each.sku or rest == 0 or wanted == 0:
                    continue
                quantity = min(wanted, line.quantity_milli * rest)
                money = _money(each, wanted) - _money(each, wanted - quantity)
                wanted -= quantity
                part = quantity / line.quantity_milli
                left[purchase.purchase_id][place] -= part
                matches.append(Match(index, ReturnedShare(purchase.purchase_id, place, part), quantity, money))
    return matches


def _money(goods: GoodsReturned, quantity: Fraction) -> int:
    """The money for this much of the goods. Differences of it add up to the whole, to the last cent."""
    return floor(goods.net_minor * quantity / goods.quantity_milli)


def unmatched(goods: Sequence[GoodsReturned], matches: Sequence[Match]) -> list[GoodsReturned]:
    """What of the goods matched no line: quantity and money less what did."""
    rest = []
    for index, each in enumerate(goods):
        found = [match for match in matches if match.goods == index]
        quantity = each.quantity_milli - sum((match.quantity for match in found), Fraction(0))
        if quantity > 0:
            money = each.net_minor - sum(match.net_minor for match in found)
            rest.append(GoodsReturned(each.sku, ceil(quantity), money))
    return rest


def take(bought: Bought, line: int, share: Fraction) -> LineTaking:
    """Take a share (0 to what is left, 1 is the whole line) of a line, and remember it as returned."""
    before = bought.returned[line]
    after = min(before + share, Fraction(1))
    bought.returned[line] = after

    price = bought.price
    return LineTaking(
        bought.purchase_id,
        line,
        _part(price.line_points[line], before, after),
        _part(price.line_paid[line], before, after),
        _part(price.line_credits[line], before, after),
        _part(bought.net_minor[line], before, after),
        before,
        after,
    )


def cost_taken(line: Line, taking: LineTaking) -> int | None:
    """What the goods that came back had cost the shop; None where the till did not say what the line cost."""
    return None if line.cost_minor is None else _part(line.cost_minor, taking.before, taking.after)


def _part(whole: int, before: Fraction, after: Fraction) -> int:
    return floor(whole * after) - floor(whole * before)


def take_back(account: Account, fact: PurchaseReturned, version: Version) -> None:
    """Fold a return: first the points paid for the lines come back, then what the lines earned is taken."""
    takings = [take(account.bought[share.purchase_id], share.line, share.share) for share in fact.shares]
    account.takings[fact.fact_id] = takings
    by_purchase: dict[UUID, list[LineTaking]] = {}
    for taking in takings:
        by_purchase.setdefault(taking.purchase_id, []).append(taking)
    for purchase_id, lines in by_purchase.items():
        paid = sum(line.paid for line in lines)
        if paid:
            restore(account, account.spends[purchase_id], paid, fact.at, fact.fact_id, version, Cause.RETURN)
    for purchase_id, lines in by_purchase.items():
        _claw_back(account, sum(line.points for line in lines), purchase_id, fact.at, fact.fact_id, version.shortage)
        year = local_day(account.bought[purchase_id].at, version.zone).year
        account.standings.setdefault(year, Standing()).add(-sum(line.credit for line in lines))


def _claw_back(
    account: Account, points: int, purchase_id: UUID, at: datetime, fact_id: UUID, shortage: Shortage
) -> None:
    """The purchase's own lots first, then the others in spending order, then debt or, clamped, a write-off."""
    lots = account.open_lots()
    for lot in sorted(lots, key=lambda lot: lot.origin != purchase_id):
        taken = min(points, lot.remaining)
        if taken == 0:
            break
        account.draw(lot, taken, at, fact_id, Cause.RETURN, Bucket.CLAWED_BACK)
        points -= taken
    if points and shortage is Shortage.DEBT:
        account.borrow(points, at, fact_id, Cause.RETURN, Bucket.CLAWED_BACK)
    elif points:
        account.write_off(points, at, fact_id, Cause.RETURN)
