"""Choices that contradict each other fail at the factory, and choices that say the same compute the same."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxdl import conventions, optimizers, schedules, transforms
from jaxdl.transforms import amsgrad, denominators, momentum, shrink
from tests import cases

CONTRADICTIONS = {
    "first step of no dampening": (
        lambda: transforms.trace(0.9, dampen_first=False),
        r"dampen_first=False needs a dampening, got none\.",
    ),
    "dampened look-ahead without dampening": (
        lambda: transforms.trace(0.9, nesterov=True, look_ahead=momentum.damped),
        r"look_ahead=damped needs nesterov=True and a dampening\.",
    ),
    "dampening of plain descent": (
        lambda: optimizers.sgd(0.1, dampening=0.1),
        r"dampening needs a momentum, got none\.",
    ),
    "hat without correction": (
        lambda: optimizers.adam(0.1, bias_correction=False, divide=denominators.hat),
        r"divide=hat needs the bias correction of the mean square, got none: say divide=outside\.",
    ),
    "hat of uncorrected squares": (
        lambda: optimizers.amsgrad(0.1, bias_correction_nu=False, divide=denominators.hat),
        r"divide=hat needs the bias correction of the mean square, got none: say divide=outside\.",
    ),
    "bare with an eps": (
        lambda: optimizers.rmsprop(0.1, eps=1e-8, divide=denominators.bare),
        r"divide=bare has no ε: expected eps=0, got 1e-08\.",
    ),
    "no rate": (lambda: optimizers.sgd(None), r"learning_rate must be a number or a schedule, got None\."),
    "a convention by name": (
        lambda: optimizers.adam(0.1, divide="inside"),
        r"divide must be a function, such as those in jaxdl\.transforms\.denominators, got 'inside'\.",
    ),
    "a decay by name": (
        lambda: optimizers.adamw(0.1, decay_by="fixed"),
        r"by must be a function, such as those in jaxdl\.transforms\.shrink, got 'fixed'\.",
    ),
    "a maximum by name": (
        lambda: optimizers.amsgrad(0.1, maximum="raw"),
        r"maximum must be a function, such as those in jaxdl\.transforms\.amsgrad, got 'raw'\.",
    ),
    "a look-ahead by name": (
        lambda: transforms.trace(0.9, True, look_ahead="damped"),
        r"look_ahead must be a function, such as those in jaxdl\.transforms\.momentum, got 'damped'\.",
    ),
    "one beta": (lambda: conventions.torch.Adam(betas=(0.9,)), r"betas must be two numbers, got \(0\.9,\)\."),
    "rectified below four": (
        lambda: optimizers.radam(0.1, threshold=3.9),
        r"threshold must be at least 4, got 3\.9\.",
    ),
    "schedule without its peak": (
        lambda: optimizers.adamw(schedules.cosine(0.1, 9), decay_by=shrink.corrected),
        r"decay by corrected under a schedule needs peak_rate, the schedule's largest value\.",
    ),
    "peak without a part": (
        lambda: optimizers.lion(0.1, decay_by=shrink.palm, peak_rate=0.1),
        r"peak_rate has no part in decay by palm: leave it out\.",
    ),
    "peak beside the default": (
        lambda: optimizers.nadamw(0.1, peak_rate=0.1),
        r"peak_rate has no part in decay by times_rate: leave it out\.",
    ),
    "peak of zero": (
        lambda: optimizers.adamaxw(0.1, decay_by=shrink.corrected, peak_rate=0.0),
        r"peak_rate must be positive, got 0\.",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradiction_fails_at_the_factory(name):
    factory, sentence = CONTRADICTIONS[name]
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        factory()


def distance(one, other, rate="cosine"):
    """How far two factories of a rate lie apart."""
    rates = cases.RATES[rate].ours(cases.SIZE_OF_RATE)
    first, second = (cases.path(factory(rates), *cases.feed("float64")) for factory in (one, other))
    return cases.deviation(first, second)


PEAK = {"peak_rate": cases.SIZE_OF_RATE}


def adamw(decay, **keywords):
    return lambda rate: optimizers.adamw(rate, weight_decay=decay, **keywords)


def test_decay_times_the_rate_is_decay_before_the_rate():
    def beside(rate):
        return optax.chain(optimizers.adam(rate), transforms.shrink_weights(0.3, rate))

    assert distance(adamw(0.3), beside) < 1e-14


@pytest.mark.parametrize(
    ("convention", "keywords", "factor"),
    [
        (shrink.fixed, {}, cases.SIZE_OF_RATE),
        (shrink.corrected, PEAK, 1.0),
        (shrink.palm, {}, 1 / cases.SIZE_OF_RATE),
    ],
)
def test_additive_conventions_are_one_while_the_rate_is_constant_and_part_when_it_decays(convention, keywords, factor):
    """Each with the λ that makes its shrinkage η λ at the peak."""
    other = adamw(0.3 * factor, decay_by=convention, **keywords)
    assert distance(adamw(0.3), other, "constant") < 1e-12
    assert distance(adamw(0.3), other, "cosine") > 1e-3


def test_decay_times_the_schedule_is_decay_times_the_rate_with_another_number():
    other = adamw(0.3 * cases.SIZE_OF_RATE, decay_by=shrink.times_schedule, **PEAK)
    assert distance(adamw(0.3), other) < 1e-12


def test_proximal_decay_is_another_algorithm_at_every_rate():
    assert distance(adamw(0.3), adamw(0.3, decay_by=shrink.proximal), "constant") > 1e-4


def test_both_maxima_of_amsgrad_are_one_where_nothing_is_corrected_and_two_where_it_is():
    def of(maximum, corrected):
        return lambda rate: optimizers.amsgrad(rate, maximum=maximum, bias_correction_nu=corrected)

    assert distance(of(amsgrad.of_raw, False), of(amsgrad.of_corrected, False)) == 0
    assert distance(of(amsgrad.of_raw, True), of(amsgrad.of_corrected, True)) > 0.01


def test_nadam_with_a_momentum_that_has_risen_is_nadam_with_a_constant_one():
    assert distance(lambda rate: optimizers.nadam(rate, momentum_decay=1e4), optimizers.nadam) < 1e-12
    assert distance(lambda rate: optimizers.nadam(rate, momentum_decay=0.004), optimizers.nadam) > 0.01


def test_epsilon_hat_at_the_first_step_is_thirty_times_as_large():
    first = transforms.scale_by_adam(eps=0.1, divide=denominators.hat)
    direction, _ = first.update(jnp.ones(1), first.init(jnp.ones(1)))
    np.testing.assert_allclose(direction, 1 / (1 + 0.1 / np.sqrt(0.001)), rtol=1e-12)


def test_rectification_counts_as_the_paper_does():
    """ρ of the sums against the paper's difference, which float64 can afford."""
    tx, b2 = transforms.scale_by_radam(b2=0.9), 0.9
    state = tx.init(jnp.zeros(1))
    for t in range(1, 30):
        state = tx.update(jnp.ones(1), state)[1]
        expected = 2 / (1 - b2) - 1 - 2 * t * b2**t / (1 - b2**t)
        np.testing.assert_allclose(2 * state.age / state.mass - 1, expected, rtol=1e-12)
