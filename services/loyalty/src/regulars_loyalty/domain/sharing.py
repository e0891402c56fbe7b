"""Whole things shared over unequal parts: the largest-remainder method (Hamilton)."""

from __future__ import annotations

from collections.abc import Sequence


def share(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` over the weights so that the parts are whole and add up to it.

    Each part is its quota rounded down; what is left goes to the largest remainders, ties to the lower index.
    Weights are 0 or more; where all are 0 the first part takes everything.
    """
    if total == 0 or not weights:
        return [0] * len(weights)
    sum_of_weights = sum(weights)
    if sum_of_weights == 0:
        return [total] + [0] * (len(weights) - 1)
    parts = [total * weight // sum_of_weights for weight in weights]
    left = total - sum(parts)
    if left:
        remainders = [total * weight % sum_of_weights for weight in weights]
        for index in sorted(range(len(parts)), key=lambda index: -remainders[index])[:left]:
            parts[index] += 1
    return parts
