"""More rows of the table in ``tests/cases.py``: the kin of Adam, sums of squares, signs, and every convention.

Their paths under a constant rate, and in torch, Keras and optax, are in ``tests/golden``.
"""

from collections.abc import Callable, Mapping
from typing import Any

import optax

from jaxdl import optimizers, transforms
from jaxdl.transforms import adamax, amsgrad, denominators, momentum, shrink
from tests import oracles, oracles_adaptive
from tests.cases import SIZE_OF_RATE, TRAJECTORIES, Trajectory, current, ours, peer, shared


def own(name: str, rule: str, hyper: Mapping[str, Any], **keywords: Any) -> Trajectory:
    """A convention that optax does not have: the twin's words for it are ``hyper``."""
    return Trajectory(name, ours(rule, **keywords), shared(name, rule).twin, hyper)


def shrunk(form: Callable[..., Any], decay: float, **peak: float) -> Trajectory:
    """Momentum with the rate inside, and one convention of decay after it."""
    name = form.__name__.replace("_", " ")

    def decayed(rate: Any) -> optax.GradientTransformation:
        of_schedule = peak if callable(rate) else {}
        descent = optimizers.momentum(rate, learning_rate_in_velocity=True)
        return optax.chain(descent, transforms.shrink_weights(decay, rate, by=current(form), **of_schedule))

    hyper = {"weight_decay": decay, "form": name, "momentum": 0.9}
    return Trajectory(f"decay, {name}", decayed, oracles_adaptive.shrunk, hyper)


AS_IN_TORCH = {"initial_accumulator_value": 0.0, "eps": 1e-10, "eps_in_sqrt": False}
CLAMPED = {"decay": 0.99, "eps": 0.3, "division": "clamped"}
KERAS_AMSGRAD = {"eps": 0.3, "maximum": "of raw", "division": "hat"}

ADAPTIVE = (
    *(
        Trajectory(
            f"dampened: {name}",
            ours("sgd", momentum=0.9, dampening=0.4, **keywords),
            oracles.dampened_sgd,
            {"momentum": 0.9, "dampening": 0.4, **hyper},
        )
        for name, keywords, hyper in (
            ("an average", {}, {}),
            ("but not at first", {"dampen_first": False}, {"dampen_first": False}),
            ("nesterov of muon", {"nesterov": True, "look_ahead": momentum.damped}, {"nesterov": "damped"}),
            ("nesterov of the gradient", {"nesterov": True}, {"nesterov": "undamped"}),
        )
    ),
    shared("adagrad", "adagrad"),
    shared("adagrad, large eps", "adagrad", eps=0.3, initial_accumulator_value=0.5),
    own("adagrad, eps outside", "adagrad", AS_IN_TORCH, **AS_IN_TORCH),
    shared("adadelta", "adadelta", eps=1e-2),
    shared("adadelta, coupled l2", "adadelta", rho=0.95, eps=1e-2, weight_decay=0.3),
    own("rmsprop, clamped", "rmsprop", CLAMPED, decay=0.99, eps=0.3, divide=denominators.clamped),
    shared("amsgrad", "amsgrad"),
    shared("amsgrad of the paper", "amsgrad", bias_correction_mu=False, bias_correction_nu=False),
    shared("amsgrad, eps inside too", "amsgrad", eps_root=0.1, b2=0.9),
    own("amsgrad of raw squares", "amsgrad", {"maximum": "of raw"}, maximum=amsgrad.of_raw),
    own("amsgrad of keras", "amsgrad", KERAS_AMSGRAD, eps=0.3, maximum=amsgrad.of_raw, divide=denominators.hat),
    shared("adamax", "adamax"),
    shared("adamax, large eps", "adamax", eps=0.3, b2=0.9),
    own(
        "adamax, eps beside the maximum",
        "adamax",
        {"eps": 0.3, "b2": 0.9, "eps_in_maximum": False},
        eps=0.3,
        b2=0.9,
        norm=adamax.eps_beside_maximum,
    ),
    shared("adamaxw", "adamax", weight_decay=0.3)._replace(
        ours=ours("adamaxw", weight_decay=0.3), peer=peer("adamaxw", weight_decay=0.3)
    ),
    own("nadam, rising momentum", "nadam", {"momentum_decay": 0.004}, momentum_decay=0.004),
    own("nadam of keras", "nadam", {"momentum_decay": 1.0, "eps": 0.3}, momentum_decay=1.0, eps=0.3),
    own("nadamw, rising momentum", "nadam", {"weight_decay": 0.3}, weight_decay=0.3)._replace(
        ours=ours("nadamw", weight_decay=0.3, momentum_decay=0.004)
    ),
    shared("radam", "radam"),
    shared("radam, other floats", "radam", b1=0.8, b2=0.9, eps=0.3, eps_root=0.1, threshold=4.5, nesterov=True),
    own("radam of torch", "radam", {"eps": 0.3, "division": "hat"}, eps=0.3, divide=denominators.hat),
    shared("sign_sgd", "sign_sgd"),
    shared("signum", "signum", beta=0.8),
    shared("lion", "lion", weight_decay=0.3),
    *(
        shrunk(form, decay, **peak)
        for form, decay, peak in (
            (shrink.times_rate, 0.3, {}),
            (shrink.times_schedule, 0.01, {"peak_rate": SIZE_OF_RATE}),
            (shrink.fixed, 0.01, {}),
            (shrink.corrected, 0.5, {"peak_rate": SIZE_OF_RATE}),
            (shrink.palm, 20.0, {}),
            (shrink.proximal, 0.5, {}),
        )
    ),
    own("adam, hat", "adam", {"eps": 0.3, "division": "hat"}, eps=0.3, divide=denominators.hat),
    own("adam, clamped", "adam", {"eps": 3.0, "division": "clamped"}, eps=3.0, divide=denominators.clamped),
    own("adam, only the mean corrected", "adam", {"correct_only": "mu"}, bias_correction_nu=False),
    own("adam, only the square corrected", "adam", {"correct_only": "nu"}, bias_correction_mu=False),
)

TRAJECTORY = {case.name: case for case in (*TRAJECTORIES, *ADAPTIVE)}
