"""Adam and its kin without decay: AMSGrad, Adamax, NAdam, RAdam. With decay: ``jaxdl/optimizers/decayed.py``."""

from collections.abc import Callable
from typing import Any

import jax

from jaxdl.rules import chain, equation
from jaxdl.transforms.adam import scale_by_adam
from jaxdl.transforms.adamax import Infinity, scale_by_adamax
from jaxdl.transforms.amsgrad import Maximum, scale_by_amsgrad
from jaxdl.transforms.denominators import Division
from jaxdl.transforms.learning_rate import scale_by_learning_rate
from jaxdl.transforms.nadam import scale_by_nadam
from jaxdl.transforms.radam import scale_by_radam
from jaxdl.typing import Scalar, ScalarOrSchedule, Transform


@equation("")
def adam(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
    *,
    nesterov: bool = False,
    bias_correction: bool = True,
    bias_correction_mu: bool | None = None,
    bias_correction_nu: bool | None = None,
    divide: Division | None = None,
) -> Transform:
    """Adam (Kingma and Ba, 2015, algorithm 1); with ``nesterov``, NAdam with constant β₁.

    Args:
      learning_rate: η ≥ 0, about the size of a step in each parameter.
      b1: β₁ in [0, 1). Equations: ``jaxdl/transforms/adam.py``.
      b2: β₂ in [0, 1).
      eps: ε ≥ 0 outside the root.
      eps_root: ≥ 0 inside the root.
      mu_dtype: dtype of the first moment; each parameter's own by default.
      nesterov: Whether the first moment looks ahead.
      bias_correction: Whether the moments are divided by 1 − βᵗ.
      bias_correction_mu: The same for the first moment alone; as ``bias_correction`` by default.
      bias_correction_nu: The same for the second moment alone; as ``bias_correction`` by default.
      divide: Where ε stands, a function of ``jaxdl/transforms/denominators.py``: outside the root beside the corrected
        moment (the paper, torch, optax), or ``hat`` (Keras, TensorFlow).

    Returns:
      A gradient transformation.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), a negative float, or ``divide=hat`` with nothing corrected.
    """
    direction = scale_by_adam(
        b1,
        b2,
        eps,
        eps_root,
        mu_dtype,
        nesterov=nesterov,
        bias_correction=bias_correction,
        bias_correction_mu=bias_correction_mu,
        bias_correction_nu=bias_correction_nu,
        divide=divide,
    )
    return chain(direction, scale_by_learning_rate(learning_rate))


@equation("")
def amsgrad(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
    bias_correction_mu: bool = True,
    bias_correction_nu: bool = True,
    *,
    maximum: Maximum | None = None,
    divide: Division | None = None,
) -> Transform:
    """AMSGrad: Adam whose second moment never shrinks.

    Args:
      learning_rate: η ≥ 0, about the size of a step in each parameter.
      b1: β₁ in [0, 1). Equations: ``jaxdl/transforms/amsgrad.py``.
      b2: β₂ in [0, 1).
      eps: ε ≥ 0, placed by ``divide``.
      eps_root: ≥ 0 inside the root.
      mu_dtype: dtype of the first moment; each parameter's own by default.
      bias_correction_mu: Whether the first moment is divided by 1 − β₁ᵗ; not in the paper.
      bias_correction_nu: Whether the second moment is divided by 1 − β₂ᵗ; not in the paper.
      maximum: Of what the maximum is taken: ``of_corrected`` (optax, the default) or ``of_raw`` (torch, Keras),
        functions of that file.
      divide: Where ε stands, a function of ``jaxdl/transforms/denominators.py``.

    Returns:
      A gradient transformation.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), a negative float, or ``divide=hat`` with nothing corrected.
    """
    direction = scale_by_amsgrad(
        b1, b2, eps, eps_root, mu_dtype, bias_correction_mu, bias_correction_nu, maximum=maximum, divide=divide
    )
    return chain(direction, scale_by_learning_rate(learning_rate))


@equation("")
def adamax(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    *,
    norm: Infinity | None = None,
) -> Transform:
    """Adamax: Adam with a decaying maximum of the gradient in place of its second moment.

    Args:
      learning_rate: η ≥ 0, about the size of a step in each parameter.
      b1: β₁ in [0, 1). Equations: ``jaxdl/transforms/adamax.py``.
      b2: β₂ in [0, 1).
      eps: ε ≥ 0.
      norm: Where ε stands: ``eps_in_maximum`` (torch, optax, the default) or ``eps_beside_maximum`` (Keras), functions
        of that file.

    Returns:
      A gradient transformation.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), or a negative float.
    """
    return chain(scale_by_adamax(b1, b2, eps, norm=norm), scale_by_learning_rate(learning_rate))


@equation("")
def nadam(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
    *,
    momentum_decay: Scalar | None = None,
) -> Transform:
    """NAdam: Adam whose first moment looks ahead, with a constant or a rising momentum.

    Args:
      learning_rate: η ≥ 0, about the size of a step in each parameter.
      b1: β₁ in [0, 1). Equations: ``jaxdl/transforms/nadam.py``.
      b2: β₂ in [0, 1).
      eps: ε ≥ 0 outside the root.
      eps_root: ≥ 0 inside the root.
      mu_dtype: dtype of the first moment; each parameter's own by default.
      momentum_decay: ψ ≥ 0, how fast the momentum rises: 0.004 in the paper and torch, 1 in Keras; None for a constant
        β₁ as in optax.

    Returns:
      A gradient transformation.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), or a negative float.
    """
    direction = look_ahead(b1, b2, eps, eps_root, mu_dtype, momentum_decay)
    return chain(direction, scale_by_learning_rate(learning_rate))


def look_ahead(
    b1: Scalar, b2: Scalar, eps: Scalar, eps_root: Scalar, mu_dtype: Any, momentum_decay: Scalar | None
) -> Transform:
    """The direction of NAdam: with constant momentum where ``momentum_decay`` is None."""
    if momentum_decay is None:
        return scale_by_adam(b1, b2, eps, eps_root, mu_dtype, nesterov=True)
    return scale_by_nadam(b1, b2, eps, eps_root, mu_dtype, momentum_decay=momentum_decay)


@equation("")
def radam(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    threshold: Scalar = 5.0,
    *,
    nesterov: bool = False,
    reaches: Callable[[jax.Array, jax.Array], jax.Array] | None = None,
    divide: Division | None = None,
) -> Transform:
    """RAdam: Adam that divides by its second moment only where that has seen enough gradients.

    Args:
      learning_rate: η ≥ 0, about the size of a step in each parameter.
      b1: β₁ in [0, 1). Equations: ``jaxdl/transforms/radam.py``.
      b2: β₂ in [0, 1).
      eps: ε ≥ 0, placed by ``divide``.
      eps_root: ≥ 0 inside the root.
      threshold: The ρ ≥ 4 from which on the second moment divides: 5 in optax and torch, 4 in the paper.
      nesterov: Whether the first moment looks ahead.
      reaches: ``jnp.greater_equal`` (optax, the default) or ``jnp.greater`` (the paper, torch).
      divide: Where ε stands, a function of ``jaxdl/transforms/denominators.py``.

    Returns:
      A gradient transformation.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), ``threshold`` below 4, or a negative float.
    """
    direction = scale_by_radam(b1, b2, eps, eps_root, threshold, nesterov=nesterov, reaches=reaches, divide=divide)
    return chain(direction, scale_by_learning_rate(learning_rate))
