"""What scoring says no to, each with its stable code."""

from __future__ import annotations

from typing import ClassVar

from regulars_kit.values import Refused


class UnknownCustomer(Refused):
    """Nobody has registered under this id, and nothing was bought under it."""

    code: ClassVar[str] = "unknown_customer"


class NotScoredYet(Refused):
    """There is no score: no run was completed yet, or the customer has kept no purchase."""

    code: ClassVar[str] = "not_scored_yet"


class NoModelYet(NotScoredYet):
    """No run was completed yet, so there is nothing to score by."""


class NoBasketsYet(NotScoredYet):
    """No run has counted baskets yet, so there is nothing to say of what is bought together."""


class UnknownProduct(Refused):
    """No counted basket of the year before the last run holds this product."""

    code: ClassVar[str] = "unknown_product"


class UnknownRun(Refused):
    """There is no such run."""

    code: ClassVar[str] = "unknown_run"


class InTheFuture(Refused):
    """A run as of a day that has not come: everybody would seem to have left."""

    code: ClassVar[str] = "in_the_future"


class RunUnderWay(Refused):
    """Another run has not ended; there is one at a time."""

    code: ClassVar[str] = "run_under_way"


class FitFailed(Refused):
    """A run whose fit came to no result, or whose worker died; the previous scores are kept."""

    code: ClassVar[str] = "fit_failed"


class TooFewPurchases(FitFailed):
    """Fewer customers have bought more than once than a model can be fitted to."""

    code: ClassVar[str] = "too_few_purchases"


class InvalidRfm(Refused):
    """The settings of RFM contradict themselves: cuts that do not ascend, or a grid that leaves a cell out."""

    code: ClassVar[str] = "invalid_rfm"
