"""What is watched in a run: against NumPy in float64 and closed forms, and that watching changes nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxdl
from jaxdl import Problem, observation, observers, training
from jaxdl.observers import Step
from tests.problems_for_tests import CURVATURES, bowl, regression

NAMES = tuple(observation.OBSERVERS)
ADAM = {"learning_rate": 0.1, "b1": 0.9, "b2": 0.99, "eps": 0.15, "eps_root": 1e-4}


def numpy_quantile(u, g, q):
    moved = g != 0
    return np.quantile(np.abs(u[moved]) / np.abs(g[moved]), q, method="lower") if moved.any() else 0.0


def numpy_observables(params, g, u):
    """Every observable that needs no hyper-parameter, from the definitions, in float64."""
    norm = np.linalg.norm
    return {
        "grad_norm": norm(g),
        "update_norm": norm(u),
        "param_norm": norm(params),
        "update_ratio": norm(u) / norm(params),
        "update_cosine": -(g @ u) / (norm(g) * norm(u)),
        **{f"step_size_q{q}": numpy_quantile(u, g, q / 100) for q in (10, 50, 90)},
    }


def numpy_adam(path_of_gradients, learning_rate, b1, b2, eps, eps_root):
    """Increments of Adam and √(v̂ + ε_root), step by step, from algorithm 1."""
    m = v = 0.0
    for t, g in enumerate(path_of_gradients, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        root = np.sqrt(v / (1 - b2**t) + eps_root)
        yield -learning_rate * m / (1 - b1**t) / (root + eps), root


def adam_on_the_bowl(steps):
    """A run of Adam on the bowl in NumPy: a dictionary of observables for every step."""
    x, gradients, rows = np.ones(3), [], []
    for _ in range(steps):
        gradients.append(CURVATURES * x)
        u, root = list(numpy_adam(gradients, **ADAM))[-1]
        seen = numpy_observables(x, gradients[-1], u)
        rows.append({**seen, "eps_share": np.mean(root < ADAM["eps"])})
        x = x + u
    return rows


def watched(problem, tx, key, steps, observe=NAMES, record_every=1, **options):
    """The observables of a run: arrays over records, without row 0."""
    _, curves = jaxdl.train(problem, tx, key, steps, record_every=record_every, observe=observe, **options)
    return {name: np.asarray(curves.metrics[name])[1:] for name in observe}


def tolerance(name):
    return 1e-6 if name.startswith("step_size") else 1e-12  # step sizes are ranked in float32


# --- every observable -------------------------------------------------------------------------------------------------


def test_adam_is_watched_as_numpy_does(key):
    rows = adam_on_the_bowl(60)
    observe = observation.resolve((*NAMES, "eps_share"), ADAM)
    seen = watched(bowl(), jaxdl.adam(**ADAM), key, 60, observe)
    for name, values in seen.items():
        np.testing.assert_allclose(values, [row[name] for row in rows], rtol=tolerance(name), err_msg=name)
    assert len(np.unique(seen["eps_share"])) > 1, "the case must tell coordinates apart"
    assert (seen["update_cosine"] < 0).any(), "momentum must overshoot somewhere"


def test_gradient_descent_in_closed_form(key):
    seen = watched(bowl(), jaxdl.sgd(0.3), key, 20)
    np.testing.assert_allclose(seen["update_cosine"], 1.0, rtol=1e-14)
    for name in ("step_size_q10", "step_size_q50", "step_size_q90"):
        np.testing.assert_allclose(seen[name], 0.3, rtol=1e-6)
    np.testing.assert_allclose(seen["update_norm"], 0.3 * seen["grad_norm"], rtol=1e-14)
    before = (1 - 0.3 * CURVATURES) ** np.arange(20)[:, None]
    np.testing.assert_allclose(seen["param_norm"], np.linalg.norm(before, axis=1), rtol=1e-13)
    np.testing.assert_allclose(seen["grad_norm"], np.linalg.norm(CURVATURES * before, axis=1), rtol=1e-13)
    np.testing.assert_allclose(seen["update_ratio"], seen["update_norm"] / seen["param_norm"], rtol=1e-14)


def test_going_uphill_has_cosine_minus_one():
    assert observers.update_cosine(Step(jnp.ones(2), jnp.ones(2), 0.1 * jnp.ones(2), ())) == pytest.approx(-1)


@pytest.mark.parametrize("size", [1, 2, 11, 200])
def test_quantiles_are_numpys_lower_ones(rng, size):
    g, u = rng.normal(size=size), rng.normal(size=size)
    g[1:][rng.random(size - 1) < 0.3] = 0
    u[rng.random(size) < 0.1] = 0
    cut = size // 2
    step = Step((), {"a": jnp.asarray(g[:cut]), "b": jnp.asarray(g[cut:])}, {"a": u[:cut], "b": u[cut:]}, ())
    kept = np.sort((np.abs(u[g != 0]) / np.abs(g[g != 0])).astype(np.float32))
    for percent in (0, 10, 37, 50, 90, 99, 100):
        expected = kept[(len(kept) - 1) * percent // 100]
        assert observers.step_size_quantile(percent)(step) == expected


def test_an_infinite_step_size_ranks_last():
    g, u = jnp.array([1e-300, 1.0, 1.0, 0.0]), jnp.array([1.0, 2.0, 3.0, 5.0])
    assert observers.step_size_quantile(100)(Step((), g, u, ())) == jnp.inf
    assert observers.step_size_quantile(50)(Step((), g, u, ())) == 3


def test_what_is_not_a_number_is_left_out():
    g, u = jnp.array([jnp.inf, 1.0, 1.0, jnp.nan]), jnp.array([jnp.inf, 2.0, 3.0, 5.0])
    assert observers.step_size_quantile(0)(Step((), g, u, ())) == 2
    assert observers.step_size_quantile(100)(Step((), g, u, ())) == 3


def test_quotients_by_zero_count_as_zero():
    zero, one = jnp.zeros(2), jnp.ones(2)
    for name in ("update_cosine", "step_size_q10", "step_size_q50", "step_size_q90"):
        assert observation.OBSERVERS[name](Step(one, zero, one, ())) == 0
    assert observers.update_cosine(Step(one, one, zero, ())) == 0
    assert observers.update_ratio(Step(zero, one, one, ())) == 0


@pytest.mark.parametrize("tx", [jaxdl.adam(0.1, eps=1e3), jaxdl.rmsprop(0.1, eps=1e3, eps_in_sqrt=False)])
def test_a_huge_eps_dominates_everywhere_and_a_tiny_one_nowhere(key, tx):
    for eps, share in ((1e3, 1), (1e-30, 0)):
        seen = watched(bowl(), tx, key, 5, {"eps_share": observers.eps_share(eps, b2=0.999)})
        np.testing.assert_array_equal(seen["eps_share"], share)


SQUARES = np.array([1.0, 0.25, 0.04, 0.01])


@pytest.mark.parametrize(
    ("arguments", "share"),
    [
        ({"decay": 0.75, "eps": 0.02}, 0.5),  # ν = 0.25 g²: 0.01 and 0.0025 lie below 0.02
        ({"decay": 0.75, "eps": 0.1, "eps_in_sqrt": False}, 0.25),  # √ν = g / 2 = 0.5, 0.25, 0.1, 0.05
        ({"decay": 0.75, "eps": 0.21, "bias_correction": True}, 0.5),  # ν̂ = g²: 0.04 and 0.01
        ({"decay": 0.75, "eps": 0.02, "centered": True}, 0.5),  # s = 0.1875 g²: 0.0075 and 0.001875
        ({"decay": 0.75, "eps": 0.02, "initial_scale": 0.02}, 0.25),  # ν = 0.015 + 0.25 g²: 0.0175
    ],
)
def test_each_form_of_rmsprop_is_judged_by_its_own_denominator(arguments, share):
    g = jnp.sqrt(jnp.asarray(SQUARES))
    tx = jaxdl.rmsprop(1.0, **arguments)
    u, state = tx.update(g, tx.init(jnp.zeros(4)))
    observe = observation.resolve(("eps_share",), observation.hyperparameters(jaxdl.rmsprop, arguments))
    assert observe["eps_share"](Step(jnp.zeros(4), g, u, state)) == share


@pytest.mark.parametrize(
    ("options", "share"),
    [({}, 0.25), ({"bias_correction": False}, 1.0), ({"eps_root": 0.02}, 0.0), ({"eps_root": 0.01}, 0.25)],
)
def test_adam_is_judged_by_the_square_that_it_uses(options, share):
    g = jnp.sqrt(jnp.asarray(SQUARES))
    given = {"learning_rate": 1.0, "eps": 0.15, "b2": 0.99, **options}
    u, state = jaxdl.adam(**given).update(g, jaxdl.adam(**given).init(jnp.zeros(4)))
    observe = observation.resolve(("eps_share",), observation.hyperparameters(jaxdl.adam, given))
    assert observe["eps_share"](Step(jnp.zeros(4), g, u, state)) == share
    # √v̂ = 1, 0.5, 0.2, 0.1, and √v a tenth of that; √(0.01 + 0.01) = 0.141 and √(0.01 + 0.02) = 0.173.


def test_clipping_is_counted(key):
    gradients = np.linalg.norm(CURVATURES * (1 - 0.3 * CURVATURES) ** np.arange(20)[:, None], axis=1)
    limit = 0.5 * (gradients[5] + gradients[6])
    rate = watched(bowl(), jaxdl.sgd(0.3), key, 20, {"clip_rate": observers.clip_rate(limit)}, record_every=10)
    np.testing.assert_allclose(rate["clip_rate"], [0.6, 0.0])


def test_clipped_coordinates_are_counted(key):
    share = watched(bowl(), jaxdl.sgd(0.0), key, 2, {"clip_share": observers.clip_share(0.1)})
    np.testing.assert_allclose(share["clip_share"], 2 / 3, rtol=1e-6)  # |g| = 1, 0.25, 0.05


def test_no_clipping_at_the_limit_itself():
    step = Step((), jnp.array([3.0, 4.0]), jnp.zeros(2), ())
    assert observers.clip_rate(5.0)(step) == 0
    assert observers.clip_share(4.0)(step) == 0


def test_complex_leaves_and_leaves_without_gradient():
    g = {"z": jnp.array([3 + 4j]), "x": jnp.array([12.0]), "frozen": None, "narrow": jnp.zeros(1, jnp.float32)}
    u = jax.tree.map(lambda leaf: -0.5 * leaf if leaf.dtype != jnp.float32 else leaf, g)
    params = {**g, "frozen": jnp.array([84.0])}
    step = Step(params, g, u, ())
    seen = {name: float(observer(step)) for name, observer in observation.OBSERVERS.items()}
    expected = {"grad_norm": 13, "update_norm": 6.5, "param_norm": 85, "update_ratio": 6.5 / 85, "update_cosine": 1}
    assert seen == pytest.approx({**expected, **{f"step_size_q{q}": 0.5 for q in (10, 50, 90)}})
    assert observers.clip_share(4.9)(step) == pytest.approx(2 / 3)
    turned = step._replace(updates={**u, "z": -0.5j * g["z"]})  # orthogonal in z: only x points downhill
    assert observers.update_cosine(turned) == pytest.approx(144 / 169)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_narrow_parameters_are_watched_in_float32(key, dtype):
    def loss(x, batch, key):
        return 0.5 * jnp.sum(x.astype(jnp.float32) ** 2)

    size = 4096  # in bfloat16 a sum of ones stops at 256
    problem = Problem(
        "narrow", lambda key: jnp.ones(size, dtype), loss, lambda x, batch: {"loss": loss(x, batch, None)}
    )
    observe = {**observation.OBSERVERS, "eps_share": observers.eps_share(10.0, b2=0.999)}
    seen = watched(problem, jaxdl.adam(0.125, eps=1.0), key, 1, observe)
    values = {"grad_norm": 64, "update_norm": 4, "param_norm": 64, "update_ratio": 1 / 16, "update_cosine": 1}
    values |= {name: 0.0625 for name in NAMES if name.startswith("step_size")} | {"eps_share": 1}
    assert {name: float(value[0]) for name, value in seen.items()} == pytest.approx(values, rel=1e-5)


# --- in a run ---------------------------------------------------------------------------------------------------------


def test_a_record_is_the_mean_over_its_steps(key):
    observe = observation.resolve((*NAMES, "eps_share", "clip_rate"), {**ADAM, "max_norm": 1.0})
    every = watched(regression(), jaxdl.adam(**ADAM), key, 23, observe)
    thinned = watched(regression(), jaxdl.adam(**ADAM), key, 23, observe, record_every=10)
    for name, values in every.items():
        means = [values[:10].mean(), values[10:20].mean(), values[20:].mean()]
        np.testing.assert_allclose(thinned[name], means, rtol=1e-12, err_msg=name)
    assert 0 < every["clip_rate"].mean() < 1


def test_steps_past_the_end_count_for_nothing(key):
    problem, tx, keys = regression(), jaxdl.adam(0.1), training.split_key(key)
    options = {"records": 5, "record_every": 4, "observe": observation.OBSERVERS}

    def advance(steps):
        state = training.start(problem, tx, problem.init(keys.init))
        indices = training.draw_batches(problem, keys.data, 0, 20)
        return training.advance(problem, tx, state, indices, keys.loss, steps=steps, **options)[1]

    whole, padded = advance(20), advance(10)
    every = watched(problem, tx, key, 10)
    for name in NAMES:
        np.testing.assert_allclose(padded[name][:2], whole[name][:2], rtol=1e-12)
        np.testing.assert_allclose(padded[name][2], every[name][8:].mean(), rtol=1e-12)
        np.testing.assert_array_equal(padded[name][3:], 0)  # records after the run, which callers drop


def test_row_zero_and_rows_after_divergence_are_empty(key):
    state, curves = jaxdl.train(regression(), jaxdl.sgd(5.0), key, steps=10, record_every=1, observe=NAMES)
    assert 0 < state.diverged_at < 8
    for name in NAMES:
        empty = (curves.step == 0) | (curves.step > state.diverged_at)
        np.testing.assert_array_equal(np.isnan(curves.metrics[name]), empty, err_msg=name)


def test_mapped_runs_see_what_the_runs_see(key):
    rates, limits = jnp.array([0.01, 0.1, 0.3]), jnp.array([1e-3, 0.05, 10.0])

    def run(rate, eps):
        given = {"learning_rate": rate, "eps": eps, "max_norm": eps}
        built_with = observation.hyperparameters(jaxdl.adam, given)
        observe = observation.resolve((*NAMES, "eps_share", "clip_rate"), built_with)
        _, curves = jaxdl.train(regression(), jaxdl.adam(rate, eps=eps), key, 12, record_every=4, observe=observe)
        return {name: curves.metrics[name] for name in observe}

    mapped = jax.jit(jax.vmap(run))(rates, limits)
    solo = [run(rate, limit) for rate, limit in zip(rates, limits, strict=True)]
    for name, values in mapped.items():
        np.testing.assert_allclose(values, [one[name] for one in solo], rtol=tolerance(name), err_msg=name)
    assert len(np.unique(mapped["eps_share"][:, -1])) > 1


def test_watching_changes_no_bit_of_a_network(key):
    problem, tx = jaxdl.problems.get("digits-mlp"), jaxdl.adam(0.01)

    def run(observe):
        return jax.jit(lambda: jaxdl.train(problem, tx, key, 20, record_every=5, evaluated=False, observe=observe))()

    (plain, plain_curves), (seen, curves) = run(()), run(NAMES)
    assert set(curves.metrics) == {"train_loss", *NAMES}
    jax.tree.map(np.testing.assert_array_equal, plain, seen)
    np.testing.assert_array_equal(curves.metrics["train_loss"], plain_curves.metrics["train_loss"])


def test_watching_changes_no_mapped_run(key):
    # Not a matter of bits here: where lanes are mapped, or the loss is a formula, XLA fuses gradients with what reads
    # them, and another reader may move their last bit.
    rates = jnp.array([0.001, 0.01, 0.1])

    def run(observe):
        return jax.jit(jax.vmap(lambda rate: jaxdl.train(regression(), jaxdl.adam(rate), key, 50, observe=observe)))(
            rates
        )

    (plain, plain_curves), (seen, curves) = run(()), run(NAMES)
    np.testing.assert_allclose(seen.params, plain.params, rtol=1e-12)
    for name, values in plain_curves.metrics.items():
        np.testing.assert_allclose(curves.metrics[name], values, rtol=1e-12)


def test_nothing_watched_is_nothing_compiled(key):
    def program(**options):
        return str(jax.make_jaxpr(lambda rate: jaxdl.train(bowl(), jaxdl.adam(rate), key, 20, **options))(0.1))

    assert program() == program(observe=()) == program(observe={})
    assert "optimization_barrier" in program(observe=("grad_norm",))
    assert "optimization_barrier" not in program()


def test_a_derivative_through_the_run_does_not_pass_the_observers(key):
    def last_loss(rate, observe):
        # From the minimum itself, where norms, quotients and step sizes have no derivative.
        problem = bowl()._replace(init=lambda key: jnp.array([1.0, 0.0, 0.0]))
        _, curves = jaxdl.train(problem, jaxdl.sgd(rate), key, 5, observe=observe)
        return curves.metrics["val_loss"][-1] + sum(curves.metrics[name][-1] for name in observe)

    plain = jax.grad(last_loss)(0.1, ())
    assert plain != 0
    np.testing.assert_allclose(jax.grad(last_loss)(0.1, NAMES), plain, rtol=1e-12)


def test_an_optimizer_that_keeps_a_key_may_be_watched(key):
    def update(updates, state, params=None):
        carried, noise = jax.random.split(state)
        return jax.tree.map(lambda g: -0.1 * g + 0.01 * jax.random.normal(noise, g.shape), updates), carried

    tx = optax.GradientTransformation(lambda params: jax.random.key(1), update)
    assert np.isfinite(watched(bowl(), tx, key, 3)["grad_norm"]).all()


# --- names ------------------------------------------------------------------------------------------------------------


def test_an_observer_of_your_own(key):
    seen = watched(bowl(), jaxdl.sgd(0.0), key, 2, {"first": lambda step: step.params[0] > 0})
    np.testing.assert_array_equal(seen["first"], 1)


@pytest.mark.parametrize(
    ("observe", "message"),
    [
        (("gradient_norm",), "unknown observable 'gradient_norm'; known are: grad_norm, update_norm, "),
        (("clip_rate",), r"observable 'clip_rate' needs the hyper-parameter 'max_norm', .* those given \(none\)"),
        ("grad_norm", r"observe must be a list of names, such as \('grad_norm',\), got 'grad_norm'"),
        ({"all": lambda step: step.params}, r"observable 'all' must be a real scalar of shape \(\), got float64\(3,\)"),
        ({"z": lambda step: jnp.zeros((), complex)}, r"observable 'z' must be a real scalar .*, got complex128\(\)"),
        ({"val_loss": observers.grad_norm}, "must not be named as a metric of the run is, got 'val_loss'"),
        ({"eps": observers.eps_share(0.1)}, "reads the state of scale_by_adam, scale_by_rms or scale_by_stddev, found"),
    ],
)
def test_bad_observables_are_named(key, observe, message):
    with pytest.raises(ValueError, match=message):
        jaxdl.train(bowl(), jaxdl.sgd(0.1), key, 5, observe=observe)


@pytest.mark.parametrize(
    ("tx", "observer", "needed"),
    [
        (jaxdl.adam(0.1), observers.eps_share(0.1), "b2"),
        (jaxdl.rmsprop(0.1, bias_correction=True), observers.eps_share(0.1, bias_correction=True), "decay"),
    ],
)
def test_a_missing_decay_rate_is_named(key, tx, observer, needed):
    with pytest.raises(ValueError, match=f"eps_share needs {needed} to correct the bias"):
        jaxdl.train(bowl(), tx, key, 5, observe={"share": observer})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: observers.step_size_quantile(0.5), "percent must be a whole number from 0 to 100, got 0.5"),
        (lambda: observers.step_size_quantile(101), "percent must be a whole number from 0 to 100, got 101"),
        (lambda: observers.eps_share(-1.0), "eps must be non-negative, got -1"),
        (lambda: observers.eps_share(0.1, b2=1.0), r"b2 must lie in \[0, 1\), got 1"),
        (lambda: observers.clip_rate(0.0), "max_norm must be positive, got 0"),
        (lambda: observers.clip_share(-1.0), "max_delta must be non-negative, got -1"),
    ],
)
def test_bad_numbers_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_what_is_given_stands_over_the_defaults():
    built_with = observation.hyperparameters(jaxdl.adam, {"learning_rate": 0.1, "eps": 0.5})
    assert (built_with["eps"], built_with["b2"], built_with["bias_correction"]) == (0.5, 0.999, True)


def test_units_of_the_registry():
    units = {name: observation.unit(name, "nat") for name in (*observation.OBSERVERS, *observation.FACTORIES)}
    assert units.pop("grad_norm") == "nat"
    assert {units.pop(f"step_size_q{q}") for q in (10, 50, 90)} == {"1/nat"}
    assert set(units.values()) == {"1"}
    assert observation.unit("step_size_q50", "1") == "1"
    assert observation.unit("val_loss", "nat") is None
