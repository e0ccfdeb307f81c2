"""Slides 15–18: what makes optimisation hard, and the methods for it."""

import inspect
from collections.abc import Callable, Iterable

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

import jaxdl
from experiments.lecture import demo, fitting, protocol, surfaces
from experiments.lecture.data import TRAINING
from experiments.lecture.laboratory import Laboratory
from experiments.lecture.registry import Claim, above, ascending, below, holds, near, row
from jaxdl import second_order


def _spd(size: int, condition: float) -> tuple[jax.Array, jax.Array]:
    """A symmetric positive definite matrix with eigenvalues 1 … condition, and a vector."""
    rng = np.random.default_rng(size)
    q = np.linalg.qr(rng.standard_normal((size, size)))[0]
    return jnp.asarray(q * np.geomspace(1, condition, size) @ q.T), jnp.asarray(rng.standard_normal(size))


def _quadratic(a: jax.Array, b: jax.Array) -> Callable[[jax.Array], jax.Array]:
    return lambda x: 0.5 * x @ a @ x - b @ x


def rosenbrock(x: jax.Array) -> jax.Array:
    """100 (x₂ − x₁²)² + (1 − x₁)²."""
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def saddle(x: jax.Array) -> jax.Array:
    """x² − y²."""
    return x[0] ** 2 - x[1] ** 2


@row("C27", "15", "A network is a function of its parameters", "Training is optimisation over weights and biases")
def flat_view(lab: Laboratory) -> Iterable[Claim]:
    params, batch = protocol.init(jax.random.key(0)), protocol.arrays(TRAINING)
    theta, unravel = ravel_pytree(params)
    yield near("P of 2-32-1: 2·32 + 32 + 32 + 1", theta.size, 129, 0)
    gradient = jax.grad(lambda t: protocol.loss(unravel(t), batch))(theta)
    moved = [protocol.loss(unravel(theta + s * 1e-6 * gradient), batch) for s in (1, -1)]
    slope = float(moved[0] - moved[1]) / 2e-6
    yield near("dL along ∇L(θ) over ‖∇L‖²", slope / float(gradient @ gradient), 1.0, 1e-6)


@row("C28", "15", "Saddle points", "Non-convex: local minima, saddle points, a global minimum", figures=("critical",))
def critical_points(lab: Laboratory) -> Iterable[Claim]:
    kinds = second_order.KINDS
    found = second_order.classify(saddle, jnp.zeros(2))
    yield holds("x² − y² at 0 is a saddle", kinds[int(found.kind)] == "saddle", kinds[int(found.kind)])
    points: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    starts = jnp.asarray([[-1.0, 0.1], [0.9, 0.1], [0.05, 0.02]])
    for point in second_order.critical_points(demo.FUNCTION.value, starts):
        points[kinds[int(point.kind)]].append((float(point.params[0]), float(point.params[1])))
    minima, saddles = np.array(sorted(points["minimum"])), np.array(points["saddle"])
    yield near("the demo's function: minima", len(minima), 2, 0)
    yield near("and saddles", len(saddles), 1, 0)
    expected = np.array([[-0.93630, 0], [0.90532, 0]])
    yield below("minima at (−0.9363, 0) and (0.9053, 0): distance", np.abs(minima - expected).max(), 1e-4)
    yield below("saddle at (0.0686, 0): distance", np.abs(saddles - [[0.0686, 0]]).max(), 1e-4)
    at = second_order.classify(demo.FUNCTION.value, jnp.asarray([0.06860243670809667, 0.0]))
    yield below("its eigenvalues −1.042, 2.361", np.abs(np.asarray(at.eigenvalues) - [-1.042, 2.361]).max(), 1e-3)


@row("C29", "15", "Local minima", "Which minimum a run reaches depends on where it starts", figures=("critical",))
def basins(lab: Laboratory) -> Iterable[Claim]:
    problem = jaxdl.problems.get("dupont", random_start=True, dtype=jnp.float64)
    run = jax.jit(jax.vmap(lambda key: jaxdl.train(problem, jaxdl.sgd(2e-2), key, 800)[0].params))
    ends = np.asarray(run(jax.random.split(jax.random.key(0), 50)))
    minima = np.array(demo.FUNCTION.minima)
    nearest = np.linalg.norm(ends[:, None] - minima, axis=2)
    counts = [int((nearest[:, i] < 1e-2).sum()) for i in range(2)]
    yield holds("of 50 starts some reach either minimum", min(counts) > 0, f"{counts[0]} global, {counts[1]} local")
    yield near("and all reach one of the two", sum(counts), 50, 0)


@row(
    "C30", "16", "Loss surfaces (Li et al. 2018)", "Chaotic without shortcuts, smooth with them", figures=("surfaces",)
)
def landscapes(lab: Laboratory) -> Iterable[Claim]:
    yield from surfaces.claims()


@row("C31", "17", "The task", "Find the parameters of smallest loss")
def one_interface(lab: Laboratory) -> Iterable[Claim]:
    a, b = _spd(3, 5.0)
    methods = {
        "gradient descent": second_order.gradient_descent(0.3),
        "Newton": second_order.newton(),
        "BFGS": second_order.bfgs(),
        "L-BFGS": second_order.lbfgs(),
        "conjugate gradient": second_order.conjugate_gradient(),
    }
    for name, method in methods.items():
        found = second_order.minimise(_quadratic(a, b), jnp.zeros(3), method=method, steps=300, tolerance=1e-9)
        error = float(jnp.abs(found.params - jnp.linalg.solve(a, b)).max())
        yield below(f"minimise(…, method={name}): distance to the minimum", error, 1e-7)


@row("C32", "17", "Gradient descent", "w ← w − η ∂L/∂w")
def gradient_descent(lab: Laboratory) -> Iterable[Claim]:
    curvatures, eta = jnp.array([1.0, 4.0]), 0.3
    found = second_order.minimise(
        lambda w: 0.5 * jnp.sum(curvatures * w**2),
        jnp.ones(2),
        method=second_order.gradient_descent(eta),
        steps=20,
        tolerance=0.0,
        record=True,
    )
    closed = (1 - eta * np.asarray(curvatures)) ** np.arange(21)[:, None]
    yield below("on a quadratic: the closed form (1 − ηλ)ᵗ", np.abs(np.asarray(found.path) - closed).max(), 1e-12)


@row("C33", "17", "Newton", "w ← w − η H⁻¹ ∂L/∂w (η is printed)")
def newton(lab: Laboratory) -> Iterable[Claim]:
    a, b = _spd(6, 100.0)
    solution = jnp.linalg.solve(a, b)

    def after(method: second_order.Method, steps: int) -> float:
        start = jnp.full(6, 10.0)
        found = second_order.minimise(_quadratic(a, b), start, method=method, steps=steps, tolerance=0.0)
        return float(jnp.abs(found.params - solution).max() / jnp.abs(start - solution).max())

    yield below("η = 1: distance left after one step on a quadratic", after(second_order.newton(), 1), 1e-12)
    yield near("η = ½ halves the distance", after(second_order.newton(0.5), 1), 0.5, 1e-10)
    to = second_order.minimise(saddle, jnp.array([0.7, -1.3]), method=second_order.newton(), steps=1, tolerance=0.0)
    yield below("on x² − y² it runs to the saddle", jnp.abs(to.params).max(), 1e-12)
    repaired = second_order.newton(modify=second_order.absolute(1e-3))
    away = second_order.minimise(saddle, jnp.array([0.7, -1.3]), method=repaired, steps=3, tolerance=0.0)
    yield above("|H| in place of H leaves it: |y|", jnp.abs(away.params[1]), 2.0)


@row("C34", "17", "Quasi-Newton", "A symmetric positive definite approximation of H⁻¹")
def quasi_newton(lab: Laboratory) -> Iterable[Claim]:
    yield from surfaces.secant(rosenbrock, jnp.array([-1.2, 1.0]))
    a, b = _spd(5, 50.0)
    for name, make in (("BFGS", second_order.bfgs), ("L-BFGS", second_order.lbfgs)):
        method = make(search=second_order.exact())
        found = second_order.minimise(_quadratic(a, b), jnp.ones(5), method=method, steps=6, tolerance=0.0)
        error = float(jnp.abs(found.params - jnp.linalg.solve(a, b)).max())
        yield below(f"{name}, exact search, 5 dimensions: distance after 6 steps", error, 1e-8)
        found = second_order.minimise(rosenbrock, jnp.array([-1.2, 1.0]), method=make(), steps=60, tolerance=1e-8)
        yield below(f"{name} on Rosenbrock: loss after at most 60 steps", found.value, 1e-12)


@row("C35", "17", "Conjugate gradient", "Conjugate directions avoid H⁻¹")
def conjugate_gradient(lab: Laboratory) -> Iterable[Claim]:
    a, b = _spd(8, 100.0)
    found = second_order.linear_conjugate_gradient(lambda v: a @ v, b, steps=8, record=True)
    yield below("8 dimensions, 8 steps: residual", jnp.abs(a @ found.x - b).max(), 1e-8)
    directions = np.asarray(found.directions)
    products = directions @ np.asarray(a) @ directions.T
    scale = np.sqrt(np.outer(np.diag(products), np.diag(products)))
    off = np.abs(products / scale - np.eye(len(products)))
    yield below("directions are H-conjugate: largest |dᵢᵀHdⱼ|/(‖dᵢ‖‖dⱼ‖) in the H-norm", off.max(), 1e-6)
    for name in ("fletcher_reeves", "polak_ribiere_plus"):
        method = second_order.conjugate_gradient(getattr(second_order, name))
        run = second_order.minimise(rosenbrock, jnp.array([-1.2, 1.0]), method=method, steps=400, tolerance=1e-6)
        yield below(f"{name} on Rosenbrock: loss after {int(run.steps)} steps", run.value, 1e-8)


@row("C36", "18", "Batch gradient descent", "All samples: stable, slow")
def batch(lab: Laboratory) -> Iterable[Claim]:
    params, data = protocol.init(jax.random.key(0)), protocol.arrays(TRAINING)
    whole, mean = jax.grad(protocol.loss)(params, data), _sample_gradients(params)
    yield below("its gradient is the mean of the samples'", np.abs(ravel_pytree(whole)[0] - mean.mean(0)).max(), 1e-14)
    _, curve = fitting.fit(lambda p: protocol.loss(p, data), params, jaxdl.sgd(0.05), 300)
    yield below("η = 0.05: largest rise of the loss in 300 steps", np.diff(curve).max(), 0.0)


def _sample_gradients(params: protocol.Params) -> np.ndarray:
    """The gradient of every sample, shape ``(13, P)``."""
    x, y = protocol.arrays(TRAINING)
    rows = jax.vmap(lambda x, y: jax.grad(protocol.loss)(params, (x[None], y[None])))(x, y)
    return np.concatenate([np.asarray(leaf).reshape(len(x), -1) for _, leaf in sorted(rows.items())], axis=1)


@row("C37", "18", "SGD, one sample at a time", "Unstable, oscillates; tends overall towards the optimum")
def one_sample(lab: Laboratory) -> Iterable[Claim]:
    from jaxdl.data import sampling

    params = protocol.init(jax.random.key(0))
    gradients, data = _sample_gradients(params), protocol.arrays(TRAINING)
    whole = np.asarray(ravel_pytree(jax.grad(protocol.loss)(params, data))[0])
    yield below(
        "unbiased: mean of the gradients of single samples − batch gradient",
        np.abs(gradients.mean(0) - whole).max(),
        1e-14,
    )
    fixed = np.asarray(sampling.ordered_indices(0, 26, 13, 1)).ravel()
    yield holds("fixed order: 0 … 12, again and again", (fixed == np.tile(np.arange(13), 2)).all())
    mixed = np.asarray(sampling.epoch_indices(jax.random.key(0), 0, 26, 13, 1)).reshape(2, 13)
    yield holds(
        "shuffled: every epoch a new order of all 13",
        (np.sort(mixed) == np.arange(13)).all() and (mixed[0] != mixed[1]).any(),
    )
    of, curve = lab.run("S1"), _batch_curve(0.3)
    rises = [float((np.diff(c) > 0).mean()) for c in (curve, of.loss[0])]
    yield ascending("share of epochs in which the loss rises, η = 0.3: batch, one sample", *rises)


def _batch_curve(eta: float) -> np.ndarray:
    data = protocol.arrays(TRAINING)
    return fitting.fit(lambda p: protocol.loss(p, data), protocol.init(jax.random.key(0)), jaxdl.sgd(eta), 1000)[1]


@row("C38", "18", "Mini-batch", "A random part of the training set")
def mini_batch(lab: Laboratory) -> Iterable[Claim]:
    gradients = _sample_gradients(protocol.init(jax.random.key(0)))
    rng, variances = np.random.default_rng(0), {}
    for k in (1, 2, 4, 8):
        means = gradients[rng.integers(0, 13, (20000, k))].mean(1)
        variances[k] = float(means.var(0).sum())
    for k in (2, 4, 8):
        text = f"drawn with replacement: variance at k = {k}, times k, of that at k = 1"
        yield near(text, variances[k] * k / variances[1], 1.0, 0.05)
    without = np.stack([gradients[rng.permutation(13)[:4]].mean(0) for _ in range(20000)]).var(0).sum()
    expected = variances[1] / 4 * (13 - 4) / (13 - 1)
    yield near("drawn without, k = 4: over σ²/k · (n − k)/(n − 1)", without / expected, 1.0, 0.05)


@row("C39", "18", "Methods used in deep learning", "SGD, momentum, RMSProp, Adam")
def four_names(lab: Laboratory) -> Iterable[Claim]:
    symbols = {
        "sgd": ["eta"],
        "momentum": ["eta", "rho"],
        "rmsprop": ["eta", "alpha"],
        "adam": ["eta", "beta1", "beta2", "epsilon"],
    }
    for name, expected in symbols.items():
        found = list(inspect.signature(getattr(jaxdl.conventions.lecture, name)).parameters)
        yield holds(f"jaxdl.conventions.lecture.{name} in the lecture's letters", found == expected, ", ".join(found))
