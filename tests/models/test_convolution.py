"""Patches × matmul against XLA's convolution, in value and both gradients, and what it compiles to."""

from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl.models.convolution import patch_convolution

XLA = jax.lax.conv_general_dilated
LAYOUTS = {1: ("NHC", "HIO", "NHC"), 2: ("NHWC", "HWIO", "NHWC"), 3: ("NDHWC", "DHWIO", "NDHWC")}


class Case(NamedTuple):
    space: tuple[int, ...]
    window: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Any
    dilation: tuple[int, ...] | None = None


CASES = [
    Case((8, 8), (3, 3), (1, 1), "SAME"),
    Case((8, 8), (3, 3), (1, 1), "VALID"),
    Case((8, 8), (3, 3), (2, 2), "SAME"),
    Case((8, 8), (3, 3), (2, 2), "VALID"),
    Case((7, 10), (3, 2), (2, 3), "SAME"),
    Case((7, 10), (3, 2), (2, 3), "SAME_LOWER"),
    Case((7, 10), (2, 5), (3, 1), "VALID"),
    Case((6, 5), (1, 1), (1, 1), "SAME"),
    Case((6, 5), (1, 1), (2, 2), "VALID"),
    Case((5, 5), (5, 5), (1, 1), "VALID"),
    Case((4, 4), (4, 4), (1, 1), "SAME"),
    Case((6, 6), (3, 3), (1, 1), ((2, 0), (1, 3))),
    Case((9, 9), (3, 3), (2, 1), ((-1, 2), (0, 0))),
    Case((9, 8), (3, 3), (1, 1), "SAME", (2, 2)),
    Case((9, 8), (3, 2), (2, 1), "VALID", (2, 3)),
    Case((12,), (3,), (1,), "SAME"),
    Case((12,), (4,), (3,), ((3, 0),), (2,)),
    Case((4, 5, 6), (2, 3, 2), (1, 2, 1), "SAME"),
]


def conv(convolve, case, x, w):
    return convolve(
        x,
        w,
        case.strides,
        case.padding,
        rhs_dilation=case.dilation,
        dimension_numbers=LAYOUTS[len(case.space)],
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_value_and_both_gradients_equal_xlas(case, rng):
    x = jnp.asarray(rng.normal(size=(2, *case.space, 3)))
    w = jnp.asarray(rng.normal(size=(*case.window, 3, 4)))
    shape = jax.eval_shape(lambda x, w: conv(XLA, case, x, w), x, w).shape
    cotangent = jnp.asarray(rng.normal(size=shape))

    def with_gradients(convolve, x, w, cotangent):
        value, pull = jax.vjp(partial(conv, convolve, case), x, w)
        return value, *pull(cotangent)

    quick = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    ours, xlas = quick(lambda *a: [with_gradients(c, *a) for c in (patch_convolution, XLA)])(x, w, cotangent)
    for a, b in zip(ours, xlas, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_forward_mode_and_second_derivatives_work(rng):
    case = CASES[2]
    x, w = jnp.asarray(rng.normal(size=(1, 8, 8, 2))), jnp.asarray(rng.normal(size=(3, 3, 2, 2)))
    v = jnp.asarray(rng.normal(size=w.shape))

    @partial(jax.jit, static_argnums=0)
    def hessian_vector_product(convolve, w, v):
        def loss(w):
            return jnp.sum(jnp.tanh(conv(convolve, case, x, w)))

        return jax.jvp(jax.grad(loss), (w,), (v,))[1]

    ours, xlas = (hessian_vector_product(c, w, v) for c in (patch_convolution, XLA))
    np.testing.assert_allclose(ours, xlas, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
def test_dtype_is_kept(dtype):
    y = conv(patch_convolution, CASES[0], jnp.ones((1, 8, 8, 1), dtype), jnp.ones((3, 3, 1, 2), dtype))
    assert y.dtype == dtype


def program(convolve):
    """StableHLO of a gradient descent on a convolutional layer inside a scan, mapped over two kernels."""
    layer = nn.Conv(4, (3, 3), conv_general_dilated=convolve)
    x = jnp.ones((2, 8, 8, 3), jnp.float32)

    def step(params, _):
        grads = jax.grad(lambda p: jnp.sum(layer.apply(p, x) ** 2))(params)
        return jax.tree.map(lambda p, g: p - 0.1 * g, params, grads), None

    def run(key):
        return jax.lax.scan(step, layer.init(key, x), length=3)[0]

    return jax.jit(jax.vmap(run)).lower(jax.random.split(jax.random.key(0), 2)).as_text()


def test_training_inside_scan_compiles_to_no_convolution():
    assert "stablehlo.convolution" in program(XLA)
    ours = program(patch_convolution)
    assert "stablehlo.convolution" not in ours
    assert "stablehlo.dot_general" in ours


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"feature_group_count": 3}, "feature_group_count and batch_group_count must be 1, got 3 and 1"),
        ({"batch_group_count": 2}, "must be 1, got 1 and 2"),
        ({"lhs_dilation": (2, 1)}, r"lhs_dilation must be 1, got \(2, 1\)"),
        ({"dimension_numbers": ("NCHW", "OIHW", "NCHW")}, "channels-last"),
        ({"dimension_numbers": None}, "channels-last"),
        ({"dimension_numbers": ("NHWC", "HWIO", "NCHW")}, "channels-last"),
        ({"rhs": jnp.ones((3, 3, 2, 4))}, "3 channels, but the kernel is made for 2"),
    ],
)
def test_what_is_not_supported_is_refused(change, message):
    arguments = {
        "lhs": jnp.ones((2, 8, 8, 3)),
        "rhs": jnp.ones((3, 3, 3, 4)),
        "window_strides": (1, 1),
        "padding": "SAME",
        "dimension_numbers": LAYOUTS[2],
    }
    with pytest.raises(ValueError, match=message):
        patch_convolution(**{**arguments, **change})
