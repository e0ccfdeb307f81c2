"""The table of what the update rules compute, and the few functions that run and judge it.

One row drives the comparisons with the NumPy twin, with optax and with torch's conventions, and the mutants.
How a transformation behaves, whatever it computes, is the other table: ``tests/contracts.py``.
"""

import inspect
import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxdl import optimizers, schedules, transforms
from tests import oracles, oracles_adaptive

# --- one tree, as a vector and back ----------------------------------------------------------------------------------

SIZE = 15


def tree_of(vectors: Any) -> dict[str, Any]:
    """Splits ``(..., 15)`` into a bias of 3 and, one level down, a kernel of 4 × 3."""
    return {"bias": vectors[..., :3], "dense": {"kernel": vectors[..., 3:].reshape(*vectors.shape[:-1], 4, 3)}}


def vector_of(tree: dict[str, Any]) -> np.ndarray:
    """The inverse of :func:`tree_of`, in float64."""
    bias, kernel = (np.asarray(leaf, np.float64) for leaf in (tree["bias"], tree["dense"]["kernel"]))
    return np.concatenate([bias, kernel.reshape(*bias.shape[:-1], 12)], axis=-1)


ONLY_KERNEL = np.repeat([0.0, 1.0], [3, 12])
"""1 for the coordinates of the kernel."""

# --- a run -----------------------------------------------------------------------------------------------------------

STEPS = 60
COUNTS = np.arange(STEPS, dtype=float)


class Feed(NamedTuple):
    """A starting point of shape (15,) and gradients (60, 15), in one dtype."""

    theta: np.ndarray
    gradients: np.ndarray


def feed(dtype: str) -> Feed:
    """Gradients of random sign whose magnitudes are log-uniform over four decades: a sequence, not a loss's slope."""
    rng = np.random.default_rng(7)
    magnitude = 10.0 ** rng.uniform(-3, 1, (STEPS, SIZE))
    gradients = magnitude * rng.choice([-1.0, 1.0], (STEPS, SIZE))
    return Feed(rng.normal(size=SIZE).astype(dtype), gradients.astype(dtype))


quick_jit = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
"""For programs that run for a millisecond: compiling is most of this suite's time."""


def path(transform: optax.GradientTransformation, theta: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Every point that ``transform`` visits, shape (T, 15), by one compiled step."""

    @quick_jit
    def step(params: Any, state: Any, gradient: Any) -> Any:
        updates, state = transform.update(tree_of(gradient), state, params)
        return optax.apply_updates(params, updates), state

    params, points = tree_of(jnp.asarray(theta)), []
    state = transform.init(params)
    for gradient in gradients:
        params, state = step(params, state, gradient)
        points.append(vector_of(params))
    return np.array(points)


def deviation(actual: np.ndarray, expected: np.ndarray) -> float:
    """Largest |actual − expected| relative to max(1, |expected|); infinite where anything is not finite."""
    if not (np.isfinite(actual).all() and np.isfinite(expected).all()):
        return np.inf
    return float(np.max(np.abs(actual - expected) / np.maximum(1, np.abs(expected))))


TOLERANCE: Mapping[str, float] = MappingProxyType({"float64": 1e-12, "float32": 1e-5})


# --- learning rates --------------------------------------------------------------------------------------------------


class Rate(NamedTuple):
    """One learning rate three times: for us, for optax, and as the 60 numbers it is. All start from a size."""

    ours: Callable[[float], Any]
    peer: Callable[[float], Any]
    values: Callable[[float], np.ndarray]


RATES = {
    "constant": Rate(lambda size: size, lambda size: size, partial(oracles.constant, COUNTS)),
    "cosine": Rate(
        lambda size: schedules.cosine(size, STEPS),
        lambda size: optax.cosine_decay_schedule(size, STEPS),
        lambda size: oracles.cosine(COUNTS, size, STEPS),
    ),
}

# --- what the rules compute ------------------------------------------------------------------------------------------


class Trajectory(NamedTuple):
    """One configured rule.

    Attributes:
      name: What it is, for people.
      ours: Makes our transformation from a rate (a float or a schedule).
      twin: ``twin(theta, gradients, rates, **hyper)``, the oracle's path.
      hyper: The oracle's hyper-parameters.
      peer: Makes optax's transformation from a rate; None where optax has no such rule.
      peer_tolerance: How far optax may lie from the twin.
    """

    name: str
    ours: Callable[[Any], optax.GradientTransformation]
    twin: Callable[..., np.ndarray]
    hyper: Mapping[str, Any] = MappingProxyType({})
    peer: Callable[[Any], optax.GradientTransformation] | None = None
    peer_tolerance: Mapping[str, float] = TOLERANCE


SIZE_OF_RATE = 0.02


def expected(case: Trajectory, rate: str, dtype: str) -> np.ndarray:
    """The twin's path in float64, from the numbers that a run in ``dtype`` is given: each is rounded to it first."""

    def rounded(value: Any) -> Any:
        return value if value is None or isinstance(value, bool | str) else np.asarray(value, dtype).astype(np.float64)

    theta, gradients = (rounded(x) for x in feed(dtype))
    parameters = inspect.signature(case.twin).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    hyper = {name: rounded(value) for name, value in (defaults | dict(case.hyper)).items()}
    return case.twin(theta, gradients, rounded(RATES[rate].values(SIZE_OF_RATE)), **hyper)


def actual(case: Trajectory, rate: str, dtype: str) -> np.ndarray:
    """Our path."""
    return path(case.ours(RATES[rate].ours(SIZE_OF_RATE)), *feed(dtype))


def accepts(case: Trajectory, rate: str = "cosine", dtype: str = "float64") -> bool:
    """The verdict of the trajectory tests: whether our path is the twin's."""
    return deviation(actual(case, rate, dtype), expected(case, rate, dtype)) <= TOLERANCE[dtype]


def ours(rule: str, **keywords: Any) -> Callable[[Any], optax.GradientTransformation]:
    # Looked up at the call, so that a mutant put in the rule's place is what runs.
    return lambda rate: getattr(optimizers, rule)(rate, **{name: current(value) for name, value in keywords.items()})


def current(value: Any) -> Any:
    """A formula of ``jaxdl.transforms`` as it stands in its module now, mutated or not; anything else as it is."""
    home = getattr(value, "__module__", None) or ""
    is_formula = callable(value) and home.startswith("jaxdl.transforms.") and "<locals>" not in value.__qualname__
    return getattr(sys.modules[home], value.__name__) if is_formula else value


def peer(rule: str, **keywords: Any) -> Callable[[Any], optax.GradientTransformation]:
    return lambda rate: getattr(optax, rule)(rate, **keywords)


def shared(name: str, rule: str, **keywords: Any) -> Trajectory:
    """A rule that we, the twin and optax call by one name with the same keywords."""
    twin = getattr(oracles, rule, None) or getattr(oracles_adaptive, rule)
    return Trajectory(name, ours(rule, **keywords), twin, keywords, peer(rule, **keywords))


def adamw(name: str, decay: Any = 0.3, **keywords: Any) -> Trajectory:
    """``decay`` is the twin's λ: by coordinate where a mask chooses, by step where it is scheduled."""
    keywords = {"weight_decay": 0.3, **keywords}
    hyper = {k: v for k, v in keywords.items() if k != "mask"} | {"weight_decay": decay}
    return Trajectory(name, ours("adamw", **keywords), oracles.adam, hyper, peer("adamw", **keywords))


def _kernel_only(params: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)


MOMENTUM = {"momentum": 0.9}
INSIDE = {"momentum": 0.9, "learning_rate_in_velocity": True}
OUTSIDE = {"momentum": 0.9, "learning_rate_in_velocity": False}
CENTRED = {"centered": True, "eps": 1e-4}

TRAJECTORIES = (
    shared("sgd", "sgd"),
    shared("heavy ball", "sgd", **MOMENTUM),
    shared("nesterov", "sgd", **MOMENTUM, nesterov=True),
    Trajectory("momentum by its name", ours("momentum"), oracles.sgd, MOMENTUM, peer("sgd", **MOMENTUM)),
    Trajectory(
        "nesterov by its name",
        ours("nesterov", momentum=0.8),
        oracles.sgd,
        {"momentum": 0.8, "nesterov": True},
        peer("sgd", momentum=0.8, nesterov=True),
    ),
    Trajectory(
        "heavy ball, rate inside",
        ours("sgd", **INSIDE),
        oracles.sgd,
        INSIDE,
        lambda rate: optax.chain(optax.scale_by_learning_rate(rate), optax.trace(0.9)),
    ),
    Trajectory(
        "nesterov, rate inside",
        ours("nesterov", **INSIDE),
        oracles.sgd,
        {**INSIDE, "nesterov": True},
        lambda rate: optax.chain(optax.scale_by_learning_rate(rate), optax.trace(0.9, nesterov=True)),
    ),
    shared("rmsprop", "rmsprop"),
    shared("rmsprop, large eps inside", "rmsprop", eps=0.3),
    shared("rmsprop, large eps outside", "rmsprop", eps=0.3, eps_in_sqrt=False),
    shared("rmsprop, defaults of torch", "rmsprop", decay=0.99, eps_in_sqrt=False),
    shared("rmsprop, defaults of tensorflow 1", "rmsprop", initial_scale=1.0, eps=1e-10),
    shared("rmsprop, bias correction", "rmsprop", bias_correction=True),
    shared("rmsprop, momentum", "rmsprop", **MOMENTUM),
    shared("rmsprop, nesterov", "rmsprop", **MOMENTUM, nesterov=True),
    Trajectory(
        "rmsprop, momentum, rate outside",
        ours("rmsprop", **OUTSIDE),
        oracles.rmsprop,
        OUTSIDE,
        lambda rate: optax.chain(optax.scale_by_rms(), optax.trace(0.9), optax.scale_by_learning_rate(rate)),
    ),
    shared("centred rmsprop", "rmsprop", **CENTRED),
    shared("centred rmsprop, eps outside", "rmsprop", **CENTRED, eps_in_sqrt=False),
    shared("centred rmsprop, initial scale", "rmsprop", **CENTRED, initial_scale=1.0),
    shared("centred rmsprop, momentum", "rmsprop", **CENTRED, **MOMENTUM),
    # At its first step optax's ν − μ² is g² − g²: rounding noise of size u·g², which ε = 1e-4 does not drown where
    # g is 10. Its distance from the two-pass variance is ½ u g²/ε relative to a step of g/√ε.
    shared("centred rmsprop, bias correction", "rmsprop", **CENTRED, bias_correction=True)._replace(
        peer_tolerance={"float64": 1e-9, "float32": 0.3}
    ),
    # The first gradient replaces the start; optax divides its remainder by 1 − αᵗ and starts far too slow.
    shared(
        "centred rmsprop, bias correction, start", "rmsprop", **CENTRED, bias_correction=True, initial_scale=1.0
    )._replace(peer=None),
    shared("adam", "adam"),
    shared("adam, large eps", "adam", eps=0.3),
    shared("adam, eps inside too", "adam", eps_root=1e-2),
    shared("adam, other betas", "adam", b1=0.5, b2=0.9),
    shared("nadam", "adam", nesterov=True),
    shared("adam, no bias correction", "adam", bias_correction=False)._replace(peer=None),
    shared("nadam, no bias correction", "adam", bias_correction=False, nesterov=True)._replace(peer=None),
    adamw("adamw"),
    adamw("adamw, large eps", eps=0.3),
    adamw("nadamw", nesterov=True),
    adamw("adamw, prefix mask", 0.3 * ONLY_KERNEL, mask={"bias": False, "dense": True}),
    adamw("adamw, callable mask", 0.3 * ONLY_KERNEL, mask=_kernel_only),
    adamw(
        "adamw, scheduled decay",
        oracles.linear(COUNTS, 1.0, 0.0, 40)[:, None],
        weight_decay=schedules.linear(1.0, 0.0, 40),
    ),
    Trajectory(
        "adam, coupled l2",
        lambda rate: optax.chain(transforms.add_l2_gradient(0.3), optimizers.adam(rate)),
        oracles.adam,
        {"l2": 0.3},
        lambda rate: optax.chain(optax.add_decayed_weights(0.3), optax.adam(rate)),
    ),
    Trajectory(
        "sgd, decayed",
        lambda rate: optax.chain(transforms.add_decayed_weights(0.3), optimizers.sgd(rate)),
        oracles.decayed_sgd,
        {"weight_decay": 0.3},
        lambda rate: optax.chain(optax.add_decayed_weights(0.3), optax.sgd(rate)),
    ),
    Trajectory(
        "sgd, clipped",
        lambda rate: optax.chain(transforms.clip(0.1), optimizers.sgd(rate)),
        oracles.clipped_sgd,
        {"max_delta": 0.1},
        lambda rate: optax.chain(optax.clip(0.1), optax.sgd(rate)),
    ),
    Trajectory(
        "sgd, clipped by global norm",  # at 8, which lies among the norms of the feed
        lambda rate: optax.chain(transforms.clip_by_global_norm(8.0), optimizers.sgd(rate)),
        oracles.norm_clipped_sgd,
        {"max_norm": 8.0},
        lambda rate: optax.chain(optax.clip_by_global_norm(8.0), optax.sgd(rate)),
    ),
)
