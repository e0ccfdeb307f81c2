"""Critical points told apart at hand-computed Hessians, and found where the planar functions say they are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import second_order
from jaxdl.problems.planar import FUNCTIONS

QUICK = {"xla_backend_optimization_level": 0}


@pytest.mark.parametrize(
    ("loss", "kind"),
    [
        (lambda x: x[0] ** 2 + 3 * x[1] ** 2, "minimum"),
        (lambda x: -(x[0] ** 2) - 3 * x[1] ** 2, "maximum"),
        (lambda x: x[0] ** 2 - x[1] ** 2, "saddle"),
        (lambda x: x[0] * x[1], "saddle"),
        (lambda x: x[0] ** 2 + x[1] ** 4, "degenerate"),
        (lambda x: x[0] ** 3 - 3 * x[0] * x[1] ** 2, "degenerate"),
        (lambda x: x[0] ** 2 + 0.1 * x[1], "not critical"),
    ],
)
def test_kind_follows_from_the_signs(loss, kind):
    point = jax.jit(lambda x: second_order.classify(loss, x).kind, compiler_options=QUICK)(jnp.zeros(2))
    assert second_order.KINDS[point] == kind


def test_what_is_reported_is_the_hessians():
    point = second_order.classify(lambda x: x[0] ** 2 - 2 * x[1] ** 2 + x[0], {0: jnp.array(1.0), 1: jnp.array(2.0)})
    np.testing.assert_allclose(point.eigenvalues, [-4, 2])
    np.testing.assert_allclose([point.value, point.gradient_norm], [-6, np.sqrt(9 + 64)])


def test_points_may_be_mapped():
    kinds = jax.vmap(lambda a: second_order.classify(lambda x: a * x[0] ** 2 + x[1] ** 2, jnp.zeros(2)).kind)
    kinds = jax.jit(kinds, compiler_options=QUICK)
    assert kinds(jnp.array([1.0, -1.0, 0.0])).tolist() == [0, 2, 3]


@pytest.mark.parametrize("name", ["dupont", pytest.param("himmelblau", marks=pytest.mark.slow)])
def test_newton_from_a_grid_finds_every_documented_point(name):
    record = FUNCTIONS[name]
    (left, right), (bottom, top) = record.domain
    x, y = np.meshgrid(np.linspace(left, right, 21), np.linspace(bottom, top, 21))
    starts = jnp.asarray(np.stack([x.ravel(), y.ravel()], axis=1))
    found = second_order.critical_points(record.value, starts)
    for kind, points in (("minimum", record.minima), ("saddle", record.saddles), ("maximum", record.maxima)):
        ours = sorted(tuple(point.params) for point in found if second_order.KINDS[point.kind] == kind)
        np.testing.assert_allclose(np.array(ours).reshape(-1, 2), np.array(sorted(points)).reshape(-1, 2), atol=1e-6)
    values = [float(point.value) for point in found]
    assert values == sorted(values)
