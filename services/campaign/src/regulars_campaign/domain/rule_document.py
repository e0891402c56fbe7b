"""A rule's document, as a marketer writes it, read into its tree. Every fault names its node by JSON Pointer.

{"all": [{"trait": "country", "in": ["DE", "AT"]}, {"consent": "marketing/email"}, {"score": "churn_90", "gte": 0.6},
         {"purchases": {"sum": "net_minor", "currency": "EUR", "last": "P90D",
                        "where": {"category": ["shoes"]}}, "gte": 10000},
         {"none": [{"tier": {"in": ["gold"]}}]}]}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from regulars_campaign.domain.refusals import InvalidRule, RuleTooLarge, UnknownRuleField
from regulars_campaign.domain.rule_deeds import parse_deed
from regulars_campaign.domain.rule_node import Node, one_of
from regulars_campaign.domain.rules import (
    BalanceIs,
    Branch,
    Deed,
    Every,
    HasConsent,
    Leaf,
    Neither,
    Rule,
    ScoreIs,
    ScoreNumber,
    ScoreWithin,
    ScoreWord,
    Some,
    StageIs,
    TierIs,
    TraitIs,
)

DEEPEST = 8
"""Levels of branches."""
MOST_LEAVES = 50

_TEXT_TRAITS = ("country", "city", "language", "tags")
_NUMBER_TRAITS = ("birth_month",)
_PURPOSES = ("marketing", "profiling", "research")
_CHANNELS = ("email", "sms", "phone", "post", "push")
_STAGES = ("prospect", "customer", "repeat", "loyal", "lapsed", "won_back")


def parse(document: object, at: str = "") -> Rule:
    """Read a rule; `at` is the pointer of the document itself. Raises `InvalidRule` or one of its kinds."""
    reader = _Reader()
    return reader.read(document, at, 1)


class _Reader:
    """Counts leaves while it reads."""

    def __init__(self) -> None:
        self._leaves = 0

    def read(self, document: object, at: str, level: int) -> Rule:
        node = Node.of(document, at)
        kind = _kind(node)
        if kind in _BRANCHES:
            return self._branch(node, kind, level)
        self._leaves += 1
        if self._leaves > MOST_LEAVES:
            raise RuleTooLarge(f"a rule has at most {MOST_LEAVES} leaves", field=at)
        return _LEAVES[kind](node)

    def _branch(self, node: Node, kind: str, level: int) -> Rule:
        node.allow(kind)
        parts = node.list_of(kind)
        if level > DEEPEST:
            raise RuleTooLarge(f"a rule has at most {DEEPEST} levels", field=node.at)
        place = node.place(kind)
        return _BRANCHES[kind](tuple(self.read(part, f"{place}/{i}", level + 1) for i, part in enumerate(parts)))


def _kind(node: Node) -> str:
    kinds = [kind for kind in (*_BRANCHES, *_LEAVES) if kind in node.document]
    if len(kinds) == 1:
        return kinds[0]
    wanted = ", ".join([*_BRANCHES, *_LEAVES])
    if kinds:
        raise InvalidRule(f"a node asks one thing only, and this one {len(kinds)}", field=node.at)
    raise UnknownRuleField(f"a node asks for one of {wanted}", field=node.at)


def _trait(node: Node) -> Leaf:
    node.allow("trait", "in", "eq")
    trait = node.text("trait")
    if trait in _NUMBER_TRAITS:
        return TraitIs(trait, node.integers())
    if trait not in _TEXT_TRAITS:
        known = ", ".join((*_TEXT_TRAITS, *_NUMBER_TRAITS))
        raise UnknownRuleField(f"the traits of a customer are {known}", field=node.place("trait"))
    return TraitIs(trait, node.words())


def _consent(node: Node) -> Leaf:
    node.allow("consent")
    purpose, _, channel = node.text("consent").partition("/")
    if purpose not in _PURPOSES or channel not in _CHANNELS:
        ways = f"a purpose ({', '.join(_PURPOSES)}), a slash and a channel ({', '.join(_CHANNELS)})"
        raise UnknownRuleField(f"a consent is {ways}", field=node.place("consent"))
    return HasConsent(purpose, channel)


def _tier(node: Node) -> Leaf:
    node.allow("tier")
    tier = node.child("tier")
    tier.allow("in", "eq", "programme")
    return TierIs(tier.words(), tier.optional_text("programme"))


def _balance(node: Node) -> Leaf:
    node.allow("balance")
    balance = node.child("balance")
    balance.allow(*Node.COMPARISONS, "programme")
    return BalanceIs(balance.bounds(), balance.optional_text("programme"))


def _stage(node: Node) -> Leaf:
    node.allow("stage")
    stage = node.child("stage")
    stage.allow("in", "eq")
    words = stage.words()
    if not set(words) <= set(_STAGES):
        raise UnknownRuleField(f"the stages are {', '.join(_STAGES)}", field=stage.at)
    return StageIs(words)


def _score(node: Node) -> Leaf:
    name = node.text("score")
    if name in set(ScoreWord):
        node.allow("score", "in", "eq")
        return ScoreIs(ScoreWord(name), node.words())
    number = one_of(ScoreNumber, name)
    if number is None:
        known = ", ".join((*ScoreWord, *ScoreNumber))
        raise UnknownRuleField(f"the scores are {known}", field=node.place("score"))
    if number is not ScoreNumber.CLV:
        node.allow("score", *Node.COMPARISONS)
        return ScoreWithin(number, node.bounds())
    node.allow("score", *Node.COMPARISONS, "currency")
    return ScoreWithin(number, node.bounds(), node.currency())


_BRANCHES: Mapping[str, Callable[[tuple[Rule, ...]], Branch]] = {"all": Every, "any": Some, "none": Neither}
_LEAVES: Mapping[str, Callable[[Node], Leaf]] = {
    "trait": _trait,
    "consent": _consent,
    "tier": _tier,
    "balance": _balance,
    "stage": _stage,
    "score": _score,
    "purchases": lambda node: parse_deed(node, Deed.PURCHASES),
    "returns": lambda node: parse_deed(node, Deed.RETURNS),
}
