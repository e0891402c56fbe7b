"""What is to be known of a fit before it is believed, in words for a shopkeeper."""

from __future__ import annotations

from collections.abc import Iterable

from regulars_scoring.domain.model import OWN_RATE, POPULATION_MEAN, RECENCY

OF_SERVING = {
    OWN_RATE: (
        "No model of buying was better here than each customer's own rate so far, so that is what the scores are made "
        "of. In the place of the chance of being alive stands the chance of a purchase within 90 days."
    ),
    RECENCY: (
        "No model of buying was better here than the time since the last purchase, so that is what the scores are made "
        "of. In the place of the chance of being alive stands the chance of a purchase within 90 days."
    ),
    POPULATION_MEAN: (
        "Nothing told the customers of these purchases apart: everybody is expected to buy as the average does."
    ),
}
"""By the names of the baselines that may serve."""

OF_BUYING = {
    "no_drop_out": "In these purchases hardly anybody ever leaves for good, which the model of buying cannot describe.",
    "homogeneous_drop_out": (
        "All customers seem to leave with the same chance after each purchase: the figures tell apart who buys often "
        "and rarely, but hardly who is more loyal."
    ),
    "polarised_drop_out": (
        "Customers seem to fall into two kinds, those who never came back and those who never leave: the chance of "
        "being alive is sharper than the truth. Read it as a rank, not as a percentage."
    ),
    "homogeneous_rates": (
        "All customers seem to buy equally often: differences between the expected purchases come from how long ago "
        "somebody came, not from a habit of their own."
    ),
    "polarised_rates": (
        "Customers seem to buy either all the time or hardly ever, which the model of buying cannot describe: read the "
        "expected purchases as a rank."
    ),
    "at_bound": (
        "The search for the best-fitting figures ended at the edge of what is sensible: read the scores as a rank, "
        "and look at the report's comparison with what really came."
    ),
}
"""By the names of the boundaries that a fit can run to."""

OF_SPENDING = {
    "too_few_purchases": "Too few customers have paid more than once to tell big spenders from small ones",
    "no_convergence": "No pattern was found in what customers spend",
    "infinite_mean": "A few customers spend so much that no typical spend can be told",
    "dependent_spend": "Those who buy often spend otherwise than those who buy rarely",
}
"""By the reasons why spend is not modelled."""

_POOLED = (
    ": what somebody is expected to spend is the mean of their own purchases and one of the size that is usual in the "
    "shop."
)
OF_ANOTHER = "Of the model of buying, which does not serve: "
_UNKNOWN = "The fit ended in an unusual way ({}): read the scores as a rank."


def notes_of(served: str, degeneracies: Iterable[str], spend_refusal: str | None) -> tuple[str, ...]:
    """A few words on each thing that is wrong; none on a sound fit that serves."""
    notes = [OF_SERVING[served]] if served in OF_SERVING else []
    of_whom = OF_ANOTHER if served in OF_SERVING else ""
    notes += [of_whom + OF_BUYING.get(name, _UNKNOWN.format(name)) for name in degeneracies]
    if spend_refusal is not None:
        notes.append(OF_SPENDING.get(spend_refusal, "What customers spend could not be modelled") + _POOLED)
    return tuple(notes)
