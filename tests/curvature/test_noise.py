"""The gradient noise scale against NumPy, its bias and its standard error over many draws of data."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import curvature, losses
from tests.curvature.matrices import network, parameters, samples

pytestmark = pytest.mark.usefixtures("quick_compilation")


def point(w, x):
    """½ mean ‖w − x‖²: the gradient of a sample is w − x."""
    return losses.squared_error(jnp.broadcast_to(w[None], x.shape), x)


def by_numpy(gradients):
    n = len(gradients)
    mean = gradients.mean(axis=0)
    noise = gradients.var(axis=0, ddof=1).sum()
    return noise, mean @ mean - noise / n


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_it_is_the_definition_sample_by_sample(batch_size):
    params, (x, y) = parameters(), samples(11)

    def loss(p, batch):
        return losses.cross_entropy(network(p, batch[0]), batch[1])

    rows = [jax.grad(loss)(params, (x[i : i + 1], y[i : i + 1])) for i in range(11)]
    gradients = np.stack([np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(row)]) for row in rows])
    noise, signal = by_numpy(gradients)
    found = curvature.noise_scale(loss, params, (x, y), batch_size=batch_size)
    np.testing.assert_allclose((found.noise, found.signal), (noise, signal), rtol=1e-12)
    np.testing.assert_allclose(found.value, noise / signal, rtol=1e-12)
    left = [np.divide(*by_numpy(np.delete(gradients, i, axis=0))) for i in range(11)]
    np.testing.assert_allclose(found.standard_error, np.sqrt(10 * np.var(left)), rtol=1e-10)


def test_no_bias_and_an_honest_error():
    """True values: noise 3 · 4, signal 9, so 4/3 samples."""
    keys = jax.random.split(jax.random.key(0), 500)

    def draw(key):
        return 2 * jax.random.normal(key, (80, 3), jnp.float64)

    find = jax.jit(jax.vmap(lambda key: curvature.noise_scale(point, jnp.full(3, np.sqrt(3)), draw(key))))
    found = find(keys)
    for estimate, exact in ((found.noise, 12.0), (found.signal, 9.0)):
        assert abs(np.mean(estimate) - exact) < 4 * np.std(estimate) / np.sqrt(500)
    assert 0.85 < np.sqrt(np.mean(np.square(found.standard_error))) / np.std(found.value) < 1.15


def test_no_cancellation_in_float32():
    """Gradients 1000 ± 0.01: the difference of their squares would be rounding noise."""
    x = jnp.asarray(np.random.default_rng(0).standard_normal((50, 4)) * 0.01, jnp.float32)
    found = curvature.noise_scale(point, jnp.full(4, 1000.0, jnp.float32), x)
    gradients = np.float32(1000) - np.asarray(x)  # as they are rounded
    np.testing.assert_allclose(found.noise, gradients.astype(np.float64).var(axis=0, ddof=1).sum(), rtol=1e-2)


def test_too_few_samples():
    with pytest.raises(ValueError, match="at least 3 samples, got 2"):
        curvature.noise_scale(point, jnp.zeros(1), jnp.zeros((2, 1)))
