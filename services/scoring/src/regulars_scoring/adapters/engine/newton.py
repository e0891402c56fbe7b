"""Newton's method for likelihoods of a few positive parameters, whose gradient and Hessian are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Likelihood = Callable[[Vector], tuple[float, Vector, Matrix]]
"""Parameters -> log-likelihood, gradient, Hessian."""

MAX_STEPS = 200
LARGEST_STEP = 1.5
"""Of the logarithm of any parameter, in one step."""
BOUND = 14.0
"""Logarithms of parameters stay within this of 0 (a millionth to a million): a boundary solution ends there."""
_ENOUGH = 1e-8
"""Log-likelihood still to be gained when it stops; far below any statistical meaning."""
_ENOUGH_AT_BOUNDARY = 5e-2
"""The same at a boundary of the model: what is left there are ever smaller steps along a flat ridge."""
FIRST_DAMPING, NO_DAMPING = 1e-3, 0.0
"""Of the first step; none where the start is near the maximum already."""
_LARGEST_DAMPING = 1e8


@dataclass(frozen=True, slots=True)
class Maximum:
    """`hessian` is that of the likelihood there, by the parameters themselves."""

    parameters: Vector
    log_likelihood: float
    steps: int
    has_converged: bool
    is_at_bound: bool
    hessian: Matrix


def maximise(
    likelihood: Likelihood,
    start: Vector,
    is_boundary: Callable[[Vector], bool] = lambda _: False,
    damping: float = FIRST_DAMPING,
) -> Maximum:
    """The maximum over the logarithms of the parameters, by damped steps that never lose likelihood.

    Where `is_boundary` of the parameters, or one of them is at its bound, it comes less near: nobody asks how far out.
    """
    theta = np.log(start)
    value, slope, curve = _in_logs(likelihood, theta)
    for step_number in range(1, MAX_STEPS + 1):
        step = _step(slope, curve, damping)
        tried = np.clip(theta + step, -BOUND, BOUND)
        gain = 0.5 * abs(float(slope @ (tried - theta)))
        found, new_slope, new_curve = _in_logs(likelihood, tried)
        if np.isfinite(found) and found >= value - 1e-12 * abs(value):
            theta, value, slope, curve = tried, found, new_slope, new_curve
            damping *= 0.1
            is_out = gain < _ENOUGH_AT_BOUNDARY and (_is_at_bound(theta) or is_boundary(np.exp(theta)))
            if gain < _ENOUGH or is_out:
                return _maximum(theta, value, slope, curve, step_number, has_converged=True)
        else:
            damping = max(damping * 10.0, 1e-6)
            # Rounding of a sum over all customers is then larger than what a step could gain.
            if damping > _LARGEST_DAMPING or gain < _ENOUGH:
                return _maximum(theta, value, slope, curve, step_number, has_converged=gain < 1e-4)
    return _maximum(theta, value, slope, curve, MAX_STEPS, has_converged=False)


def standard_errors(maximum: Maximum) -> tuple[float, float, float, float] | None:
    """Of four parameters: square roots of the diagonal of the inverse of the observed information.

    None where the likelihood is too flat for any.
    """
    try:
        variances = np.diag(np.linalg.inv(-maximum.hessian))
    except np.linalg.LinAlgError:
        return None
    if not (np.isfinite(variances).all() and (variances > 0.0).all()):
        return None
    first, second, third, fourth = (float(error) for error in np.sqrt(variances))
    return first, second, third, fourth


def _in_logs(likelihood: Likelihood, theta: Vector) -> tuple[float, Vector, Matrix]:
    parameters = np.exp(theta)
    value, gradient, hessian = likelihood(parameters)
    slope = parameters * gradient
    return value, slope, hessian * np.outer(parameters, parameters) + np.diag(slope)


def _step(slope: Vector, curve: Matrix, damping: float) -> Vector:
    """Uphill also where the likelihood is not concave: by the absolute values of its curvatures."""
    if not (np.isfinite(curve).all() and np.isfinite(slope).all()):
        return np.zeros_like(slope)
    curvatures, directions = np.linalg.eigh(-curve)
    steepest = max(float(np.abs(curvatures).max()), 1e-12)
    bends = np.maximum(np.abs(curvatures), 1e-10 * steepest) + damping * steepest
    step = directions @ ((directions.T @ slope) / bends)
    longest = float(np.abs(step).max())
    return np.asarray(step * (LARGEST_STEP / longest) if longest > LARGEST_STEP else step, dtype=np.float64)


def _maximum(theta: Vector, value: float, slope: Vector, curve: Matrix, steps: int, *, has_converged: bool) -> Maximum:
    parameters = np.exp(theta)
    hessian = (curve - np.diag(slope)) / np.outer(parameters, parameters)
    return Maximum(parameters, value, steps, has_converged, _is_at_bound(theta), hessian)


def _is_at_bound(theta: Vector) -> bool:
    return bool((np.abs(theta) >= BOUND - 1e-6).any())
