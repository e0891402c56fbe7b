"""A segment's rule: a tree of `all`, `any`, `none` over leaves that ask one thing about a customer each.

A missing value makes its leaf false, whatever it asks; `none` is the only negation: "not known" is never "not equal".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from regulars_campaign.domain.calendar import Period


class Facet(StrEnum):
    """What a leaf looks at: an event touches some of them, and with them the rules that ask for them."""

    TRAITS = "traits"
    CONSENTS = "consents"
    STAGE = "stage"
    TIER = "tier"
    BALANCE = "balance"
    SCORES = "scores"
    PURCHASES = "purchases"
    RETURNS = "returns"


class Op(StrEnum):
    GTE = "gte"
    GT = "gt"
    LTE = "lte"
    LT = "lt"
    EQ = "eq"


Bounds = tuple[tuple[Op, Decimal], ...]
"""Comparisons that must all hold; never empty."""


class ScoreWord(StrEnum):
    """Scores that are words."""

    RFM_SEGMENT = "rfm_segment"
    CHURN_BAND = "churn_band"


class ScoreNumber(StrEnum):
    """Scores that are numbers: the axes of RFM 1 to 5, probabilities 0 to 1, CLV in whole units, deciles 1 to 10."""

    RECENCY = "recency"
    FREQUENCY = "frequency"
    MONETARY = "monetary"
    CHURN_90 = "churn_90"
    P_ALIVE = "p_alive"
    CLV = "clv"
    DECILE = "decile"


class Deed(StrEnum):
    PURCHASES = "purchases"
    RETURNS = "returns"


class Measure(StrEnum):
    """What is reckoned of each deed's amount. Of no deed at all, count and sum are 0, and the others missing."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"


class End(StrEnum):
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class TraitIs:
    """The trait is one of the values; one that is a list (`tags`) holds one of them."""

    trait: str
    values: tuple[str, ...] | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HasConsent:
    """The customer said yes to it, and it holds."""

    purpose: str
    channel: str


@dataclass(frozen=True, slots=True)
class TierIs:
    """The tier held in the programme is one of these; in any programme when that is None."""

    tiers: tuple[str, ...]
    programme: str | None = None


@dataclass(frozen=True, slots=True)
class BalanceIs:
    """The points that can be spent in the programme (in some programme: None); without an account, missing."""

    bounds: Bounds
    programme: str | None = None


@dataclass(frozen=True, slots=True)
class StageIs:
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScoreIs:
    score: ScoreWord
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScoreWithin:
    """`currency`, for CLV alone: only of customers whose value is reckoned in it. None: in whatever it is."""

    score: ScoreNumber
    bounds: Bounds
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """Which deeds count: those whose value is listed; empty lists exclude nothing.

    With categories, of a deed only the part in them counts.
    """

    categories: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        return not (self.categories or self.stores or self.channels)


EVERYTHING = Where()


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A figure over what the customer did. Amounts in minor units of `currency` (None for counts).

    `window` reaches from the beginning of the day that lies so long before today to now; None: all time.
    """

    deed: Deed
    measure: Measure
    bounds: Bounds
    currency: str | None = None
    window: Period | None = None
    where: Where = EVERYTHING


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The first or last deed lies within a period before today (that day included), or before it; both are days."""

    deed: Deed
    end: End
    within: Period | None = None
    before: Period | None = None
    window: Period | None = None
    where: Where = EVERYTHING


@dataclass(frozen=True, slots=True)
class Every:
    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Some:
    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Neither:
    """None of the parts holds."""

    parts: tuple[Rule, ...]


Leaf = TraitIs | HasConsent | TierIs | BalanceIs | StageIs | ScoreIs | ScoreWithin | Behaviour | Occurrence
Branch = Every | Some | Neither
Rule = Leaf | Branch

KEYS: dict[type[Branch], str] = {Every: "all", Some: "any", Neither: "none"}
"""How a rule's document writes the branches."""


def walk(rule: Rule, at: str = "") -> Iterator[tuple[str, Rule]]:
    """Every node with its JSON Pointer in the rule's document, parents before their parts."""
    yield at, rule
    if isinstance(rule, Branch):
        for place, part in enumerate(rule.parts):
            yield from walk(part, f"{at}/{KEYS[type(rule)]}/{place}")


def facets_of(rule: Rule) -> frozenset[Facet]:
    """What the rule looks at: nothing else can change its verdict, but time."""
    return frozenset(_facet(node) for _, node in walk(rule) if not isinstance(node, Branch))


_FACETS: dict[type[Leaf], Facet] = {
    TraitIs: Facet.TRAITS,
    HasConsent: Facet.CONSENTS,
    TierIs: Facet.TIER,
    BalanceIs: Facet.BALANCE,
    StageIs: Facet.STAGE,
    ScoreIs: Facet.SCORES,
    ScoreWithin: Facet.SCORES,
}


def _facet(leaf: Leaf) -> Facet:
    if isinstance(leaf, Behaviour | Occurrence):
        return Facet(leaf.deed.value)
    return _FACETS[type(leaf)]


def is_timed(rule: Rule) -> bool:
    """Whether a new day alone can change its verdict."""
    return any(_is_timed(node) for _, node in walk(rule))


def _is_timed(node: Rule) -> bool:
    return isinstance(node, Occurrence) or (isinstance(node, Behaviour) and node.window is not None)
