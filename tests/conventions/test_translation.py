"""A translation is run: its constructor, called in the other framework, goes the same way."""

import numpy as np
import optax
import pytest

import jaxdl
from jaxdl import rules, schedules, transforms
from jaxdl.conventions.translation import translate
from tests import cases
from tests.conftest import peer

RATE = cases.SIZE_OF_RATE


def ruled(name):
    return rules.equation("")(getattr(transforms, name))


trace, rate_of, penalty, decay = map(
    ruled, ["trace", "scale_by_learning_rate", "add_l2_gradient", "add_decayed_weights"]
)
adam, rms, stddev = map(ruled, ["scale_by_adam", "scale_by_rms", "scale_by_stddev"])


def chain(*members, rate=RATE):
    return rules.chain(*members, rate_of(rate))


TORCH = {
    "sgd": (chain(), "SGD"),
    "heavy ball": (chain(trace(0.9)), "SGD"),
    "nesterov, penalty": (chain(penalty(0.3), trace(0.9, True)), "SGD"),
    "rate inside, constant": (rules.chain(rate_of(RATE), trace(0.9)), "SGD"),
    "rmsprop": (chain(rms(0.99, 1e-3, eps_in_sqrt=False)), "RMSprop"),
    "rmsprop, all": (chain(penalty(0.1), rms(0.9, 1e-3, eps_in_sqrt=False), trace(0.8)), "RMSprop"),
    "centred rmsprop": (chain(stddev(0.9, 0.1, eps_in_sqrt=False)), "RMSprop"),
    "adam": (chain(adam(0.8, 0.95, 0.1)), "Adam"),
    "adam, coupled": (chain(penalty(0.3), adam()), "Adam"),
    "adamw": (chain(adam(), decay(0.3)), "AdamW"),
}
OPTAX = {
    "sgd": (chain(), "sgd"),
    "nesterov": (chain(trace(0.9, True)), "sgd"),
    "rmsprop, momentum": (rules.chain(rms(0.8, 0.1, 0.5), rate_of(RATE), trace(0.9)), "rmsprop"),
    "nadam": (chain(adam(0.8, nesterov=True)), "adam"),
    "adamw": (chain(adam(eps_root=0.1), decay(0.3)), "adamw"),
}


def torch_path(translation, rates):
    torch = pytest.importorskip("torch")
    start, gradients = cases.feed("float64")
    theta = torch.nn.Parameter(torch.tensor(start))
    optimizer = getattr(torch.optim, translation.constructor.rpartition(".")[2])([theta], **translation.keywords)
    path = []
    for gradient, eta in zip(gradients, rates, strict=True):
        if eta is not None:
            optimizer.param_groups[0]["lr"] = float(eta)
        theta.grad = torch.tensor(gradient)
        optimizer.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


@pytest.mark.parametrize("name", TORCH)
def test_torch_goes_the_same_way(name):
    transform, constructor = TORCH[name]
    translation = translate(transform, to="torch")
    assert translation.constructor == f"torch.optim.{constructor}"
    ours = cases.path(transform, *cases.feed("float64"))
    assert cases.deviation(torch_path(translation, [None] * cases.STEPS), ours) <= 1e-11


def test_a_schedule_multiplies_a_rate_of_one_in_torch():
    transform = chain(adam(), rate=schedules.cosine(RATE, cases.STEPS))
    translation = translate(transform, to="torch")
    assert translation.keywords["lr"] == 1.0
    assert "LambdaLR" in translation.remarks[0]
    rates = cases.RATES["cosine"].values(RATE)
    assert cases.deviation(torch_path(translation, rates), cases.path(transform, *cases.feed("float64"))) <= 1e-11


@pytest.mark.parametrize("name", OPTAX)
def test_optax_goes_the_same_way(name):
    transform, constructor = OPTAX[name]
    translation = translate(transform, to="optax")
    assert translation.constructor == f"optax.{constructor}"
    ours = cases.path(transform, *cases.feed("float64"))
    with peer():
        theirs = cases.path(getattr(optax, constructor)(**translation.keywords), *cases.feed("float64"))
    assert cases.deviation(theirs, ours) <= 1e-11


def test_keras_has_its_own_names():
    translation = translate(rules.chain(rms(0.9, 1e-3), rate_of(0.1), trace(0.8)), to="keras")
    assert str(translation) == (
        "keras.optimizers.RMSprop(learning_rate=0.1, rho=0.9, epsilon=0.001, momentum=0.8, centered=False)"
    )


def test_a_call_prints_as_one_types_it():
    assert str(translate(TORCH["adamw"][0], to="torch")) == (
        "torch.optim.AdamW(params, lr=0.02, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.3)"
    )


def test_equality_that_needs_a_constant_rate_is_remarked():
    translation = translate(TORCH["rate inside, constant"][0], to="torch")
    assert translation.remarks == ("Equal while the rate is constant: torch multiplies the velocity by it.",)


# --- refusals ---------------------------------------------------------------------------------------------------------

FALLING = schedules.cosine(RATE, 9)


@pytest.mark.parametrize(
    ("transform", "to", "reason"),
    [
        (optax.adam(0.1), "torch", "opaque"),
        (rules.chain(optax.identity(), trace(0.9), rate_of(0.1)), "torch", "opaque"),
        (rules.chain(trace(0.9)), "torch", "no learning rate"),
        (rules.chain(rate_of(FALLING), trace(0.9)), "torch", "inside the velocity"),
        (chain(trace(0.9), rate=FALLING), "keras", "inside"),
        (chain(adam()), "keras", "uncorrected root"),
        (chain(rms()), "torch", "adds ε to the root"),
        (chain(adam(bias_correction=False)), "torch", "always corrects"),
        (chain(adam(nesterov=True)), "torch", "schedules β₁"),
        (chain(rms(eps_in_sqrt=False, initial_scale=1.0)), "torch", "starts its mean square at 0"),
        (rules.chain(trace(0.9), rate_of(0.1), decay(0.1)), "torch", "after the rate"),
        (rules.chain(adam(), decay(0.1), rate_of(0.1), trace(0.9)), "torch", "passes through the velocity"),
        (chain(ruled("clip")(1.0), adam()), "torch", "clip has no counterpart"),
        (chain(adam(), decay(0.1, mask={"bias": False})), "torch", "mask"),
        (chain(penalty(0.1), adam()), "optax", "chain"),
    ],
)
def test_what_has_no_counterpart_is_refused_with_the_reason(transform, to, reason):
    translation = translate(transform, to=to)
    assert translation.constructor is None
    assert not translation.exact
    assert reason in translation.remarks[0]
    assert f"nothing in {to}" in str(translation)


def test_an_argument_of_unknown_meaning_is_refused_away_from_its_default():
    @rules.equation("")
    def scale_by_adam(
        b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0, mu_dtype=None, nesterov=False, bias_correction=True, amsgrad=False
    ):
        return transforms.scale_by_adam(b1, b2, eps, eps_root, mu_dtype, nesterov=nesterov)

    assert translate(chain(scale_by_adam()), to="torch").exact
    assert "amsgrad=True" in translate(chain(scale_by_adam(amsgrad=True)), to="torch").remarks[0]


def test_unknown_framework():
    with pytest.raises(ValueError, match="unknown framework 'caffe'; known are: torch, keras, optax"):
        translate(jaxdl.sgd(0.1), to="caffe")
