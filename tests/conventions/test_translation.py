"""A translation is run: its constructor, called in the other framework, goes the same way."""

import inspect
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxdl
from benchmarks import frameworks
from jaxdl import conventions, rules, schedules, transforms
from jaxdl.conventions import binding, meaning
from jaxdl.conventions.translation import FRAMEWORKS, translate
from tests import cases
from tests.conftest import peer

RATE = cases.SIZE_OF_RATE
HOMES = {"torch": "torch.optim", "keras": "keras.optimizers", "optax": "optax"}
"""Frameworks whose calls can be made, and the module that must be there."""


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
    "nesterov, penalty": (chain(penalty(0.3), trace(0.9, True)), "SGD"),
    "rate inside, constant": (rules.chain(rate_of(RATE), trace(0.9)), "SGD"),
    "rmsprop, all": (chain(penalty(0.1), rms(0.9, 1e-3, eps_in_sqrt=False), trace(0.8)), "RMSprop"),
    "centred rmsprop": (chain(stddev(0.9, 0.1, eps_in_sqrt=False)), "RMSprop"),
    "adam, coupled": (chain(penalty(0.3), adam()), "Adam"),
    "adamw": (chain(adam(), decay(0.3)), "AdamW"),
}
OPTAX = {
    "nesterov": (chain(trace(0.9, True)), "sgd"),
    "rmsprop, momentum": (rules.chain(rms(0.8, 0.1, 0.5), rate_of(RATE), trace(0.9)), "rmsprop"),
    "nadam": (chain(adam(0.8, nesterov=True)), "nadam"),
    "adamw": (chain(adam(eps_root=0.1), decay(0.3)), "adamw"),
}


def printed(translation, **names):
    """The call that a translation prints, made: ``make(parameters)``."""
    call = str(translation).splitlines()[0]
    assert not call.startswith("#"), translation

    def make(parameters):
        return eval(call, {"params": parameters, **{name: sys.modules.get(name) for name in HOMES}, **names})

    return make


def torch_path(translation):
    pytest.importorskip("torch.optim")
    return frameworks.followed("torch", printed(translation), *cases.feed("float64"))


@pytest.mark.parametrize("name", TORCH)
def test_torch_goes_the_same_way(name):
    transform, constructor = TORCH[name]
    translation = translate(transform, to="torch")
    assert translation.constructor == f"torch.optim.{constructor}"
    ours = cases.path(transform, *cases.feed("float64"))
    assert cases.deviation(torch_path(translation), ours) <= 1e-11


@pytest.mark.parametrize("name", OPTAX)
def test_optax_goes_the_same_way(name):
    transform, constructor = OPTAX[name]
    translation = translate(transform, to="optax")
    assert translation.constructor == f"optax.{constructor}"
    ours = cases.path(transform, *cases.feed("float64"))
    with peer():
        theirs = cases.path(printed(translation)(None), *cases.feed("float64"))
    assert cases.deviation(theirs, ours) <= 1e-11


def test_keras_has_its_own_names():
    translation = translate(rules.chain(rms(0.9, 1e-3), rate_of(0.1), trace(0.8)), to="keras")
    assert str(translation) == ("keras.optimizers.RMSprop(learning_rate=0.1, rho=0.9, momentum=0.8, epsilon=0.001)")


def test_a_call_prints_as_one_types_it():
    assert str(translate(TORCH["adamw"][0], to="torch")) == (
        "torch.optim.AdamW(params, lr=0.02, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.3)"
    )


def test_equality_that_needs_a_constant_rate_is_remarked():
    translation = translate(TORCH["rate inside, constant"][0], to="torch")
    assert translation.remarks == (
        "Equal while the rate is constant: the rate stands on the other side of the velocity there.",
    )


def test_traced_values_are_typed_by_name():
    printed_calls = []

    @jax.jit
    def traced(rate, b2):
        printed_calls.append(str(translate(jaxdl.adam(rate, b2=b2), to="torch")))
        return rate

    traced(0.1, 0.99)
    assert printed_calls == ["torch.optim.Adam(params, lr=lr, betas=(0.9, betas[1]), eps=1e-08)"]


def test_a_factory_is_no_transformation():
    with pytest.raises(TypeError, match=r"expected a transformation, such as jaxdl\.adam\(0\.1\), got adam"):
        translate(jaxdl.adam, to="torch")


# --- refusals ---------------------------------------------------------------------------------------------------------

FALLING = schedules.cosine(RATE, 9)


@pytest.mark.parametrize(
    ("transform", "to", "reason"),
    [
        (optax.adam(0.1), "torch", "opaque"),
        (rules.chain(optax.identity(), trace(0.9), rate_of(0.1)), "torch", "opaque"),
        (rules.chain(trace(0.9)), "torch", "no learning rate"),
        (jaxdl.grouped(jaxdl.sgd(0.1), jaxdl.Group("*")), "torch", "groups of parameters"),
        (
            rules.chain(rms(), rate_of(0.1), trace(0.9)),
            "torch",
            "the rate, which matters where it changes, is inside the velocity",
        ),
        (rules.chain(rate_of(FALLING), trace(0.9)), "torch", "inside the velocity"),
        (chain(trace(0.9), rate=FALLING), "keras", "inside"),
        (chain(adam()), "keras", "keras.optimizers.Adam: scale_by_adam there has divide=hat, here outside."),
        (chain(rms()), "torch", "torch.optim.RMSprop: scale_by_rms there has eps_in_sqrt=False, here True."),
        (chain(adam(bias_correction=False)), "torch", "bias_correction_mu=True, here False."),
        (chain(adam(nesterov=True)), "torch", "torch.optim.Adam: scale_by_adam there has nesterov=False, here True."),
        (chain(rms(eps_in_sqrt=False, initial_scale=1.0)), "torch", "initial_scale=0.0, here 1.0."),
        (rules.chain(trace(0.9), rate_of(0.1), decay(0.1)), "torch", "add_decayed_weights"),
        (rules.chain(adam(), decay(0.1), rate_of(0.1), trace(0.9)), "torch", "velocity after the rate has no counter"),
        (chain(ruled("clip")(1.0), adam()), "torch", "Adam: clip before scale_by_adam has no counterpart there."),
        (chain(adam(), decay(0.1, mask={"bias": False})), "torch", "has mask=None, here {'bias': False}."),
        (chain(adam(), decay(FALLING)), "torch", "weight_decay of add_decayed_weights is a schedule, and there it is"),
        (chain(rms(eps_in_sqrt=False), decay(0.1)), "torch", "there the order is add_decayed_weights, scale_by_rms"),
        (chain(penalty(0.1), adam()), "optax", "optax.adamw: there the order is scale_by_adam, add_decayed_weights"),
        (jaxdl.radam(0.1), "torch", "torch.optim.RAdam: scale_by_radam there has reaches=greater, here greater_equal"),
        (jaxdl.amsgrad(0.1), "torch", "scale_by_amsgrad there has maximum=of_raw, here of_corrected."),
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
    with pytest.raises(ValueError, match="unknown framework 'caffe'; known are: torch, keras, optax, tensorflow1"):
        translate(jaxdl.sgd(0.1), to="caffe")


# --- every convention, there and back ---------------------------------------------------------------------------------

NAMES = {
    framework: [
        name
        for name, value in vars(entry.module).items()
        if getattr(value, "__module__", "") == entry.module.__name__ and not name.startswith("_")
    ]
    for framework, entry in FRAMEWORKS.items()
}
ALL = [(framework, name) for framework, names in NAMES.items() for name in names]
STRUCTURED = ("mu_dtype", "accumulator_dtype", "mask", "weight_decay_mask", "lr_decay")


def drawn(parameter, rng):
    """A random setting of one argument, or nothing: then it stays at its default."""
    default = parameter.default
    if parameter.name in ("lr", "learning_rate"):
        return RATE
    if parameter.name in STRUCTURED:
        return None
    if isinstance(default, bool):
        return bool(rng.integers(2))
    if isinstance(default, tuple):
        return tuple(rng.uniform(0.5, 0.95, len(default)).tolist())
    if binding.absent(default) and rng.integers(2):
        return None
    return float(rng.uniform(4, 6) if parameter.name == "threshold" else rng.uniform(0.1, 0.9))


def settings(factory, rng):
    """Keywords that the constructor takes."""
    while True:
        values = {p.name: drawn(p, rng) for p in inspect.signature(factory).parameters.values()}
        keywords = {name: value for name, value in values.items() if value is not None}
        try:
            return keywords, factory(**keywords)
        except ValueError:
            continue


@pytest.mark.parametrize(("framework", "name"), ALL)
def test_every_constructor_comes_back(framework, name):
    entry, rng = FRAMEWORKS[framework], np.random.default_rng(3)
    for _ in range(12):
        keywords, transform = settings(getattr(entry.module, name), rng)
        translation = translate(transform, to=framework)
        assert translation.exact, keywords
        assert not translation.remarks
        back = getattr(entry.module, translation.constructor.rpartition(".")[2])
        if back.__name__ == name:
            effective = {n: value for n, value in translation.keywords.items() if keywords.get(n) != value}
            assert effective.items() <= {(n, p.default) for n, p in inspect.signature(back).parameters.items()}
        assert meaning.alike(*(meaning.form_of(rules.rule_of(t)) for t in (transform, back(**translation.keywords))))


# --- what is printed, run ---------------------------------------------------------------------------------------------

QUICK = {("optax", "lion", "decaying"), ("optax", "nadamw", "constant")}
RUN = [
    pytest.param(framework, name, rate, marks=[pytest.mark.slow] * ((framework, name, rate) not in QUICK))
    for framework, name in ALL
    for rate in ("constant", "decaying")
    if framework in HOMES
]


def as_remarked(framework, translation, schedule):
    """The printed call, with what its remark says of a schedule done."""
    if framework == "keras":
        rate = sys.modules["keras"].optimizers.schedules.LearningRateSchedule
        of_keras = type("OfKeras", (rate,), {"__call__": lambda self, step: schedule(jnp.asarray(step))})
        return printed(translation, schedule=of_keras())
    if framework == "optax":
        return printed(translation, schedule=schedule)

    def with_scheduler(parameters):
        optimizer = printed(translation)(parameters)
        scheduler = sys.modules["torch"].optim.lr_scheduler.LambdaLR(optimizer, lambda count: float(schedule(count)))
        optimizer.register_step_post_hook(lambda *_: scheduler.step())
        return optimizer

    return with_scheduler


@pytest.mark.parametrize(("framework", "name", "rate"), RUN)
def test_every_printed_call_is_run_in_its_framework(framework, name, rate):
    pytest.importorskip(HOMES[framework])
    feed = frameworks.feed()
    rates = feed.rates[rate]
    schedule = lambda count: jnp.asarray(rates)[count]  # noqa: E731
    factory = getattr(FRAMEWORKS[framework].module, name)
    keywords, _ = settings(factory, np.random.default_rng(5))
    of_rate = next(n for n in inspect.signature(factory).parameters if n in ("lr", "learning_rate"))
    transform = factory(**keywords | {of_rate: float(rates[0]) if rate == "constant" else schedule})
    translation = translate(transform, to=framework)
    make = printed(translation) if rate == "constant" else as_remarked(framework, translation, schedule)
    theirs = frameworks.followed(framework, make, feed.theta, feed.gradients)
    assert frameworks.difference(frameworks.jax_path(transform, feed.theta, feed.gradients), theirs) <= 1e-11


# --- from one framework into another, and under a condition -----------------------------------------------------------


@pytest.mark.parametrize(
    ("transform", "to", "call"),
    [
        (
            conventions.keras.Lion(0.1),
            "optax",
            "optax.lion(learning_rate=0.1, b1=0.9, b2=0.99, weight_decay=0.0)",
        ),
        (
            conventions.torch.RMSprop(0.1, eps=0),
            "keras",
            "keras.optimizers.RMSprop(learning_rate=0.1, rho=0.99, epsilon=0)",
        ),
        (
            conventions.torch.Adadelta(),
            "tensorflow1",
            "tf.compat.v1.train.AdadeltaOptimizer(learning_rate=1.0, rho=0.9, epsilon=1e-06)",
        ),
        (
            conventions.keras.Nadam(0.1),
            "torch",
            "torch.optim.NAdam(params, lr=0.1, betas=(0.9, 0.999), eps=1e-07, momentum_decay=1.0)",
        ),
        (
            jaxdl.sgd(FALLING),
            "torch",
            "torch.optim.SGD(params, lr=1.0)\n"
            "# lr: LambdaLR(optimizer, schedule) with lr=1.0, stepped after every update.",
        ),
        (
            jaxdl.sgd(lambda count: 0.1 / (1 + count)),
            "keras",
            "keras.optimizers.SGD(learning_rate=schedule)\n"
            "# learning_rate: a LearningRateSchedule whose __call__(step) returns schedule(jnp.asarray(step)).",
        ),
    ],
)
def test_one_frameworks_optimizer_in_another(transform, to, call):
    assert str(translate(transform, to=to)) == call


def test_masks_and_dtypes_are_said_where_they_can_be():
    mask = {"bias": False, "dense": True}
    keywords = translate(jaxdl.adamw(0.1, mask=mask, mu_dtype="float32"), to="optax").keywords
    assert keywords["mask"] is mask
    assert keywords["mu_dtype"] == "float32"


@pytest.mark.parametrize(
    ("lecture", "remark"),
    [
        (lambda rate: conventions.lecture.sgd_with_weight_decay(rate, 0.01), "there, decay is times the rate."),
        (conventions.lecture.rmsprop, "divides 0 by 0."),
    ],
)
def test_what_is_equal_under_a_condition_is_run_and_remarked(lecture, remark):
    translation = translate(lecture(RATE), to="torch")
    assert translation.remarks[0].endswith(remark)
    ours = cases.path(lecture(RATE), *cases.feed("float64"))
    assert cases.deviation(torch_path(translation), ours) <= 1e-11


def test_fixed_decay_beside_a_falling_rate_is_refused():
    assert not translate(conventions.lecture.sgd_with_weight_decay(FALLING, 0.01), to="torch").exact
