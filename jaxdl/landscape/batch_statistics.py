"""What becomes of batch statistics along a slice: an explicit choice of three.

Running means and variances are no parameters: no direction moves them, and away from the centre they are not those of
the network that is looked at. A model with them has a loss ``loss(params, statistics, *args)``; each function here
makes of it a loss for the slices.

- :func:`frozen`: they stay what they are at the centre, as in the pictures of Li et al.
- :func:`interpolated`: they move with the parameters, linearly, as a checkpoint's other numbers do.
- :func:`recomputed`: at every point they are computed anew from data; slow, and the network as it would be used there.

Source: Li et al., "Visualizing the loss landscape of neural nets", NeurIPS 2018 (the first two are its ``weights`` and
``states``); Garipov et al., "Loss surfaces, mode connectivity, and fast ensembling of DNNs", NeurIPS 2018 (the third).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from jaxdl import tree
from jaxdl.curvature.products import Loss
from jaxdl.typing import Params, PyTree


class Moving(NamedTuple):
    """Parameters and statistics as one tree: a centre, or a direction, of a slice of an :func:`interpolated` loss."""

    params: Params
    statistics: PyTree


def frozen(loss: Loss, statistics: PyTree) -> Loss:
    """``loss(params, *args)`` with these statistics everywhere.

    >>> print(frozen(lambda w, mean, x: w * (x - mean), 2.0)(3.0, 5.0))
    9.0
    """
    return lambda params, *args: loss(params, statistics, *args)


def interpolated(loss: Loss) -> Loss:
    """``loss(moving, *args)`` of parameters and statistics that move together.

    For the way from one solution to another, ``interpolate(loss, Moving(…), Moving(…))``; a direction in which only the
    parameters move is :func:`held`.

    >>> print(interpolated(lambda w, mean, x: w * (x - mean))(Moving(3.0, 2.0), 5.0))
    9.0
    """
    return lambda moving, *args: loss(moving.params, moving.statistics, *args)


def held(direction: PyTree, statistics: PyTree) -> Moving:
    """A direction of parameters in which statistics of that shape do not move."""
    return Moving(direction, tree.zeros_like(statistics))


def recomputed(loss: Loss, compute: Callable[..., PyTree], data: Any) -> Loss:
    """``loss(params, *args)`` with statistics computed at every point.

    Args:
      loss: ``loss(params, statistics, *args)``.
      compute: ``compute(params, data) -> statistics``. For Flax, the mutated ``batch_stats`` of a pass in training
        mode of a model whose momentum is 0.
      data: What they are computed from, such as the training inputs; not what the loss is of.

    Returns:
      The loss.

    >>> from jax import numpy as jnp
    >>> mean_of = lambda w, x: jnp.mean(w * x)
    >>> print(recomputed(lambda w, mean, x: w * x - mean, mean_of, jnp.array([1.0, 3.0]))(2.0, 5.0))
    6.0
    """

    def at(params: Params, *args: Any) -> jax.Array:
        return loss(params, compute(params, data), *args)

    return at
