"""Initialisers by their closed-form moments, each held to its own standard error; parameters to disk and back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import problems
from jaxdl.models import initializers

DENSE, CONV = (300, 200), (3, 3, 20, 60)
"""Fans 300 and 200; 180 and 540."""

GAUSSIAN, UNIFORM = 3.0, 1.8
"""Kurtosis E[(x − μ)⁴]/σ⁴."""

RANDOM = {
    "std": (initializers.normal_with_std(0.1), DENSE, 0.0, 0.01, GAUSSIAN),
    "std with a mean": (initializers.normal_with_std(0.1, mean=-2.0), DENSE, -2.0, 0.01, GAUSSIAN),
    "variance": (initializers.normal_with_variance(0.01), DENSE, 0.0, 0.01, GAUSSIAN),
    "variance with a mean": (initializers.normal_with_variance(4, mean=1.5), DENSE, 1.5, 4.0, GAUSSIAN),
    "uniform": (initializers.symmetric_uniform(0.3), DENSE, 0.0, 0.3**2 / 3, UNIFORM),
    "xavier uniform, dense": (initializers.xavier_uniform(), DENSE, 0.0, 2 / 500, UNIFORM),
    "xavier uniform, conv": (initializers.xavier_uniform(), CONV, 0.0, 2 / 720, UNIFORM),
    "xavier normal, dense": (initializers.xavier_normal(), DENSE, 0.0, 2 / 500, GAUSSIAN),
    "xavier normal, conv": (initializers.xavier_normal(), CONV, 0.0, 2 / 720, GAUSSIAN),
    "he uniform, dense": (initializers.he_uniform(), DENSE, 0.0, 2 / 300, UNIFORM),
    "he uniform, conv": (initializers.he_uniform(), CONV, 0.0, 2 / 180, UNIFORM),
    "he normal, dense": (initializers.he_normal(), DENSE, 0.0, 2 / 300, GAUSSIAN),
    "he normal, conv": (initializers.he_normal(), CONV, 0.0, 2 / 180, GAUSSIAN),
}
"""Initialiser, shape, mean, variance, kurtosis."""

ALL = {
    "zeros": initializers.zeros,
    "constant": initializers.constant(3),
    "orthogonal": initializers.orthogonal(),
    **{name: row[0] for name, row in RANDOM.items()},
}


def draw(init, key, shape):
    """float64 from an initialiser, compiled in less time than it would be by default."""
    options = {"xla_backend_optimization_level": 0}
    return jax.jit(lambda key: init(key, shape, jnp.float64), compiler_options=options)(key)


@pytest.mark.parametrize("name", RANDOM)
def test_moments_are_the_closed_form_within_their_standard_error(name, key):
    init, shape, mean, variance, kurtosis = RANDOM[name]
    x = np.asarray(draw(init, key, shape)).ravel()
    z = (x - mean) / np.sqrt(variance)
    higher = {GAUSSIAN: (15, 105), UNIFORM: (27 / 7, 9)}[kurtosis]
    errors = {1: 1.0, 2: kurtosis - 1, 3: higher[0], 4: higher[1] - kurtosis**2}  # variance of z**k
    for power, expected in ((1, 0), (2, 1), (3, 0), (4, kurtosis)):
        assert abs(np.mean(z**power) - expected) < 4 * np.sqrt(errors[power] / x.size), f"E[z^{power}]"


@pytest.mark.parametrize(
    ("init", "shape", "bound"),
    [
        (initializers.symmetric_uniform(0.3), DENSE, 0.3),
        (initializers.xavier_uniform(), DENSE, np.sqrt(6 / 500)),
        (initializers.he_uniform(), CONV, np.sqrt(6 / 180)),
    ],
)
def test_uniform_ones_fill_their_interval_and_stay_inside(init, shape, bound, key):
    x = np.asarray(draw(init, key, shape))
    assert np.abs(x).max() <= bound
    assert x.max() > 0.999 * bound
    assert x.min() < -0.999 * bound


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5), (3, 3, 2, 4)])
def test_orthogonal_has_orthonormal_columns_or_rows(shape, key):
    q = np.asarray(draw(initializers.orthogonal(1.5), key, shape)).reshape(-1, shape[-1]) / 1.5
    gram = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-12)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", ALL)
def test_shape_and_dtype_are_what_was_asked(name, dtype, key):
    x = jax.eval_shape(lambda key: ALL[name](key, (6, 4), dtype), key)
    assert x.shape == (6, 4)
    assert x.dtype == dtype


def test_orthogonal_works_in_half_precision(key):
    q = np.asarray(initializers.orthogonal()(key, (6, 4), jnp.bfloat16), np.float32)
    np.testing.assert_allclose(q.T @ q, np.eye(4), atol=6 * 2**-8)


def test_constants_are_constant(key):
    np.testing.assert_array_equal(initializers.zeros(key, (2, 3), jnp.float32), np.zeros((2, 3)))
    np.testing.assert_array_equal(initializers.constant(-7.5)(key, (2,), jnp.float32), [-7.5, -7.5])


@pytest.mark.parametrize("make", [initializers.normal_with_std, initializers.symmetric_uniform, initializers.constant])
def test_scales_may_be_traced(make, key):
    scales = jnp.array([0.0, 0.5, 2.0])
    swept = jax.vmap(lambda scale: make(scale)(key, (4,), jnp.float32))(scales)
    np.testing.assert_array_equal(swept, jnp.stack([make(float(s))(key, (4,), jnp.float32) for s in scales]))


def test_variance_may_be_traced(key):
    make = initializers.normal_with_variance
    np.testing.assert_allclose(
        jax.jit(lambda v: make(v)(key, (4,), jnp.float32))(0.25),
        initializers.normal_with_std(0.5)(key, (4,)),
        rtol=1e-6,
    )


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (initializers.normal_with_std, "std"),
        (initializers.normal_with_variance, "variance"),
        (initializers.symmetric_uniform, "bound"),
    ],
)
def test_negative_scales_are_refused(make, word):
    with pytest.raises(ValueError, match=f"{word} must be non-negative, got -1"):
        make(-1.0)


# --- saved parameters -------------------------------------------------------------------------------------------------

PARAMS = {
    "dense": {"kernel": jnp.arange(6, dtype=jnp.float32).reshape(2, 3), "bias": jnp.ones(3, jnp.bfloat16)},
    "scale": jnp.full((), 2.0, jnp.float64),
}


def assert_same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_parameters_come_back_bit_for_bit(kind, tmp_path, key):
    path = kind(tmp_path / "params.msgpack")
    initializers.save(path, PARAMS)
    assert_same(initializers.from_saved(path)(key), PARAMS)
    assert_same(initializers.from_saved(path, template=PARAMS)(key), PARAMS)


def test_a_template_gives_back_what_a_file_cannot_name(tmp_path, key):
    params = [(jnp.ones(2), jnp.zeros(3)), {"x": jnp.arange(2)}]
    initializers.save(tmp_path / "p", params)
    shapes = jax.eval_shape(lambda: params)
    assert_same(initializers.from_saved(tmp_path / "p", template=shapes)(key), params)


def test_a_bare_array_is_a_tree_too(tmp_path, key):
    initializers.save(tmp_path / "p", jnp.ones(2))
    assert_same(initializers.from_saved(tmp_path / "p")(key), jnp.ones(2))


def test_parameters_may_be_given_themselves_and_mapped_over_keys():
    params = jax.vmap(initializers.from_saved(PARAMS, template=PARAMS))(jax.random.split(jax.random.key(0), 4))
    assert params["dense"]["kernel"].shape == (4, 2, 3)


def test_a_warm_start_begins_at_the_saved_loss(tmp_path, key):
    problem = problems.get("digits-mlp", hidden=(8,))
    params = problem.init(jax.random.key(5))
    initializers.save(tmp_path / "trained", params)
    warm = problem._replace(init=initializers.from_saved(tmp_path / "trained", jax.eval_shape(problem.init, key)))
    batch = problem.data["val"]
    assert warm.loss(warm.init(key), batch, key) == problem.loss(params, batch, key)
    assert warm.loss(warm.init(key), batch, key) != problem.loss(problem.init(key), batch, key)


@pytest.mark.parametrize("from_file", [True, False])
@pytest.mark.parametrize(
    ("template", "message"),
    [
        ({**PARAMS, "scale": jnp.ones(2, jnp.float64)}, r"\['scale'\] to be float64\[2\], got float64\[\]"),
        ({**PARAMS, "scale": jnp.ones((), jnp.float32)}, r"\['scale'\] to be float32\[\], got float64\[\]"),
        ({**PARAMS, "more": jnp.ones(1)}, r"\['more'\] to be float64\[1\], got nothing"),
        ({"dense": PARAMS["dense"]}, r"\['scale'\] to be absent, got float64\[\]"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(template, message, from_file, tmp_path):
    initializers.save(tmp_path / "p", PARAMS)
    with pytest.raises(ValueError, match=message):
        initializers.from_saved(tmp_path / "p" if from_file else PARAMS, template=template)


def test_a_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match=r"no saved parameters at 'nowhere\.msgpack'"):
        initializers.from_saved("nowhere.msgpack")


@pytest.mark.parametrize("content", [b"", b"not msgpack at all", b"\xc1"])
def test_a_file_of_something_else_is_refused(content, tmp_path):
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(ValueError, match="does not hold parameters"):
        initializers.from_saved(tmp_path / "p", template=PARAMS)


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, key):
    path = tmp_path / "p"
    initializers.save(path, PARAMS)

    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        initializers.save(path, {"other": jnp.ones(1)})
    assert [file.name for file in tmp_path.iterdir()] == ["p"]
    assert_same(initializers.from_saved(path)(key), PARAMS)


# --- torch's layers ---------------------------------------------------------------------------------------------------


def test_torch_layers_draw_kernels_and_biases_from_one_interval(key):
    def init(key):
        return {
            "params": {
                "dense": {"kernel": jnp.zeros((25, 4000)), "bias": jnp.zeros(4000)},
                "norm": {"scale": jnp.ones(3), "bias": jnp.full(3, 7.0)},
                "inner": {"conv": {"kernel": jnp.zeros((3, 3, 4, 500), jnp.float32), "bias": jnp.zeros(500)}},
                "bare": {"kernel": jnp.zeros((4, 2000))},
            }
        }

    params = jax.jit(initializers.torch_layers(init))(key)["params"]
    layers = [(params["dense"], 25), (params["inner"]["conv"], 36), (params["bare"], 4)]
    for layer, fan_in in layers:
        for x in map(np.asarray, layer.values()):
            assert np.abs(x).max() <= 1 / np.sqrt(fan_in)
            assert np.abs(x).max() > 0.98 / np.sqrt(fan_in)
            variance = 1 / (3 * fan_in)
            assert abs(np.mean(x**2) / variance - 1) < 4 * np.sqrt((UNIFORM - 1) / x.size)
            assert abs(np.mean(x)) < 4 * np.sqrt(variance / x.size)
    assert params["inner"]["conv"]["kernel"].dtype == jnp.float32
    np.testing.assert_array_equal(params["norm"]["bias"], [7, 7, 7])
    np.testing.assert_array_equal(params["norm"]["scale"], [1, 1, 1])
    drawn = [np.asarray(x).ravel()[:4].tolist() for x in jax.tree.leaves([layer for layer, _ in layers])]
    assert len({tuple(np.sign(x)) + tuple(np.round(x, 6)) for x in drawn}) == len(drawn), "no two leaves are alike"


def test_torch_uniform_is_the_kernels_part(key):
    x = np.asarray(draw(initializers.torch_uniform(), key, CONV))
    assert np.abs(x).max() <= 1 / np.sqrt(180)
    assert abs(np.mean(x**2) * 3 * 180 - 1) < 4 * np.sqrt((UNIFORM - 1) / x.size)
