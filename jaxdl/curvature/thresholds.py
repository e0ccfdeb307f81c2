r"""How much curvature a rule bears: the largest eigenvalue of the Hessian at which it does not diverge on a quadratic.

With step size η, momentum μ, decoupled decay w, and velocity :math:`b_t = \mu b_{t-1} + c\,g_t`, where c = 1, or 1 − μ
for a mean (Adam), the rule :math:`\theta_{t+1} = (1 - \eta w)\,\theta_t - \eta u_t` on :math:`\tfrac12 h\theta^2` is
stable as long as

.. math::

    u_t = b_t:                 \quad & h < \frac{(2 - \eta w)(1 + \mu)}{\eta c} \\
    u_t = c\,g_t + \mu b_t:    \quad & h < \frac{(2 - \eta w)(1 + \mu)}{\eta c\,(1 + 2\mu)} \qquad\text{(Nesterov)}

So 2/η for gradient descent, (2 + 2μ)/η for heavy ball, 38/η for Adam with β₁ = 0.9. For a rule that divides by
:math:`P = \operatorname{diag}(p)`, h is an eigenvalue of :math:`P^{-1/2} H P^{-1/2}`, the *preconditioned* sharpness.
At the bound a root of the rule's characteristic polynomial passes −1.

Source: Cohen, Kaur, Li, Kolter and Talwalkar, "Gradient descent on neural networks typically occurs at the edge of
stability", ICLR 2021, appendix B; Cohen et al., "Adaptive gradient methods at the edge of stability", 2022.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp

from jaxdl import checks
from jaxdl.typing import Scalar


def stability_threshold(
    learning_rate: Scalar,
    momentum: Scalar = 0.0,
    *,
    nesterov: bool = False,
    averaged: bool = False,
    weight_decay: Scalar = 0.0,
) -> jax.Array:
    """The largest stable (preconditioned) sharpness; the equations stand at the top of this file.

    Args:
      learning_rate: η > 0. May be traced, like every float here, and may be an array, such as a schedule's values.
      momentum: μ in [0, 1), or β₁.
      nesterov: Whether the rule looks ahead.
      averaged: Whether the velocity is a mean (Adam) and not a sum (heavy ball).
      weight_decay: w ≥ 0, decoupled; an L2 penalty instead is part of the Hessian.

    Returns:
      The threshold, of the broadcast shape of the arguments, in units of the Hessian (or of P⁻¹H).

    Raises:
      ValueError: ``learning_rate`` not positive, ``momentum`` outside [0, 1) or negative ``weight_decay``.

    >>> print(stability_threshold(0.1), stability_threshold(0.1, 0.9).round(2))
    20.0 38.0
    """
    checks.positive(learning_rate=learning_rate)
    checks.decay_rate(momentum=momentum)
    checks.nonnegative(weight_decay=weight_decay)
    dtype = jnp.result_type(float)
    eta, mu, w = (jnp.asarray(x).astype(dtype) for x in (learning_rate, momentum, weight_decay))
    weight = (1 - mu if averaged else jnp.ones_like(mu)) * (1 + 2 * mu if nesterov else 1)
    return (2 - eta * w) * (1 + mu) / (eta * weight)


def of_sgd(
    *, learning_rate: Scalar, momentum: Scalar | None = None, nesterov: bool = False, **others: Any
) -> jax.Array:
    """Of ``jaxdl.sgd``, ``momentum``, ``nesterov`` and, in preconditioned sharpness, ``rmsprop``."""
    del others
    return stability_threshold(learning_rate, 0.0 if momentum is None else momentum, nesterov=nesterov)


def of_adam(
    *, learning_rate: Scalar, b1: Scalar = 0.9, nesterov: bool = False, weight_decay: Scalar = 0.0, **others: Any
) -> jax.Array:
    """Of ``jaxdl.adam`` and ``adamw``, in preconditioned sharpness."""
    del others
    return stability_threshold(learning_rate, b1, nesterov=nesterov, averaged=True, weight_decay=weight_decay)


def _with_momentum(*, learning_rate: Scalar, momentum: Scalar = 0.9, **others: Any) -> jax.Array:
    return of_sgd(learning_rate=learning_rate, momentum=momentum, **others)


def _nesterov(*, learning_rate: Scalar, momentum: Scalar = 0.9, **others: Any) -> jax.Array:
    return of_sgd(learning_rate=learning_rate, momentum=momentum, nesterov=True, **others)


def _adamw(*, learning_rate: Scalar, weight_decay: Scalar = 1e-4, **others: Any) -> jax.Array:
    return of_adam(learning_rate=learning_rate, weight_decay=weight_decay, **others)


THRESHOLDS: Mapping[str, Callable[..., jax.Array]] = MappingProxyType(
    {
        "sgd": of_sgd,
        "momentum": _with_momentum,
        "nesterov": _nesterov,
        "rmsprop": of_sgd,
        "adam": of_adam,
        "adamw": _adamw,
    }
)
"""The threshold of each named optimizer, by the names and defaults of its arguments; the rate is a number."""
