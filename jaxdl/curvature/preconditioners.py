r"""What an adaptive rule divides by, read from its state: the P of :math:`\theta \mathrel{-}= \eta P^{-1} m`.

.. math::

    \text{Adam:}    \quad & P_t = (1-\beta_1^t)\, \bigl(\sqrt{\hat v_t + \epsilon_\text{root}} + \epsilon\bigr),
                            \qquad \hat v_t = v_t/(1-\beta_2^t) \\
    \text{RMSProp:} \quad & P_t = \sqrt{\nu_t + \epsilon} \quad\text{or}\quad \sqrt{\nu_t} + \epsilon

A **preconditioner** is a function ``(optimizer state) -> P``, a tree of positive numbers shaped like the parameters.
The factories here take the optimizer's own arguments and find its moments wherever they stand in the state. Adam's
factor 1 − β₁ᵗ is the correction of m, so that what remains is momentum by the plain mean m.

Source: Cohen et al., "Adaptive gradient methods at the edge of stability", 2022, section 3.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from jaxdl import checks, tree
from jaxdl.transforms.adam import ScaleByAdamState
from jaxdl.transforms.rms import ScaleByRmsState, ScaleByStddevState
from jaxdl.typing import OptState, PyTree, Scalar

Preconditioner: TypeAlias = Callable[[OptState], PyTree]


def adam(
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    *,
    bias_correction: bool = True,
) -> Preconditioner:
    """P of ``jaxdl.adam`` and ``adamw``, built with the same arguments; the equation is at the top of this file.

    Args:
      b1: β₁ in [0, 1). May be traced, like every float here.
      b2: β₂ in [0, 1).
      eps: ε ≥ 0 outside the root.
      eps_root: ≥ 0 inside the root.
      bias_correction: The optimizer's.

    Returns:
      A function of the optimizer's state after an update. It raises ValueError where there is no state of Adam in it.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), or a negative float.

    >>> import jaxdl
    >>> tx = jaxdl.adam(0.1, b1=0.5, eps=1.0)
    >>> _, state = tx.update(jnp.array([3.0]), tx.init(jnp.zeros(1)))
    >>> print(adam(b1=0.5, eps=1.0)(state))  # (1 − β₁)(|g| + ε)
    [2.]
    """
    checks.decay_rate(b1=b1, b2=b2)
    checks.nonnegative(eps=eps, eps_root=eps_root)

    def preconditioner(opt_state: OptState) -> PyTree:
        state = _only(opt_state, (ScaleByAdamState,))

        def p(v: jax.Array) -> jax.Array:
            beta1, beta2, outside, inside = (jnp.asarray(x).astype(v.dtype) for x in (b1, b2, eps, eps_root))
            t = state.count.astype(v.dtype)
            if not bias_correction:
                return tree.root(v + inside) + outside
            corrected: jax.Array = (1 - beta1**t) * (tree.root(v / (1 - beta2**t) + inside) + outside)
            return corrected

        return jax.tree.map(p, state.nu)

    return preconditioner


def rmsprop(
    decay: Scalar = 0.9, eps: Scalar = 1e-8, eps_in_sqrt: bool = True, *, bias_correction: bool = False
) -> Preconditioner:
    """P of ``jaxdl.rmsprop``, plain or centred, built with the same arguments.

    Args:
      decay: α in [0, 1); read only with ``bias_correction``.
      eps: ε ≥ 0.
      eps_in_sqrt: Whether ε is added under the root.
      bias_correction: The optimizer's. The centred form keeps its variance corrected.

    Returns:
      A function of the optimizer's state after an update. It raises ValueError where no state of RMSProp is in it.

    Raises:
      ValueError: ``decay`` outside [0, 1), or a negative ``eps``.
    """
    checks.decay_rate(decay=decay)
    checks.nonnegative(eps=eps)

    def preconditioner(opt_state: OptState) -> PyTree:
        state = _only(opt_state, (ScaleByRmsState, ScaleByStddevState))
        centred = isinstance(state, ScaleByStddevState)

        def p(square: jax.Array) -> jax.Array:
            alpha, added = (jnp.asarray(x).astype(square.dtype) for x in (decay, eps))
            if bias_correction and not centred:
                square = square / (1 - alpha ** state.count.astype(square.dtype))
            root: jax.Array = tree.root(square + added) if eps_in_sqrt else tree.root(square) + added
            return root

        return jax.tree.map(p, state.var if centred else state.nu)

    return preconditioner


def _only(opt_state: OptState, kinds: tuple[type, ...]) -> Any:
    """The one state of these kinds inside ``opt_state``."""
    found = [x for x in jax.tree.leaves(opt_state, is_leaf=lambda x: isinstance(x, kinds)) if isinstance(x, kinds)]
    if len(found) != 1:
        names = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"the preconditioner reads one {names} in the optimizer's state, found {len(found)}.")
    return found[0]
