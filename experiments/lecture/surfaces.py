"""Loss surfaces in the manner of Li et al. on a plain and a residual network, and the matrices of BFGS along a run.

Source: Li, Xu, Taylor, Studer and Goldstein, "Visualizing the loss landscape of neural nets", NeurIPS 2018.
"""

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jaxdl
from experiments.lecture.registry import Claim, above, ascending, below
from jaxdl import losses, second_order

if TYPE_CHECKING:
    import xarray

DEPTH, WIDTH, SAMPLES = 14, 16, 256
"""Hidden layers and units of both networks, and digits that they are trained on."""


class Surface(NamedTuple):
    """``data``: the plane; ``centre``: the loss at the trained parameters; ``norms``: ratios of filter norms."""

    data: "xarray.Dataset"
    centre: float
    norms: float


def _digits() -> tuple[jax.Array, jax.Array]:
    x, y = jaxdl.problems.get("digits-mlp").data["train"]
    return jnp.asarray(x, jnp.float64).reshape(len(x), -1)[:SAMPLES], jnp.asarray(y)[:SAMPLES]


def _init(key: jax.Array) -> dict[str, jax.Array]:
    keys = jax.random.split(key, 3)
    spread = [(64, WIDTH, 64), (WIDTH, WIDTH, WIDTH), (WIDTH, 10, WIDTH)]
    first, _, last = (
        jax.random.normal(k, (a, b), float) * (2 / fan) ** 0.5 for k, (a, b, fan) in zip(keys, spread, strict=True)
    )
    middle = jax.random.normal(keys[1], (DEPTH, WIDTH, WIDTH), float) * (2 / WIDTH) ** 0.5
    return {"first": first, **{f"layer{i:02d}": middle[i] for i in range(DEPTH)}, "last": last}


def network(params: dict[str, jax.Array], x: jax.Array, shortcuts: bool) -> jax.Array:
    """Logits of a deep ReLU network; with shortcuts every layer adds to what it is given, scaled by 1/√depth."""
    h = jax.nn.relu(x @ params["first"])
    for i in range(DEPTH):
        branch = jax.nn.relu(h @ params[f"layer{i:02d}"])
        h = h + branch / DEPTH**0.5 if shortcuts else branch
    return h @ params["last"]


def trained(shortcuts: bool, steps: int = 1200) -> tuple[Callable[[Any], jax.Array], dict[str, jax.Array]]:
    """The loss on the digits and the parameters that Adam found."""
    from experiments.lecture import fitting

    x, y = _digits()

    def loss(params: dict[str, jax.Array]) -> jax.Array:
        return losses.cross_entropy(network(params, x, shortcuts), y)

    return loss, fitting.fit(loss, _init(jax.random.key(0)), jaxdl.adam(2e-3), steps)[0]


@functools.cache
def surface(shortcuts: bool, points: int = 41) -> Surface:
    """The loss on the plane of two random filter-normalised directions around the trained parameters."""
    loss, params = trained(shortcuts)
    directions = jaxdl.landscape.random(jax.random.key(1), params)
    data = jaxdl.landscape.plane(loss, params, directions, grid=points, extent=(-1.0, 1.0))
    ratios = [
        jnp.linalg.norm(d[name], axis=0) / jnp.linalg.norm(params[name], axis=0) for d in directions for name in params
    ]
    off = max(float(jnp.abs(ratio - 1).max()) for ratio in ratios)
    return Surface(data, float(loss(params)), off)


def convexity(values: np.ndarray) -> float:
    """Share of inner grid points at which the surface is convex along both axes."""
    along = [np.diff(values, 2, axis=axis) for axis in (0, 1)]
    return float(((along[0][:, 1:-1] >= 0) & (along[1][1:-1] >= 0)).mean())


def claims() -> Iterable[Claim]:
    """C30."""
    found = {name: surface(name == "residual") for name in ("plain", "residual")}
    for name, of in found.items():
        values = of.data["loss"].values
        middle = values[values.shape[0] // 2, values.shape[1] // 2]
        yield below(f"{name}: loss at the centre of the grid − L(θ*)", abs(middle - of.centre), 1e-12)
        yield below(f"{name}: ‖d_f‖/‖θ_f‖ of every filter − 1", of.norms, 1e-12)
        yield below(f"{name}: no point of the grid lies far below the centre", of.centre - values.min(), 0.02)
    shares = [convexity(found[name].data["loss"].values) for name in ("plain", "residual")]
    yield ascending("share of the surface that is convex along both axes: plain, residual", *shares)
    yield above("the residual network's", shares[1], 0.6)


def secant(loss: Callable[[jax.Array], jax.Array], start: jax.Array, steps: int = 12) -> Iterable[Claim]:
    """C34: B along a run of BFGS, rebuilt from the points that it visited."""
    from jaxdl.second_order.bfgs import inverse_update
    from jaxdl.second_order.method import Step

    path: Any = second_order.minimise(
        loss, start, method=second_order.bfgs(), steps=steps, tolerance=0.0, record=True
    ).path
    gradients = jax.vmap(jax.grad(loss))(path)
    inverse, worst, smallest = jnp.eye(len(start)), 0.0, np.inf
    for k in range(steps):
        s, y = path[k + 1] - path[k], gradients[k + 1] - gradients[k]
        inverse = inverse_update(inverse, Step(s, y, s, gradients[k], gradients[k + 1]))
        worst = max(worst, float(jnp.abs(inverse @ y - s).max()))
        smallest = min(smallest, float(jnp.linalg.eigvalsh(inverse)[0]))
    yield below("secant equation along a run on Rosenbrock: largest |B y − s|", worst, 1e-10)
    yield above("B stays positive definite: smallest eigenvalue", smallest, 1e-8)
