r"""Points of zero gradient, told apart by the signs of the Hessian's eigenvalues.

All positive: a minimum; all negative: a maximum; both: a saddle. An eigenvalue that is zero leaves a minimum or maximum
open, which is *degenerate* here (x⁴, x³, −x⁴ in one variable); beside eigenvalues of both signs it changes nothing.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import tree
from jaxdl.curvature import flat
from jaxdl.curvature.products import Loss, hessian
from jaxdl.second_order.minimisation import minimise
from jaxdl.second_order.newton import newton
from jaxdl.typing import Params, Scalar

KINDS = ("minimum", "maximum", "saddle", "degenerate", "not critical")
"""What :attr:`CriticalPoint.kind` counts."""


class CriticalPoint(NamedTuple):
    """``params``: the point. ``value``: the loss there. ``gradient_norm``: of a point that is one, about 0.
    ``eigenvalues``: of the Hessian, ascending, shape ``(P,)``. ``kind``: index into :data:`KINDS`, int32."""

    params: Params
    value: jax.Array
    gradient_norm: jax.Array
    eigenvalues: jax.Array
    kind: jax.Array


def classify(loss: Loss, params: Params, *args: Any, tolerance: Scalar = 1e-4) -> CriticalPoint:
    """Says what kind of point this is, by the whole Hessian: for up to some thousand parameters.

    Args:
      loss: ``loss(params, *args) -> scalar``.
      params: A tree of real arrays.
      *args: What else the loss is given.
      tolerance: Norm of a gradient that counts as zero, and magnitude of an eigenvalue that does, as a part of the
        largest magnitude among them or of 1, whichever is larger. May be traced.

    Returns:
      The point and its kind. Pure: jit it, vmap it.

    >>> print(KINDS[classify(lambda x: x[0] ** 2 - x[1] ** 2, jnp.zeros(2)).kind])
    saddle
    """
    form = flat.flat(params)
    value, gradient = jax.value_and_grad(lambda p: loss(p, *args))(params)
    matrix = jax.vmap(flat.on_vectors(hessian(loss, params, *args), form))(jnp.eye(form.size, dtype=form.dtype))
    eigenvalues = jnp.linalg.eigvalsh((matrix + matrix.T) / 2)
    bound = jnp.asarray(tolerance).astype(form.dtype)
    zero = bound * jnp.maximum(jnp.max(jnp.abs(eigenvalues)), 1)
    norm = tree.global_norm(gradient).astype(form.dtype)
    smallest, largest = eigenvalues[0], eigenvalues[-1]
    cases = [~(norm <= bound), (smallest < -zero) & (largest > zero), smallest > zero, largest < -zero]
    kind = jnp.select(cases, [jnp.int32(4), jnp.int32(2), jnp.int32(0), jnp.int32(1)], jnp.int32(3))
    return CriticalPoint(params, value, norm, eigenvalues, kind)


def critical_points(
    loss: Loss, starts: Params, *args: Any, steps: int = 50, tolerance: float = 1e-4, apart: float = 1e-2
) -> Sequence[CriticalPoint]:
    """The critical points that Newton's method reaches from many starts, of every kind, each once.

    Args:
      loss: ``loss(params, *args) -> scalar``.
      starts: Points with a leading axis: a grid or random ones. What no start leads to is not found.
      *args: What else the loss is given.
      steps: Newton steps from each start.
      tolerance: As in :func:`classify`.
      apart: Points nearer to each other than this, in the Euclidean norm, are one.

    Returns:
      The points with values of NumPy, lowest loss first.

    >>> double_well = lambda x: (x[0] ** 2 - 1) ** 2
    >>> found = critical_points(double_well, jnp.array([[-2.0], [0.1], [2.0]]))
    >>> print([KINDS[point.kind] for point in found])
    ['minimum', 'minimum', 'maximum']
    """

    @jax.jit
    def from_start(start: Params) -> CriticalPoint:
        end = minimise(loss, start, *args, method=newton(), steps=steps, tolerance=0.0)
        return classify(loss, end.params, *args, tolerance=tolerance)

    ends = jax.device_get(jax.vmap(from_start)(starts))
    kept: list[CriticalPoint] = []
    places: list[np.ndarray] = []
    for i in np.argsort(ends.value):
        point: CriticalPoint = jax.tree.map(lambda leaf, i=i: leaf[i], ends)
        place = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(point.params)])
        if KINDS[point.kind] != "not critical" and all(np.linalg.norm(place - other) > apart for other in places):
            kept.append(point)
            places.append(place)
    return kept
