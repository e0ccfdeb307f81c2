"""The pytree verbs: what they compute, and in which precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import tree


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        (("bfloat16",), "float32"),
        (("float16", "float32"), "float32"),
        (("float32", "float64"), "float64"),
        (("complex64",), "float32"),
        (("complex128", "float16"), "float64"),
    ],
)
def test_compute_dtype_is_float32_or_the_widest(dtypes, expected):
    # The bits of a complex dtype are those of its parts.
    assert tree.compute_dtype(*(jnp.zeros(1, dtype) for dtype in dtypes)) == np.dtype(expected)


def test_elementwise_computes_wide_and_returns_narrow():
    seen = []

    def rule(g, s, *, c):
        seen.append((g.dtype, s.dtype, c.dtype))
        return g + s + c, s + g

    updates, states = tree.elementwise(rule, jnp.ones(2, "bfloat16"), jnp.ones(2, "float16"), c=1)
    assert seen == [(jnp.float32,) * 3]
    assert (updates.dtype, states.dtype) == (jnp.bfloat16, jnp.float16)
    assert updates.tolist() == [3, 3]
    assert states.tolist() == [2, 2]


def test_elementwise_reads_without_returning():
    (updates,) = tree.elementwise(lambda g, theta: (g * theta,), {"w": jnp.ones(2)}, reading=({"w": jnp.full(2, 3.0)},))
    assert updates["w"].tolist() == [3, 3]


def test_elementwise_skips_leaves_without_a_gradient():
    states = {"w": jnp.ones(1), "b": jnp.full(1, 5.0)}
    updates, renewed = tree.elementwise(lambda g, s: (g, s + g), {"w": jnp.ones(1), "b": None}, states)
    assert updates["b"] is None
    assert renewed["b"] is states["b"]
    assert renewed["w"].tolist() == [2]


def test_elementwise_keeps_complex_leaves_complex():
    (updates,) = tree.elementwise(lambda g, *, c: (c * g,), jnp.full(1, 1j, "complex64"), c=2.0)
    assert updates.dtype == jnp.complex64
    assert updates.tolist() == [2j]


def test_zeros_and_fills_take_shapes():
    shape = jax.ShapeDtypeStruct((2,), jnp.bfloat16)
    assert tree.zeros_like(shape).dtype == jnp.bfloat16
    assert tree.zeros_like(shape, "float32").dtype == jnp.float32
    assert tree.zeros_like_wide(shape).dtype == jnp.float32
    assert tree.zeros_like_wide(jax.ShapeDtypeStruct((2,), jnp.complex64)).dtype == jnp.complex64
    filled = tree.full_like_real(jax.ShapeDtypeStruct((2,), jnp.complex128), 0.5)
    assert filled.dtype == jnp.float64
    assert filled.tolist() == [0.5, 0.5]


def test_global_norm_is_pythagoras_over_all_leaves():
    assert tree.global_norm({"a": jnp.array([3.0]), "b": [jnp.array([[4.0]]), jnp.array(12.0)]}) == 13
    assert tree.global_norm({"z": jnp.array([3 + 4j])}) == 5


def test_global_norm_of_a_thousand_bfloat16_leaves_is_accumulated_wide():
    leaves = [jnp.full((), 0.3167, "bfloat16") for _ in range(1000)]  # optax 0.2.8 adds them in bfloat16: 5.66
    assert tree.global_norm(leaves) == pytest.approx(np.sqrt(1000) * float(leaves[0]), rel=1e-6)


def test_global_norm_of_float16_does_not_overflow():
    assert tree.global_norm(jnp.full(4, 60000.0, "float16")) == pytest.approx(120000, rel=1e-3)


def test_global_norm_has_slope_zero_at_zero_and_a_unit_slope_elsewhere():
    assert jax.grad(tree.global_norm)(jnp.zeros(2)).tolist() == [0, 0]
    np.testing.assert_allclose(jax.grad(tree.global_norm)(jnp.array([3.0, 4.0])), [0.6, 0.8], rtol=1e-15)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_global_norm_does_not_hide_what_is_not_finite(bad):
    np.testing.assert_equal(float(tree.global_norm([jnp.ones(2), jnp.array([bad])])), bad)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_root_is_the_square_root_in_its_own_dtype(dtype):
    root = tree.root(jnp.array([0, 4, np.inf, np.nan, -1], dtype))
    assert root.dtype == dtype
    np.testing.assert_array_equal(root, [0, 2, np.inf, np.nan, np.nan])


def test_root_has_slope_zero_at_zero():
    slopes = jax.vmap(jax.grad(tree.root))(jnp.array([0.0, 4.0]))
    assert slopes.tolist() == [0, 0.25]


def test_select_does_not_let_nan_across():
    chosen = tree.select(jnp.array(True), {"x": jnp.ones(1)}, {"x": jnp.full(1, jnp.nan)})
    assert chosen["x"].tolist() == [1]
    slope = jax.grad(lambda x: tree.select(jnp.array(True), x, jnp.array(jnp.nan)))(2.0)
    assert slope == 1


def test_increment_adds_one_and_stops_at_the_largest_integer():
    largest = jnp.iinfo(jnp.int32).max
    counts = [tree.increment(jnp.array(n, jnp.int32)) for n in (0, largest - 1, largest)]
    assert [int(count) for count in counts] == [1, largest, largest]
    assert {count.dtype for count in counts} == {jnp.dtype("int32")}


def test_inner_product_is_real_wide_and_skips_missing_leaves():
    narrow = jnp.ones(4099, jnp.bfloat16)  # no number of bfloat16
    a = {"narrow": narrow, "z": jnp.array([1 + 2j]), "here": jnp.ones(1), "none": None}
    b = {"narrow": narrow, "z": jnp.array([3 - 1j]), "here": None, "none": jnp.ones(1)}
    product = tree.inner_product(a, b)
    assert product == 4099 + 1
    assert product.dtype == jnp.float64
    assert tree.inner_product(narrow, narrow).dtype == jnp.float32
    assert tree.inner_product((), ()) == 0


def test_leaf_pairs_are_in_order_without_gaps():
    assert tree.leaf_pairs({"b": 2, "a": 1, "c": None}, {"b": 20, "a": 10, "c": 30}) == [(1, 10), (2, 20)]
