"""The leaves that ask what a customer did: figures over purchases and returns, and when the first or last one was."""

from __future__ import annotations

from regulars_campaign.domain.calendar import Period
from regulars_campaign.domain.refusals import InvalidRule
from regulars_campaign.domain.rule_node import Node
from regulars_campaign.domain.rules import Behaviour, Deed, End, Leaf, Measure, Occurrence, Where

_AMOUNT = "net_minor"
_INSTANT = "at"


def parse_deed(node: Node, deed: Deed) -> Leaf:
    """`{"purchases": {"count": true, "last": "P90D", "where": {…}}, "gte": 3}`, or one with a day:

    `{"purchases": {"first": "at"}, "within": "P30D"}`, `{"purchases": {"last": "at"}, "before": "P180D"}`.
    """
    asked = node.child(deed)
    end = _end(asked)
    if end is not None:
        return _occurrence(node, asked, deed, end)
    return _behaviour(node, asked, deed)


def _end(asked: Node) -> End | None:
    """`last` is a window when it is a duration, and a day when it asks for the instant."""
    ends = [end for end in End if asked.document.get(end) == _INSTANT]
    if len(ends) > 1:
        raise InvalidRule("asks for first or for last", field=asked.at)
    return ends[0] if ends else None


def _occurrence(node: Node, asked: Node, deed: Deed, end: End) -> Leaf:
    node.allow(deed, "within", "before")
    asked.allow("first", "last", "where")
    within, before = node.period("within"), node.period("before")
    if within is None and before is None:
        raise InvalidRule("must compare by within or before, with a duration such as P30D", field=node.at)
    window = asked.period("last") if end is End.FIRST else None
    return Occurrence(deed, end, within, before, window, _where(asked, deed))


def _behaviour(node: Node, asked: Node, deed: Deed) -> Leaf:
    node.allow(deed, *Node.COMPARISONS)
    asked.allow(*Measure, "currency", "last", "where")
    measures = [measure for measure in Measure if measure in asked.document]
    if len(measures) != 1:
        wanted = ", ".join((*Measure, *End))
        raise InvalidRule(f"must ask for one of {wanted}", field=asked.at)
    where = _where(asked, deed)
    _check_measure(asked, measures[0], where)
    currency = asked.currency()
    if (currency is None) != (measures[0] is Measure.COUNT):
        raise InvalidRule("an amount is asked for in one currency, a count in none", field=asked.place("currency"))
    window: Period | None = asked.period("last")
    return Behaviour(deed, measures[0], node.bounds(), currency, window, where)


def _check_measure(asked: Node, measure: Measure, where: Where) -> None:
    said = asked.document[measure]
    if measure is Measure.COUNT and said is not True:
        raise InvalidRule("must be true", field=asked.place(measure))
    if measure is not Measure.COUNT and said != _AMOUNT:
        raise InvalidRule(f"must be {_AMOUNT}", field=asked.place(measure))
    # A receipt with goods of two categories is one purchase: by parts, it would be counted twice.
    if measure is not Measure.SUM and len(where.categories) > 1:
        raise InvalidRule("several categories can be summed only; ask for each by itself", field=asked.place("where"))


def _where(asked: Node, deed: Deed) -> Where:
    if "where" not in asked.document:
        return Where()
    where = asked.child("where")
    # A return names no channel: goods come back over a counter.
    known = ("category", "store", "channel") if deed is Deed.PURCHASES else ("category", "store")
    where.allow(*known)
    if not where.document:
        raise InvalidRule(f"must name {', '.join(known)}", field=where.at)
    return Where(where.texts("category"), where.texts("store"), where.texts("channel"))
