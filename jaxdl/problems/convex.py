r"""Linear classifiers with an L2 penalty: strictly convex, so that there is one minimum and its value is known.

.. math::

    F(W) = \frac1n \sum_i \ell(W^\top \tilde x_i,\, y_i) + \frac{\lambda}{2}\,\lVert W \rVert^2,
    \qquad \tilde x = (x, 1),

with the cross-entropy :math:`\ell`, in nats, of the softmax or, for two classes, of the sigmoid. Weights and bias are
penalised alike. The floor is min F over the whole training split, found by Newton's method in float64 when the problem
is made; the gap ``problem.loss(params, problem.data["train"], key) - problem.floor`` is exact to float32 rounding.
Metrics are the cross-entropy alone, without the penalty, and the accuracy. Targets are validation losses that each of
the six optimizers, at the best of 12 rates from its default range, passes within 500 steps at the default arguments.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import checks, losses
from jaxdl.data.breast_cancer import breast_cancer
from jaxdl.data.digits import digits
from jaxdl.problems.problem import Problem
from jaxdl.typing import Batch, Key, Metrics, Params, Scalar

Splits = Mapping[str, tuple[np.ndarray, np.ndarray | jax.Array]]


def digits_softmax(l2: Scalar = 1e-3, batch_size: int | None = 128, label_noise: Scalar = 0.0) -> Problem:
    """Softmax regression on the digits, from zero: 650 parameters, convex.

    Args:
      l2: λ > 0. May be traced, and so swept; the floor is then None.
      batch_size: Samples per step; None for all of them, which makes the run deterministic.
      label_noise: Part of the training labels that are replaced by another class, in [0, 1]; may be traced, and so
        swept; the floor, that of the noisy labels, is then None. Equation: ``data/label_noise.py``.

    Returns:
      The problem; target 0.2 nat.

    Raises:
      ValueError: ``l2`` not positive, ``label_noise`` outside [0, 1].

    >>> print(round(digits_softmax().floor, 6))
    0.252518
    """
    data = digits(label_noise=label_noise)
    splits = {name: (images.reshape(len(images), -1), labels) for name, (images, labels) in data.items()}
    floor = _floor(splits, l2)
    fields = {"batch_size": batch_size, "floor": floor, "target": 0.2}
    return _linear_classifier("digits-softmax", splits, l2, (10,), losses.cross_entropy, losses.accuracy, **fields)


def breast_cancer_logistic(l2: Scalar = 1e-3, batch_size: int | None = None) -> Problem:
    """Logistic regression on standardised tumour features, from zero: 31 parameters, convex and ill-conditioned.

    Args:
      l2: λ > 0. May be traced, and so swept; the floor is then None.
      batch_size: Samples per step; all 341 by default.

    Returns:
      The problem; target 0.05 nat.

    Raises:
      ValueError: ``l2`` not positive.

    >>> print(round(breast_cancer_logistic().floor, 6))
    0.059328
    """
    splits = breast_cancer()
    # Two softmax columns −w/2 and w/2 give the sigmoid of w at half its squared norm, and no minimum has others.
    floor = _floor(splits, 2 * l2)
    fields = {"batch_size": batch_size, "floor": floor, "target": 0.05}
    return _linear_classifier(
        "breast-cancer-logistic", splits, l2, (), losses.binary_cross_entropy, _binary_accuracy, **fields
    )


def softmax_floor(inputs: np.ndarray, labels: np.ndarray, l2: float) -> float:
    r"""min F of softmax regression with a bias, by damped Newton steps in float64.

    The last value is at most :math:`\lVert\nabla F\rVert^2 / 2\lambda \le 10^{-14}` above the minimum, because F curves
    everywhere by λ at least.

    Args:
      inputs: Shape ``(n, d)``.
      labels: Class numbers 0 … k − 1, all of which occur; shape ``(n,)``.
      l2: λ > 0.

    Returns:
      The minimum of F, the equation at the top of this file.
    """
    x = np.column_stack([inputs, np.ones(len(inputs))]).astype(np.float64)
    y = np.eye(labels.max() + 1)[labels]
    w = np.zeros((y.shape[1], x.shape[1]))
    value, probabilities = _softmax_objective(w, x, y, l2)
    for _ in range(100):  # about 6 are needed
        gradient = (probabilities - y).T @ x / len(x) + l2 * w
        if np.sum(gradient**2) / (2 * l2) < 1e-14:
            break
        step = np.linalg.solve(_softmax_hessian(probabilities, x, l2), -gradient.ravel()).reshape(w.shape)
        length = 1.0
        while (trial := _softmax_objective(w + length * step, x, y, l2))[0] > value and length > 1e-9:
            length /= 2
        w = w + length * step
        value, probabilities = trial
    return value


def _floor(splits: Splits, l2: Scalar) -> float | None:
    """min F over the training split; None where λ or a label is known only at run time."""
    checks.positive(l2=l2)
    inputs, labels = splits["train"]
    if isinstance(l2, jax.core.Tracer) or not isinstance(labels, np.ndarray):
        return None
    return softmax_floor(inputs, labels, float(l2))


def _softmax_objective(w: np.ndarray, x: np.ndarray, y: np.ndarray, l2: float) -> tuple[float, np.ndarray]:
    """F and the class probabilities ``(n, k)`` at weights ``(k, d)``, labels one-hot."""
    logits = x @ w.T
    logits -= logits.max(axis=1, keepdims=True)
    log_partition = np.log(np.exp(logits).sum(axis=1, keepdims=True))
    value = np.mean(np.sum(y * (log_partition - logits), axis=1)) + 0.5 * l2 * np.sum(w**2)
    return float(value), np.exp(logits - log_partition)


def _softmax_hessian(p: np.ndarray, x: np.ndarray, l2: float) -> np.ndarray:
    """Second derivative of F: E[(diag p − p pᵀ) ⊗ x xᵀ] + λ, shape ``(k d, k d)``."""
    (n, k), d = p.shape, x.shape[1]
    px = (p[:, :, None] * x[:, None, :]).reshape(n, k * d)
    hessian: np.ndarray = l2 * np.eye(k * d) - px.T @ px / n
    for j in range(k):
        block = slice(j * d, (j + 1) * d)
        hessian[block, block] += px[:, block].T @ x / n
    return hessian


def _linear_classifier(
    name: str,
    splits: Splits,
    l2: Scalar,
    output_shape: tuple[int, ...],
    cross_entropy: Callable[[jax.Array, jax.Array], jax.Array],
    accuracy: Callable[[jax.Array, jax.Array], jax.Array],
    **fields: Any,
) -> Problem:
    """The problem with logits ``x @ weights + bias`` of shape ``(n, *output_shape)``."""
    data = jax.tree.map(jnp.asarray, dict(splits))
    features, dtype = data["train"][0].shape[1], data["train"][0].dtype

    def init(key: Key) -> Params:
        del key
        return {"weights": jnp.zeros((features, *output_shape), dtype), "bias": jnp.zeros(output_shape, dtype)}

    def logits(params: Params, inputs: jax.Array) -> jax.Array:
        weights, bias = params["weights"], params["bias"]
        return jnp.matmul(inputs, weights) + jnp.expand_dims(bias, 0)

    def loss(params: Params, batch: Batch, key: Key) -> jax.Array:
        del key
        inputs, labels = batch
        penalty = jnp.asarray(l2).astype(dtype) * losses.l2_penalty(params)
        return cross_entropy(logits(params, inputs), labels) + penalty

    def metrics(params: Params, batch: Batch) -> Metrics:
        inputs, labels = batch
        z = logits(params, inputs)
        return {"loss": cross_entropy(z, labels), "accuracy": accuracy(z, labels)}

    return Problem(name, init, loss, metrics, data, units="nat", **fields)


def _binary_accuracy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    return jnp.mean(((logits > 0) == (labels == 1)).astype(logits.dtype))
