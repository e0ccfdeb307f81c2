r"""Matrix–vector products with the curvature of a loss, on pytrees, without the matrix.

With the loss a mean over N samples, :math:`L(\theta) = \frac1N \sum_n \ell(f(x_n; \theta), y_n)`, J the Jacobian of the
outputs f and :math:`g_n = \nabla_\theta \ell_n`:

.. math::

    \text{Hessian:}          \quad & H = \nabla^2 L \\
    \text{Gauss–Newton:}     \quad & G = \tfrac1N \sum_n J_n^\top\, \nabla^2_f \ell_n\, J_n \\
    \text{Fisher:}           \quad & F = \tfrac1N \sum_n \mathbb E_{y \sim p(\cdot \mid f_n)}\, g_n g_n^\top \\
    \text{empirical Fisher:} \quad & E = \tfrac1N \sum_n g_n g_n^\top

A **product** is a function ``(loss, params, *args) -> matvec``; :func:`hessian` and :func:`empirical_fisher` are two,
:func:`gauss_newton` and :func:`fisher` make one from a model, and ``batches.in_batches`` makes one that goes through a
data set in batches. Every function of this room takes any of them as ``product=``.

Derivatives are taken forward over reverse: H v is the tangent of the gradient along v, at the cost of a few gradients.

Source: Pearlmutter, "Fast exact multiplication by the Hessian", 1994; Schraudolph, "Fast curvature matrix-vector
products for second-order gradient descent", 2002; Martens, "New insights and perspectives on the natural gradient
method", 2020; Kunstner, Balles and Hennig, "Limitations of the empirical Fisher approximation", 2019.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from jaxdl.curvature.flat import MatVec
from jaxdl.typing import Batch, Key, Params, PyTree

Loss: TypeAlias = Callable[..., jax.Array]
"""``loss(params, *args) -> scalar``: ``loss(params)``, ``loss(params, batch)`` or ``loss(params, batch, key)``."""
Product: TypeAlias = Callable[..., MatVec]
"""``product(loss, params, *args) -> matvec``."""
Model: TypeAlias = Callable[[Params, Any], PyTree]
"""``model(params, inputs) -> outputs``, with the sample axis first."""


def hvp(loss: Loss, params: Params, vector: PyTree, *args: Any) -> PyTree:
    """H v, the product of the Hessian of ``loss(params, *args)`` with one vector.

    Args:
      loss: A scalar function of the parameters and of ``args``.
      params: θ, a tree of real arrays.
      vector: v, shaped like the parameters.
      *args: What else the loss is given: a batch, a key.

    Returns:
      H v, shaped like the parameters.

    >>> print(hvp(lambda x: x[0] ** 2 * x[1], jnp.array([1.0, 3.0]), jnp.array([1.0, 0.0])))
    [6. 2.]
    """
    result: PyTree = hessian(loss, params, *args)(vector)
    return result


def hessian(loss: Loss, params: Params, *args: Any) -> MatVec:
    """The Hessian of ``loss(params, *args)`` as a function ``v -> H v``; arguments as in :func:`hvp`."""
    gradient = jax.grad(lambda p: loss(p, *args))

    def matvec(vector: PyTree) -> PyTree:
        return jax.jvp(gradient, (params,), (vector,))[1]

    return matvec


def gauss_newton(model: Model) -> Product:
    """The generalised Gauss–Newton product of a model; positive semi-definite where the loss is convex in the outputs.

    Args:
      model: ``model(params, inputs) -> outputs``.

    Returns:
      A product ``(loss, params, (inputs, targets)) -> matvec``, where ``loss(outputs, targets)`` is a scalar.

    >>> matvec = gauss_newton(lambda w, x: x @ w)(lambda z, y: jnp.mean((z - y) ** 2), jnp.zeros(2), (jnp.eye(2), 1.0))
    >>> print(matvec(jnp.array([1.0, 2.0])))  # (2/N) XᵀX v
    [1. 2.]
    """

    def product(loss: Loss, params: Params, batch: Batch) -> MatVec:
        inputs, targets = batch

        def outputs(p: Params) -> PyTree:
            return model(p, inputs)

        def matvec(vector: PyTree) -> PyTree:
            z, pull_back = jax.vjp(outputs, params)
            change = jax.jvp(outputs, (params,), (vector,))[1]
            curved = jax.jvp(jax.grad(lambda z: loss(z, targets)), (z,), (change,))[1]
            return pull_back(curved)[0]

        return matvec

    return product


def empirical_fisher(loss: Loss, params: Params, batch: Batch, *args: Any) -> MatVec:
    """The mean outer product of the samples' gradients, at the observed targets, as a function ``v -> E v``.

    Not the Fisher matrix: its targets are those of the data, and at a good fit it vanishes where the Fisher does not.
    The gradients are never held one by one: Σ gₙ (gₙᵀ v) is a tangent of the samples' losses, pulled back.

    Args:
      loss: ``loss(params, batch, *args)``, a mean over the samples of the batch. A penalty in it counts to each gₙ.
      params: θ.
      batch: Arrays whose first axis is that of the samples.
      *args: What else the loss is given.

    Returns:
      The product.
    """

    def of_samples(p: Params) -> jax.Array:
        return jax.vmap(lambda sample: loss(p, jax.tree.map(lambda x: x[None], sample), *args))(batch)

    def matvec(vector: PyTree) -> PyTree:
        values, pull_back = jax.vjp(of_samples, params)
        slopes = jax.jvp(of_samples, (params,), (vector,))[1]
        return pull_back(slopes / jnp.asarray(len(values), slopes.dtype))[0]

    return matvec


def fisher(model: Model, sample: Callable[[Key, PyTree], PyTree], key: Key) -> Product:
    """A Monte-Carlo Fisher product: the empirical Fisher at targets drawn from the model's own distribution.

    It is one draw of an unbiased estimate. For the cross-entropy and the squared error the Fisher matrix itself is
    :func:`gauss_newton`. For a data set in batches, draw all targets first and take ``in_batches(empirical_fisher, …)``
    of them.

    Args:
      model: ``model(params, inputs) -> outputs``.
      sample: ``sample(key, outputs) -> targets``, such as ``jax.random.categorical`` for logits.
      key: Of the draw.

    Returns:
      A product ``(loss, params, (inputs, targets)) -> matvec``, where ``loss(outputs, targets)`` is the mean negative
      log-likelihood; the targets given are not used.
    """

    def product(loss: Loss, params: Params, batch: Batch) -> MatVec:
        inputs = batch[0]
        drawn = sample(key, jax.lax.stop_gradient(model(params, inputs)))
        return empirical_fisher(lambda p, b: loss(model(p, b[0]), b[1]), params, (inputs, drawn))

    return product


def given(matvec: MatVec, params: Params) -> MatVec:
    """The product of a matrix that is given as a function: ``eigenpairs(matvec, like, product=given)``."""
    del params
    return matvec
