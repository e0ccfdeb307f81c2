"""Our spelling of every framework's optimizer visits the points that the real framework was recorded to visit."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxdl import conventions
from tests import cases
from tests.golden import stored

FILES = {framework: stored.read(framework) for framework in stored.frameworks()}
CONFIGURATIONS = {
    f"{row.framework} {row.name} {row.arguments}": row for file in FILES.values() for row in file.recorded
}


def our_points(row):
    """Our path at the recorded steps, by rate; one program serves both."""
    file, factory = FILES[row.framework], getattr(getattr(conventions, row.framework), row.name)

    @cases.quick_jit
    def run(rates):
        tx = factory(lambda count: rates[count], **row.arguments)

        def step(carry, gradient):
            theta, state = carry
            updates, state = tx.update(gradient, state, theta)
            theta = optax.apply_updates(theta, updates)
            return (theta, state), theta

        start = jnp.asarray(file.theta)
        return jax.lax.scan(step, (start, tx.init(start)), jnp.asarray(file.gradients))[1]

    return {name: np.asarray(run(jnp.asarray(rates)))[stored.KEPT] for name, rates in file.rates.items()}


def distance(points, recorded):
    """Largest difference, relative to max(1, ‖θ‖∞)."""
    assert np.isfinite(points).all()
    return np.max(np.abs(points - recorded) / np.maximum(1, np.abs(recorded).max(axis=1, keepdims=True)))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_path_is_the_recorded_one_under_both_rates(name):
    row = CONFIGURATIONS[name]
    ours = our_points(row)
    same = [r for r in FILES[row.framework].recorded if (r.name, r.arguments) == (row.name, row.arguments)]
    assert {r.rate for r in same} == {"constant", "decaying"}
    for recorded in same:
        assert distance(ours[recorded.rate], recorded.points) <= 1e-12, recorded.rate


@pytest.mark.parametrize("framework", FILES)
def test_every_spelling_is_recorded(framework):
    module = getattr(conventions, framework)
    spelled = {name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    assert {row.name for row in FILES[framework].recorded} == {name for name in spelled if not name.startswith("_")}


@pytest.mark.parametrize("framework", FILES)
def test_recording_is_in_double_precision_and_of_a_sequence_that_tells(framework):
    file = FILES[framework]
    assert file.theta.dtype == file.gradients.dtype == file.recorded[0].points.dtype == np.float64
    assert (file.gradients[:5, 0] == 0).all()
    assert np.ptp(file.rates["decaying"]) > 0 == np.ptp(file.rates["constant"])


# --- signatures -------------------------------------------------------------------------------------------------------

LEFT_OUT = {
    "torch": {"params", "foreach", "maximize", "capturable", "differentiable", "fused", "self"},
    "keras": {
        "clipnorm",
        "clipvalue",
        "global_clipnorm",
        "use_ema",
        "ema_momentum",
        "ema_overwrite_frequency",
        "loss_scale_factor",
        "gradient_accumulation_steps",
        "name",
        "kwargs",
        "self",
    },
    "optax": set(),
}
HOMES = {"torch": "torch.optim", "keras": "keras.optimizers", "optax": "optax"}
# optax's nadam is a partial of adam that still shows the argument which it sets.
SET_BY_THE_NAME = {"nadam": {"nesterov"}, "nadamw": {"nesterov"}}


@pytest.mark.parametrize(("framework", "name"), sorted({(row.framework, row.name) for row in CONFIGURATIONS.values()}))
def test_signature_is_the_frameworks_own(framework, name):
    home = pytest.importorskip(HOMES[framework])
    theirs = inspect.signature(getattr(home, name)).parameters
    ours = inspect.signature(getattr(getattr(conventions, framework), name)).parameters
    hidden = LEFT_OUT[framework] | SET_BY_THE_NAME.get(name, set())
    expected = {n: p.default for n, p in theirs.items() if n not in hidden}
    assert {n: p.default for n, p in ours.items()} == expected
    assert [n for n, p in ours.items() if p.kind is not p.KEYWORD_ONLY] == [
        n for n, p in theirs.items() if n not in hidden and p.kind is not p.KEYWORD_ONLY
    ]


# --- the recordings themselves, where the framework is installed ------------------------------------------------------


@pytest.mark.parametrize("framework", FILES)
def test_installed_framework_still_does_what_was_recorded(framework):
    pytest.importorskip(framework)
    pytest.importorskip("benchmarks.frameworks")
    from benchmarks import frameworks

    file = FILES[framework]
    for row in file.recorded[::7]:
        configuration = frameworks.Configuration(framework, row.name, row.arguments)
        path = frameworks.theirs(configuration, file.theta, file.gradients, file.rates[row.rate])
        assert distance(path[stored.KEPT], row.points) <= 1e-12, str(row)
