"""Whole things shared over unequal parts: the largest-remainder method (Hamilton)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm


def share(total: int, weights: Sequence[Fraction | int]) -> list[int]:
    """Share `total` over the weights so that the parts are whole and add up to it.

    Each part is its quota rounded down; what is left goes to the largest remainders, ties to the lower index.
    Weights are 0 or more; where all are 0 the first part takes everything.
    """
    if total == 0 or not weights:
        return [0] * len(weights)
    whole = _whole_numbers(weights)
    sum_of_weights = sum(whole)
    if sum_of_weights == 0:
        return [total] + [0] * (len(weights) - 1)
    parts, remainders = [], []
    for weight in whole:
        part, remainder = divmod(total * weight, sum_of_weights)
        parts.append(part)
        remainders.append(remainder)
    left = total - sum(parts)
    if left:
        for index in sorted(range(len(parts)), key=lambda index: -remainders[index])[:left]:
            parts[index] += 1
    return parts


def _whole_numbers(weights: Sequence[Fraction | int]) -> list[int]:
    scale = lcm(*[weight.denominator for weight in weights])
    return [weight.numerator * (scale // weight.denominator) for weight in weights]
