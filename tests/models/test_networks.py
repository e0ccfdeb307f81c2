"""Every network: pure init and apply in the dtypes that it was given, and its forward pass against plain NumPy."""

from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl.models import initializers
from jaxdl.models.cnn import CNN
from jaxdl.models.mlp import MLP
from jaxdl.models.residual import ResidualMLP
from jaxdl.models.rnn import RNN, ElmanCell
from tests.conftest import peer

QUICK = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
"""jit for programs that run for less time than they take to compile."""

IMAGES, SEQUENCES = (3, 8, 8, 1), (3, 5, 2)


def relu(x):
    return np.maximum(x, 0)


def affine(layer, x):
    return x @ layer["kernel"] + layer["bias"]


def mlp(params, x):
    return affine(params["Dense_1"], relu(affine(params["Dense_0"], x.reshape(len(x), -1))))


def layer_norm(params, h):
    deviation = h - h.mean(-1, keepdims=True)
    return params["scale"] * deviation / np.sqrt((deviation**2).mean(-1, keepdims=True) + 1e-6) + params["bias"]


def residual_mlp(params, x):
    h = affine(params["Dense_0"], x.reshape(len(x), -1))
    for block in range(2):
        branch = relu(affine(params[f"Dense_{2 * block + 1}"], layer_norm(params[f"LayerNorm_{block}"], h)))
        h = h + affine(params[f"Dense_{2 * block + 2}"], branch)
    return affine(params["Dense_5"], layer_norm(params["LayerNorm_2"], h))


def same_convolution(layer, x, stride):
    """A 3 × 3 convolution as the sum that defines it, zeros outside; XLA pads a stride of 2 at the far end only."""
    n, size, _, _ = x.shape
    low = 1 if stride == 1 else 0
    padded = np.pad(x, ((0, 0), (low, 2), (low, 2), (0, 0)))
    y = np.zeros((n, size // stride, size // stride, layer["kernel"].shape[-1]))
    for i, j in np.ndindex(*y.shape[1:3]):
        window = padded[:, stride * i : stride * i + 3, stride * j : stride * j + 3]
        y[:, i, j] = np.tensordot(window, layer["kernel"], 3) + layer["bias"]
    return y


def cnn(params, x):
    h = relu(same_convolution(params["Conv_0"], x, 1))
    h = relu(same_convolution(params["Conv_1"], h, 2))
    blocks = [[h[:, i : i + 2, j : j + 2].mean((1, 2)) for j in (0, 2)] for i in (0, 2)]
    return affine(params["Dense_0"], np.concatenate([c for row in blocks for c in row], axis=-1))


def rnn(params, x):
    h, outputs = np.zeros((len(x), 4)), []
    for t in range(x.shape[1]):
        h = np.tanh(affine(params["cell"]["input"], x[:, t]) + h @ params["cell"]["recurrent"]["kernel"])
        outputs.append(affine(params["readout"], h))
    return np.stack(outputs, axis=1)


class Case(NamedTuple):
    module: Any
    arguments: dict[str, Any]
    shape: tuple[int, ...]
    output: tuple[int, ...]
    parameters: int
    oracle: Any


CASES = {
    "mlp": Case(MLP, {"features": (6, 10)}, IMAGES, (3, 10), 64 * 6 + 6 + 6 * 10 + 10, mlp),
    "residual mlp": Case(
        ResidualMLP, {"width": 6}, IMAGES, (3, 10), 64 * 6 + 6 + 4 * (36 + 6) + 3 * 12 + 6 * 10 + 10, residual_mlp
    ),
    "cnn": Case(CNN, {"channels": (3, 4)}, IMAGES, (3, 10), 9 * 3 + 3 + 27 * 4 + 4 + 16 * 10 + 10, cnn),
    "rnn": Case(RNN, {"features": 4, "outputs": 2}, SEQUENCES, (3, 5, 2), 2 * 4 + 4 + 16 + 4 * 2 + 2, rnn),
}

DTYPES = [("float32", "float32"), ("float64", "float64"), ("bfloat16", "float32"), ("bfloat16", "bfloat16")]


def build(name, dtype="float64", param_dtype="float64", **arguments):
    case = CASES[name]
    return case.module(**{**case.arguments, **arguments}, dtype=dtype, param_dtype=param_dtype)


def inputs(name, rng, dtype="float64"):
    return jnp.asarray(rng.normal(size=CASES[name].shape), dtype)


@pytest.mark.parametrize("name", CASES)
def test_forward_pass_is_the_equation(name, rng, key):
    model, x = build(name), inputs(name, rng)
    with peer():  # Flax's LayerNorm mixes float32 and float64
        shapes = jax.eval_shape(model.init, key, x)
        variables = jax.tree.map(lambda p: jnp.asarray(rng.normal(size=p.shape)), shapes)
        outputs = QUICK(model.apply)(variables, x)
    expected = CASES[name].oracle(jax.tree.map(np.asarray, variables["params"]), np.asarray(x))
    np.testing.assert_allclose(outputs, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("dtype", "param_dtype"), DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_shapes_and_dtypes_are_those_asked_for(name, dtype, param_dtype, rng, key):
    model, x = build(name, dtype, param_dtype), inputs(name, rng, "float32")
    with peer():
        variables = jax.eval_shape(model.init, key, x)
        outputs = jax.eval_shape(model.apply, variables, x)
        grads = jax.eval_shape(jax.grad(lambda v: jnp.sum(model.apply(v, x).astype(jnp.float32))), variables)
    assert set(variables) == {"params"}
    assert outputs.shape == CASES[name].output
    assert outputs.dtype == dtype
    assert {leaf.dtype for leaf in jax.tree.leaves((variables, grads))} == {jnp.dtype(param_dtype)}
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == CASES[name].parameters


@pytest.mark.parametrize("name", CASES)
def test_float32_needs_no_loose_promotion_and_vmap_is_a_loop(name, rng, key):
    model, x = build(name, "float32", "float32"), inputs(name, rng, "float32")
    shapes = jax.eval_shape(model.init, key, x)
    lanes = jax.tree.map(lambda p: jnp.asarray(0.3 * rng.normal(size=(2, *p.shape)), p.dtype), shapes)
    mapped = QUICK(jax.vmap(model.apply, in_axes=(0, None)))(lanes, x)
    alone = QUICK(model.apply)(jax.tree.map(lambda p: p[1], lanes), x)
    np.testing.assert_allclose(mapped[1], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_gradient_is_the_slope_along_a_random_direction(name, rng, key):
    x = inputs(name, rng)
    model = build(name, **({} if name == "rnn" else {"activation": nn.softplus}))
    with peer():
        variables = QUICK(model.init)(key, x)
        direction = jax.tree.map(lambda p: jnp.asarray(rng.normal(size=p.shape)), variables)

        def loss(t):
            return jnp.mean(model.apply(jax.tree.map(lambda p, d: p + t * d, variables, direction), x) ** 2)

        h = 1e-3 * np.array([-2.0, -1.0, 1.0, 2.0])  # a five-point rule: error of order h⁴
        values, gradient = QUICK(lambda h: (jax.vmap(loss)(h), jax.grad(loss)(0.0)))(h)
    slope = np.dot(values, [1, -8, 8, -1]) / 12e-3
    np.testing.assert_allclose(gradient, slope, rtol=1e-6)


# --- one network at a time --------------------------------------------------------------------------------------------


def test_mlp_depth_activation_and_initialisers_are_free(rng, key):
    x = inputs("mlp", rng)
    model = build("mlp", features=(5, 4, 3, 2), activation=jnp.tanh, bias_init=initializers.constant(0.5))
    params = QUICK(model.init)(key, x)["params"]
    assert [params[f"Dense_{i}"]["kernel"].shape for i in range(4)] == [(64, 5), (5, 4), (4, 3), (3, 2)]
    np.testing.assert_array_equal(params["Dense_2"]["bias"], np.full(3, 0.5))
    assert (
        jnp.abs(QUICK(model.apply)({"params": params}, 1e9 * x) - 0.5).max()
        <= jnp.abs(params["Dense_3"]["kernel"]).sum(axis=0).max()
    ), "a tanh never exceeds one"
    linear = MLP((3,), dtype="float64", param_dtype="float64")
    variables = QUICK(linear.init)(key, x)
    kernel = variables["params"]["Dense_0"]["kernel"]
    np.testing.assert_allclose(linear.apply(variables, x), x.reshape(3, -1) @ kernel, rtol=1e-12)


def test_dropout_keeps_the_mean_and_is_off_outside_training(key):
    rate, units, runs = 0.25, 4000, 20
    model = MLP((units, 1), dropout_rate=rate, kernel_init=initializers.constant(1 / units))
    x = jnp.full((1, units), 2.0, jnp.float32)
    # Every hidden unit is 2, so the output is twice the part that is kept, over 1 − rate.
    variables = model.init(key, x)
    np.testing.assert_allclose(model.apply(variables, x), 2.0, rtol=1e-4)
    dropped = QUICK(jax.vmap(lambda key: model.apply(variables, x, training=True, rngs={"dropout": key})[0, 0]))
    outputs = np.asarray(dropped(jax.random.split(key, runs)))
    deviation = 2 * np.sqrt(rate / (1 - rate) / units)
    assert abs(outputs.mean() - 2) < 4 * deviation / np.sqrt(runs)
    assert abs(outputs.std(ddof=1) / deviation - 1) < 4 / np.sqrt(2 * runs)


def test_cnn_refuses_what_it_cannot_halve(key):
    with pytest.raises(ValueError, match="even height and width, got 3 × 3"):
        jax.eval_shape(CNN().init, key, jnp.ones((1, 6, 6, 1), jnp.float32))


def test_residual_stream_passes_an_empty_branch_untouched(rng, key):
    model, x = build("residual mlp", kernel_init=initializers.zeros), inputs("residual mlp", rng)
    stem, readout = rng.normal(size=(64, 6)), rng.normal(size=(6, 10))
    with peer():
        variables = QUICK(model.init)(key, x)
        variables["params"]["Dense_0"]["kernel"] = jnp.asarray(stem)
        variables["params"]["Dense_5"]["kernel"] = jnp.asarray(readout)
        outputs = QUICK(model.apply)(variables, x)
    stream = np.asarray(x).reshape(3, -1) @ stem
    expected = layer_norm({"scale": 1.0, "bias": 0.0}, stream) @ readout
    np.testing.assert_allclose(outputs, expected, rtol=1e-10, atol=1e-10)


def test_rnn_is_its_cell_repeated_and_starts_orthogonal(rng, key):
    model, x = build("rnn"), inputs("rnn", rng)
    params = QUICK(model.init)(key, x)["params"]
    recurrent = np.asarray(params["cell"]["recurrent"]["kernel"])
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(4), atol=1e-12)
    cell = ElmanCell(4, dtype="float64", param_dtype="float64")
    h = jnp.zeros((3, 4))
    for t in range(5):
        h, again = cell.apply({"params": params["cell"]}, h, x[:, t])
        assert h is again
    expected = affine(jax.tree.map(np.asarray, params["readout"]), np.asarray(h))
    np.testing.assert_allclose(QUICK(model.apply)({"params": params}, x)[:, -1], expected, rtol=1e-12)


def test_rnn_is_causal(rng, key):
    model, x = build("rnn"), inputs("rnn", rng)
    variables = QUICK(model.init)(key, x)
    apply = QUICK(model.apply)
    changed = apply(variables, x.at[:, 3].add(1.0)) - apply(variables, x)
    assert jnp.abs(changed[:, :3]).max() == 0
    assert jnp.abs(changed[:, 3:]).min() > 0
