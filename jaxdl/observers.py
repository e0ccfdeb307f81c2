r"""What can be watched at every step of a run: functions ``Step -> scalar``.

With g the gradient that the optimizer is given, θ the parameters before the update and Δθ the increment that the
optimizer returns (before it is rounded into θ, where θ is narrower than float32):

==================  ====================================================================================  ====
observer            value of one step                                                                     unit
==================  ====================================================================================  ====
grad_norm           :math:`\lVert g\rVert`                                                                ℓ
update_norm         :math:`\lVert\Delta\theta\rVert`                                                      1
param_norm          :math:`\lVert\theta\rVert`                                                            1
update_ratio        :math:`\lVert\Delta\theta\rVert / \lVert\theta\rVert`                                 1
update_cosine       :math:`-\langle g, \Delta\theta\rangle / (\lVert g\rVert\,\lVert\Delta\theta\rVert)`  1
step_size_quantile  a quantile over coordinates of :math:`|\Delta\theta_i| / |g_i|`                       1/ℓ
eps_share           share of coordinates whose denominator is mostly ε                                    1
clip_rate           1 where :math:`\lVert g\rVert` exceeds ``max_norm``, else 0                           1
clip_share          share of coordinates where :math:`|g_i|` exceeds ``max_delta``                        1
==================  ====================================================================================  ====

Norms are Euclidean, over all leaves, in float32 or wider; a leaf without a gradient (None) adds nothing. ℓ is the unit
of the loss; parameters have none. A quotient whose denominator is zero counts as 0, and so does a quantile of no
coordinates.

The first five are observers; the others need a number and return one.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import checks, tree
from jaxdl.transforms.adam import ScaleByAdamState
from jaxdl.transforms.rms import ScaleByRmsState, ScaleByStddevState
from jaxdl.typing import OptState, Params, PyTree, Scalar, Updates


class Step(NamedTuple):
    """One update, as an observer sees it.

    ``params``: before the update. ``grads``: of the batch loss, as the optimizer is given them. ``updates``: what the
    optimizer adds to ``params``. ``opt_state``: after the update, with the moments that this update was scaled by.
    """

    params: Params
    grads: Updates
    updates: Updates
    opt_state: OptState


Observer: TypeAlias = Callable[[Step], jax.Array]
"""A function of one step whose result is a real scalar of shape ``()``."""


# --- norms and directions ---------------------------------------------------------------------------------------------


def grad_norm(step: Step) -> jax.Array:
    """Euclidean norm of the gradient, before any clipping."""
    return tree.global_norm(step.grads)


def update_norm(step: Step) -> jax.Array:
    """Euclidean norm of the update."""
    return tree.global_norm(step.updates)


def param_norm(step: Step) -> jax.Array:
    """Euclidean norm of the parameters before the update."""
    return tree.global_norm(step.params)


def update_ratio(step: Step) -> jax.Array:
    """Norm of the update relative to that of the parameters; 0 where all parameters are zero.

    >>> step = Step(jnp.array([4.0]), jnp.array([1.0]), jnp.array([-1.0]), ())
    >>> print(update_ratio(step))
    0.25
    """
    return _quotient(update_norm(step), param_norm(step))


def update_cosine(step: Step) -> jax.Array:
    """Cosine of the angle between the update and the negative gradient: 1 downhill, −1 uphill; 0 where one is zero.

    For complex parameters the angle is that of the real vectors of real and imaginary parts.
    """
    return _quotient(-tree.inner_product(step.grads, step.updates), grad_norm(step) * update_norm(step))


def _quotient(numerator: jax.Array, denominator: jax.Array) -> jax.Array:
    """``numerator / denominator``, 0 where the denominator is zero."""
    at_zero = denominator == 0
    return jnp.where(at_zero, jnp.zeros_like(numerator), numerator / jnp.where(at_zero, 1, denominator))


# --- effective step sizes ---------------------------------------------------------------------------------------------


def step_size_quantile(percent: int) -> Observer:
    """An observer of a quantile over coordinates of the effective step size |Δθᵢ|/|gᵢ|.

    Of n coordinates whose gradient is not zero it takes the value of rank ⌊(n − 1) · percent/100⌋ from below, NumPy's
    ``method="lower"``, in float32. It costs 31 passes over the coordinates: most of a step of a small network.

    Args:
      percent: Whole number from 0 to 100; 50 is the median.

    Returns:
      An observer; its value is 0 where every gradient is zero.

    Raises:
      ValueError: ``percent`` is not a whole number in that range.

    >>> step = Step(jnp.zeros(3), jnp.array([1.0, 2.0, 0.0]), jnp.array([-0.5, -0.2, -9.0]), ())
    >>> print(step_size_quantile(100)(step))
    0.5
    """
    if not isinstance(percent, int | np.integer) or isinstance(percent, bool) or not 0 <= percent <= 100:
        raise ValueError(f"percent must be a whole number from 0 to 100, got {percent!r}.")

    def observer(step: Step) -> jax.Array:
        pairs = tree.leaf_pairs(step.updates, step.grads)
        if not pairs:
            return jnp.zeros((), jnp.float32)
        sizes = jnp.concatenate([_step_sizes(u, g) for u, g in pairs])
        last = jnp.sum(sizes >= 0, dtype=jnp.int32) - 1
        # In two parts, since percent · last may exceed int32.
        rank = last // 100 * percent + last % 100 * percent // 100
        return jnp.where(last < 0, jnp.zeros((), jnp.float32), _order_statistic(sizes, rank))

    return observer


def _step_sizes(u: jax.Array, g: jax.Array) -> jax.Array:
    """|uᵢ|/|gᵢ| of one leaf, flat, in float32; NaN where gᵢ = 0."""
    dtype = tree.compute_dtype(u, g)
    sizes = jnp.abs(u).astype(dtype) / jnp.abs(g).astype(dtype)
    # The NaN that a processor makes of ∞/∞ may have its sign bit set, and would rank first.
    return jnp.where((g == 0) | jnp.isnan(sizes), jnp.nan, sizes).astype(np.float32).ravel()


def _order_statistic(x: jax.Array, rank: jax.Array) -> jax.Array:
    """The value of ``rank`` (from 0) among the non-negative float32 ``x``; NaN ranks last.

    Floats ≥ 0 are ordered as their bits are, and NaN above them: bit by bit from the highest, a bit of the result is
    set where at most ``rank`` values lie below. XLA sorts on a CPU about ten times as slowly.
    """
    bits = jax.lax.bitcast_convert_type(x, np.int32)
    # Float sums are vectorised better than integer ones; they count exactly up to 2**24.
    counted = np.float32 if x.size < 2**24 else np.int32

    def settle(i: jax.Array, low: jax.Array) -> jax.Array:
        candidate = low | (jnp.int32(1) << (30 - i))
        return jnp.where(jnp.sum(bits < candidate, dtype=counted) <= rank.astype(counted), candidate, low)

    return jax.lax.bitcast_convert_type(jax.lax.fori_loop(0, 31, settle, jnp.int32(0)), np.float32)


# --- what the denominators and the clipping do ------------------------------------------------------------------------


def eps_share(
    eps: Scalar,
    *,
    b2: Scalar | None = None,
    decay: Scalar | None = None,
    eps_root: Scalar = 0.0,
    eps_in_sqrt: bool = True,
    bias_correction: bool | None = None,
    bias_correction_nu: bool | None = None,
    divide: Any = None,
) -> Observer:
    r"""An observer of the share of coordinates that ε, not the gradient's history, scales.

    It reads the states of ``scale_by_adam``, ``scale_by_rms`` and ``scale_by_stddev`` wherever they stand in the
    optimizer's state, and counts a coordinate where ε is the larger part of the denominator:
    :math:`\sqrt{\hat v + \epsilon_\text{root}} < \epsilon` for Adam, :math:`\sqrt{\hat\nu} < \epsilon` for RMSProp, and
    :math:`\hat\nu < \epsilon` for RMSProp with ε under the root.

    Args:
      eps: ε ≥ 0 of the optimizer. May be traced, like every float here.
      b2: β₂ of Adam; needed where it corrects the bias.
      decay: α of RMSProp; needed where it corrects the bias (the centred form keeps its variance corrected).
      eps_root: Adam's.
      eps_in_sqrt: RMSProp's.
      bias_correction: The transformation's; by default what the transformations do by default: Adam corrects, RMSProp
        does not.
      bias_correction_nu: Adam's, which goes before.
      divide: The transformation's; another place for ε than these is not understood.

    Returns:
      An observer. It raises ValueError where it finds no such state, or needs a decay rate it was not given.

    Raises:
      ValueError: ``eps`` or ``eps_root`` is negative, a decay rate outside [0, 1), or a ``divide``.

    >>> import jaxdl
    >>> tx, grads = jaxdl.adam(0.1, eps=1e-3), jnp.array([1.0, 1e-6])
    >>> updates, state = tx.update(grads, tx.init(jnp.zeros(2)))
    >>> print(eps_share(1e-3, b2=0.999)(Step(jnp.zeros(2), grads, updates, state)))
    0.5
    """
    if divide is not None:
        raise ValueError(f"eps_share knows ε beside and under the root, got divide={divide.__name__}.")
    bias_correction = bias_correction if bias_correction_nu is None else bias_correction_nu
    checks.nonnegative(eps=eps, eps_root=eps_root)
    checks.decay_rate(**{name: value for name, value in (("b2", b2), ("decay", decay)) if value is not None})

    def squares(state: Any) -> tuple[PyTree, bool]:
        """The mean squares by which a state scales, before ε, and whether ε stands under their root."""
        if isinstance(state, ScaleByAdamState):
            v = state.nu if bias_correction is False else _corrected(state.nu, "b2", b2, state.count)
            return jax.tree.map(lambda x: x + jnp.asarray(eps_root).astype(x.dtype), v), False
        if isinstance(state, ScaleByStddevState):
            return state.var, eps_in_sqrt
        return _corrected(state.nu, "decay", decay, state.count) if bias_correction else state.nu, eps_in_sqrt

    def observer(step: Step) -> jax.Array:
        small = [
            (x if under_root else tree.root(x)) < jnp.asarray(eps).astype(x.dtype)
            for mean_squares, under_root in map(squares, _scaling_states(step.opt_state))
            for x in jax.tree.leaves(mean_squares)
        ]
        return _share(small)

    return observer


def _scaling_states(opt_state: OptState) -> list[Any]:
    """The states inside ``opt_state`` that hold a running mean square."""
    kinds = (ScaleByAdamState, ScaleByRmsState, ScaleByStddevState)
    found = jax.tree.leaves(opt_state, is_leaf=lambda part: isinstance(part, kinds))
    states = [part for part in found if isinstance(part, kinds)]
    if not states:
        raise ValueError("eps_share reads the state of scale_by_adam, scale_by_rms or scale_by_stddev, found none.")
    return states


def _corrected(nu: PyTree, name: str, rate: Scalar | None, count: jax.Array) -> PyTree:
    """ν/(1 − rateᵗ), in the dtype of ν as the transformations compute it."""
    if rate is None:
        raise ValueError(f"eps_share needs {name} to correct the bias of the mean square as the optimizer does.")
    return jax.tree.map(lambda x: x / (1 - jnp.asarray(rate).astype(x.dtype) ** count.astype(x.dtype)), nu)


def clip_rate(max_norm: Scalar) -> Observer:
    """An observer that is 1 where the gradient is longer than ``max_norm``, else 0: its mean is the rate of clipping.

    It judges the gradient of the loss: what ``clip_by_global_norm`` at the head of a chain sees.

    Args:
      max_norm: c > 0 of ``clip_by_global_norm``. May be traced.

    Returns:
      An observer.

    Raises:
      ValueError: ``max_norm`` is not positive.
    """
    checks.positive(max_norm=max_norm)

    def observer(step: Step) -> jax.Array:
        norm = grad_norm(step)
        return (norm > jnp.asarray(max_norm).astype(norm.dtype)).astype(norm.dtype)

    return observer


def clip_share(max_delta: Scalar) -> Observer:
    """An observer of the share of coordinates whose gradient is larger in magnitude than ``max_delta``.

    Args:
      max_delta: δ ≥ 0 of ``clip`` at the head of a chain. May be traced.

    Returns:
      An observer.

    Raises:
      ValueError: ``max_delta`` is negative.
    """
    checks.nonnegative(max_delta=max_delta)

    def observer(step: Step) -> jax.Array:
        sizes = [jnp.abs(g).astype(tree.compute_dtype(g)) for g in jax.tree.leaves(step.grads)]
        return _share([x > jnp.asarray(max_delta).astype(x.dtype) for x in sizes])

    return observer


def _share(marks: list[jax.Array]) -> jax.Array:
    """Share of True among the elements of all arrays."""
    total = jnp.zeros((), jnp.int32)
    for marked in marks:
        total += jnp.sum(marked, dtype=jnp.int32)
    return total.astype(jnp.result_type(float)) / max(1, sum(marked.size for marked in marks))
