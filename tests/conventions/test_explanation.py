"""What ``explain`` prints is what the transformation computes: the printed recurrence is run beside the real one."""

import functools
import re

import jax
import jax.numpy as jnp
import optax
import pytest

import jaxdl
from jaxdl import rules, transforms
from jaxdl.conventions.explanation import STEP, explain
from jaxdl.conventions.expressions import symbol
from tests import aliases
from tests.conftest import peer
from tests.conventions.evaluation import evaluate

GRADIENTS = (1.0, -0.5, 2.0, 0.0, 1e-4, -3.0, 0.25)
LOSS = 0.3
"""For rules that ask for it."""


def run_explained(explanation, theta):
    """The steps of the printed recurrence."""
    state = {name: evaluate(start, {symbol("θ", "before"): theta}) for name, start in explanation.initial}
    steps = []
    for g in GRADIENTS:
        values = {**state, symbol("g"): g, symbol("f"): LOSS, symbol("θ", "before"): theta}
        for name, formula in explanation.lines:
            values[name] = evaluate(formula, values)
        steps.append(values[STEP])
        state = {name: values[symbol(name.parts[0], "new")] for name in state}
        theta += values[STEP]
    return steps


def run(transform, theta, shape=()):
    """The steps of the transformation."""
    params, steps = jnp.full(shape, theta), []
    update = jax.jit(optax.with_extra_args_support(transform).update)
    with peer():
        state = transform.init(params)
        for g in GRADIENTS:
            step, state = update(jnp.full(shape, g), state, params, value=jnp.asarray(LOSS))
            steps.append(step.item())
            params = params + step
    return steps


OURS = {
    "sgd": jaxdl.sgd(0.1),
    "momentum": jaxdl.momentum(0.1),
    "momentum, rate inside": jaxdl.momentum(0.1, learning_rate_in_velocity=True),
    "nesterov, scheduled": jaxdl.nesterov(jaxdl.schedules.cosine(0.1, 5)),
    "rmsprop, all": jaxdl.rmsprop(0.1, initial_scale=1.0, eps=0.3, momentum=0.9, nesterov=True, bias_correction=True),
    "centred": jaxdl.rmsprop(0.1, centered=True, eps=1e-4, eps_in_sqrt=False, bias_correction=True),
    "adam": jaxdl.adam(0.1, eps=0.1, eps_root=0.2),
    "nadam": jaxdl.adam(0.1, nesterov=True),
    "adamw": jaxdl.adamw(0.1, weight_decay=0.3),
    "adam, coupled": optax.chain(transforms.add_l2_gradient(0.3), jaxdl.adam(0.1)),
    "clipped": optax.chain(transforms.clip(0.3), jaxdl.sgd(0.1)),
    "clipped by norm": optax.chain(transforms.clip_by_global_norm(0.3), jaxdl.sgd(0.1)),
}
UNREAD = ("lbfgs", "noisy_sgd")
"""What of them is opaque, or has more in its state than letters stand for: a loop, a key."""
SHAPES = {"sm3": (1,)}
"""Of a lone parameter, where it needs an axis."""
OPTAX = sorted({*aliases.NAMES} - {*UNREAD})


@pytest.mark.parametrize("name", OURS)
def test_the_printed_recurrence_is_ours(name):
    explanation = explain(OURS[name])
    assert run_explained(explanation, 2.0) == pytest.approx(run(OURS[name], 2.0), rel=1e-11, abs=1e-14)


@pytest.mark.parametrize("name", OPTAX)
def test_the_printed_recurrence_is_optaxs(name):
    transform = aliases.made(name, 0.1)
    steps = run(transform, 2.0, SHAPES.get(name, ()))
    assert run_explained(explain(transform), 2.0) == pytest.approx(steps, rel=1e-6, abs=1e-14)


# --- what it looks like -----------------------------------------------------------------------------------------------


def test_adam_reads_as_in_the_paper():
    assert str(explain(jaxdl.adam(1e-3))).endswith(
        "count′ = count + 1\n"
        "mu′    = 0.9 · mu + 0.1 · g\n"
        "nu′    = 0.999 · nu + 0.001 · g²\n"
        "Δθ     = −0.001 · mu′ / ((1 − 0.9^count′) · (√(nu′ / (1 − 0.999^count′)) + 1e−08))\n"
        "at the start: count = 0, mu = 0, nu = 0"
    )


def test_nesterov_looks_ahead_with_the_new_velocity():
    assert "Δθ     = −0.1 · (g + 0.9 · trace′)" in str(explain(jaxdl.nesterov(0.1)))


def test_a_factory_prints_its_arguments_as_letters():
    printed = str(explain(jaxdl.adam, eps_root=0.0))
    assert "mu′    = b1 · mu + (1 − b1) · g" in printed
    assert "Δθ     = −learning_rate · mu′ / ((1 − b1^count′) · (√(nu′ / (1 − b2^count′)) + eps))" in printed


def test_latex_is_one_aligned_block():
    latex = explain(jaxdl.momentum(0.1)).latex()
    assert latex.splitlines() == [
        r"\begin{aligned}",
        r"  \mathrm{trace}_t &= 0.9 \, \mathrm{trace}_{t-1} + g_t \\",
        r"  \Delta\theta_t &= -0.1 \, \mathrm{trace}_t",
        r"\end{aligned}",
    ]


def test_states_of_one_name_are_told_apart():
    names = [name.parts[0] for name, _ in explain(jaxdl.adam(jaxdl.schedules.cosine(0.1, 9))).initial]
    assert names == ["count.0", "mu", "nu", "count.1"]


def test_traced_arguments_print_as_symbols():
    printed = []

    @jax.jit
    def make(rate, decay):
        tx = rules.equation("")(jaxdl.momentum)(rate, momentum=decay)
        printed.extend([str(explain(tx)), str(explain(optax.sgd(rate)))])
        return rate

    make(0.1, 0.9)
    assert "trace′ = g + momentum · trace" in printed[0] or "trace′ = momentum · trace + g" in printed[0]
    assert "Δθ     = −learning_rate · trace′" in printed[0]
    assert "Δθ = c0 · g" in printed[1]  # optax has turned the sign before the update


# --- what it does not say ---------------------------------------------------------------------------------------------


def test_an_elementwise_rule_is_exact():
    assert explain(jaxdl.adamw(0.1)).exact
    assert explain(optax.adamw(0.1)).exact


def test_a_rule_that_looks_across_elements_is_partial():
    explanation = explain(optax.chain(transforms.clip_by_global_norm(1.0), jaxdl.sgd(0.1)))
    assert "reduce_sum" in explanation.across
    assert not explanation.exact
    assert "Partial" in str(explanation)
    assert "% Partial" in explanation.latex()


def test_a_rule_for_matrices_alone_is_partial():
    def update(updates, state, params=None):
        return jax.tree.map(lambda u: -u if u.ndim < 2 else -2 * u, updates), state

    by_rank = optax.GradientTransformation(lambda params: optax.EmptyState(), update)
    assert explain(by_rank).otherwise == ((256, 384),)


def test_what_cannot_be_read_is_said_to_be_opaque():
    def update(updates, state, params=None):
        return jax.tree.map(lambda u: jax.lax.fori_loop(0, 3, lambda i, x: x * x, u), updates), state

    looped = optax.GradientTransformation(lambda params: optax.EmptyState(), update)
    explanation = explain(looped)
    assert set(explanation.opaque) <= {"while", "scan"}
    assert explanation.opaque
    assert "Opaque" in str(explanation)


@pytest.mark.parametrize(
    ("transform", "opaque", "asked"),
    [
        (aliases.made("lbfgs", 0.1), {"while", "scan"}, "value_fn = f(·)"),
        (optax.chain(optax.sgd(0.1), optax.scale_by_backtracking_linesearch(5)), {"while"}, "value_fn = f(·)"),
        (optax.polyak_sgd(0.5), set(), "value = f, the loss at θ"),
        (optax.contrib.momo(0.5), set(), "value = f, the loss at θ"),
        (aliases.made("noisy_sgd", 0.1), {"random_bits"}, None),
    ],
)
def test_what_asks_for_the_loss_is_read_as_far_as_it_can_be(transform, opaque, asked):
    explanation = explain(transform)
    assert explanation.lines[-1][0] == STEP
    assert opaque <= {*explanation.opaque}
    assert bool(opaque) == bool(explanation.opaque)
    assert any(asked in said for said in explanation.asks) if asked else explanation.asks == ()
    assert ("It asks for more than gradients" in str(explanation)) == bool(asked)
    assert not explanation.exact


def test_polyaks_step_reads_as_in_the_paper():
    assert "min(f / g², 0.5)) · g\n" in str(explain(optax.polyak_sgd(0.5)))


def test_a_state_of_several_numbers_is_not_taken_for_one():
    explanation = explain(optax.contrib.mechanize(optax.sgd(0.1)))  # it keeps six scales and adds them up
    assert "reduce_sum" in explanation.opaque
    assert "reduce_sum(s′)" in str(explanation)


@pytest.mark.parametrize(
    ("transform", "why"),
    [
        (optax.lookahead(optax.sgd(0.1), 5, 0.5), "ends in AttributeError: .* has no attribute fast"),
        (optax.contrib.sophia(0.1), "ends in ValueError: obj_fn must be provided"),
        (
            optax.GradientTransformationExtraArgs(lambda params: (), lambda g, s, p=None, *, temperature: (g, s)),
            "its update needs 'temperature', for which there is no letter",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_cannot_be_had_for_a_lone_parameter_is_opaque_and_says_why(transform, why):
    explanation = explain(transform)
    assert explanation.lines == ()
    assert not explanation.exact
    assert re.search(why, str(explanation))
    assert explanation.latex().startswith("% Opaque: ")


def test_where_its_program_cannot_be_had_its_factories_are_quoted():
    decay = jaxdl.add_decayed_weights(0.1, {"bias": False, "kernel": True})
    masked = explain(jaxdl.chain(decay, jaxdl.scale_by_learning_rate(0.1)))
    lines = str(masked).splitlines()
    assert lines[:3] == ["chain", "u ← u + weight_decay · θ", "u ← −learning_rate · u"]
    assert lines[3].startswith("These are the words of its factories, not its program: on a lone parameter")
    assert not masked.exact
    assert masked.latex().splitlines()[0] == "% u ← u + weight_decay · θ"


def test_pi_is_written_as_one():
    schedule = jaxdl.schedules.cosine(0.1, 100)
    assert "cos(π · min" in str(explain(jaxdl.sgd(schedule)))
    assert r"\cos\left(\pi \, \min" in explain(jaxdl.sgd(schedule)).latex()


def test_what_a_factory_refuses_is_raised_as_it_is():
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        explain(jaxdl.adam, nonsense=3)


def test_neither_transformation_nor_factory_is_refused():
    with pytest.raises(TypeError, match="expected a transformation or a factory, got float"):
        explain(0.1)
    with pytest.raises(TypeError, match="arguments go to a factory"):
        explain(jaxdl.sgd(0.1), learning_rate=0.1)


def test_a_partial_factory_is_a_factory():
    assert "0.8 · mu" in str(explain(functools.partial(jaxdl.adam, b1=0.8), eps_root=0.0))
