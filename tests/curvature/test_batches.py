"""Products over data sets in parts of any sizes, and blocks of single layers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import curvature, losses
from tests.curvature.matrices import dense, network, parameters, samples

pytestmark = pytest.mark.usefixtures("quick_compilation")

PARAMS, BATCH = parameters(), samples(10)


def loss(params, batch):
    return losses.cross_entropy(network(params, batch[0]), batch[1]) + 0.01 * losses.l2_penalty(params)


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_parts_of_any_size_give_the_whole(batch_size):
    whole = dense(curvature.hessian(loss, PARAMS, BATCH), PARAMS)
    parts = dense(curvature.in_batches(curvature.hessian, batch_size)(loss, PARAMS, BATCH), PARAMS)
    np.testing.assert_allclose(parts, whole, atol=1e-14)


def test_the_short_last_part_would_be_seen():
    """Weights that ignore sizes, the usual error, give another matrix."""
    whole = dense(curvature.hessian(loss, PARAMS, BATCH), PARAMS)
    cut = [jax.tree.map(lambda x, s=s: x[s], BATCH) for s in (slice(0, 4), slice(4, 8), slice(8, 10))]
    equal = curvature.mean_of([curvature.hessian(loss, PARAMS, part) for part in cut], [1, 1, 1])
    assert np.abs(dense(equal, PARAMS) - whole).max() > 1e-3
    right = curvature.mean_of([curvature.hessian(loss, PARAMS, part) for part in cut], [4, 4, 2])
    np.testing.assert_allclose(dense(right, PARAMS), whole, atol=1e-14)


@pytest.mark.parametrize("kind", ["gauss_newton", "empirical_fisher"])
def test_other_products_go_in_batches_too(kind):
    product, of = {
        "gauss_newton": (curvature.gauss_newton(network), losses.cross_entropy),
        "empirical_fisher": (curvature.empirical_fisher, loss),
    }[kind]
    whole = dense(product(of, PARAMS, BATCH), PARAMS)
    parts = dense(curvature.in_batches(product, 4)(of, PARAMS, BATCH), PARAMS)
    np.testing.assert_allclose(parts, whole, atol=1e-14)


def test_narrow_parameters_are_summed_wide():
    """3000 parts of bfloat16, where 1 + 1/512 is 1: a sum kept that narrow stops growing at a quarter."""
    data = jnp.ones((3000, 1), jnp.bfloat16)

    def quadratic(w, x):
        return jnp.mean(x * w**2) / 2

    found = curvature.in_batches(curvature.hessian, 1)(quadratic, jnp.ones((), jnp.bfloat16), data)
    product = found(jnp.ones((), jnp.bfloat16))
    assert product.dtype == jnp.bfloat16
    np.testing.assert_allclose(float(product), 1.0, rtol=1e-2)


@pytest.mark.parametrize("weights", [[1.0, 2.0], []])
def test_weights_are_counted(weights):
    with pytest.raises(ValueError, match="needs a weight for each product, got"):
        curvature.mean_of([lambda v: v] if weights else [], weights)


# --- blocks -----------------------------------------------------------------------------------------------------------


def test_a_block_is_the_diagonal_block_of_the_whole():
    whole = dense(curvature.hessian(loss, PARAMS, BATCH), PARAMS)
    for pattern, rows in (("first/*", slice(0, 16)), ("second/*", slice(16, 28)), ("*/bias", slice(0, 4))):
        of_layer, layer = curvature.block(loss, PARAMS, pattern)
        found = dense(curvature.hessian(of_layer, layer, BATCH), layer)
        np.testing.assert_allclose(found, whole[rows, rows], atol=1e-14, err_msg=pattern)


def test_a_block_of_a_model_has_its_gauss_newton():
    whole = dense(curvature.gauss_newton(network)(losses.cross_entropy, PARAMS, BATCH), PARAMS)
    of_layer, layer = curvature.block(network, PARAMS, "second/kernel")
    found = dense(curvature.gauss_newton(of_layer)(losses.cross_entropy, layer, BATCH), layer)
    np.testing.assert_allclose(found, whole[16:, 16:], atol=1e-14)


def test_a_pattern_without_a_match_lists_the_paths():
    with pytest.raises(ValueError, match="no parameter matches 'third'; there are: first/bias, first/kernel"):
        curvature.block(loss, PARAMS, "third")
