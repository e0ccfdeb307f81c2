"""Curvature of the network of ``landscape_peers.py``: products, eigenpairs at equal residual, the edge of stability.

An eigenpair's residual is ‖H v − θ v‖ relative to the largest eigenvalue, from a product of its own in every case,
whatever the library claims. Every method goes through a row of budgets, and what is compared is the time of the
cheapest that reaches the same residual.
"""

import importlib.util
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from benchmarks import timing
from benchmarks.landscape_peers import arrays, by_pyhessian, loss, torch_product

RESIDUAL = 1e-3
"""Of the worst of the five, at which methods are compared."""
STEPS = (64, 96, 128, 192, 256)
"""Our budgets: products."""
TOLERANCES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3)
"""Of ``eigsh``."""
ITERATIONS = (100, 400, 1600)
"""Of PyHessian's power iteration, for each pair, at a tolerance that does not end it before."""

Pairs = tuple[np.ndarray, np.ndarray]


class Matrix:
    """The Hessian by our products, of NumPy vectors."""

    def __init__(self) -> None:
        import jax
        import jax.numpy as jnp

        from jaxdl import curvature
        from jaxdl.curvature import flat

        given = arrays()
        self.params, self.batch = jax.tree.map(jnp.asarray, (given["params"], given["batch"]))
        self.form = flat.flat(self.params)
        self._product = jax.jit(
            lambda p, v, x, y: flat.ravel(self.form, curvature.hvp(loss, p, flat.unravel(self.form, v), x, y))
        )

    def __call__(self, vector: np.ndarray) -> np.ndarray:
        return np.asarray(self._product(self.params, vector.ravel().astype(np.float32), *self.batch))

    def residual(self, pairs: Pairs) -> float:
        """The worst, relative to the largest eigenvalue."""
        worst = max(float(np.linalg.norm(self(v) - value * v)) for value, v in zip(*pairs, strict=True))
        return worst / float(np.max(pairs[0]))


def product_row(matrix: Matrix, repetitions: int) -> dict[str, Any]:
    """Milliseconds of a product with a vector."""
    vector = np.random.default_rng(1).standard_normal(matrix.form.size).astype(np.float32)
    functions = {"jaxdl": lambda: matrix(vector), "torch": torch_product()}
    times = timing.interleaved(functions, 10 * repetitions)
    ms = {name: found["median_ms"] for name, found in times.items()}
    print("H·v " + ", ".join(f"{name} {value:.2f} ms" for name, value in ms.items()))
    return {"what": "hvp", "ms": ms, "samples_ms": {name: found["samples_ms"] for name, found in times.items()}}


def methods(matrix: Matrix) -> dict[str, list[tuple[str, Callable[[], Pairs]]]]:
    """Each method with its budgets, cheapest first."""
    import jax
    import scipy.sparse.linalg

    from jaxdl import curvature
    from jaxdl.curvature import flat

    size = matrix.form.size
    operator = scipy.sparse.linalg.LinearOperator((size, size), matvec=matrix, dtype=np.float32)

    def ours(steps: int) -> Pairs:
        pairs = curvature.eigenpairs(loss, matrix.params, *matrix.batch, k=5, steps=steps)
        return np.asarray(pairs.values), np.asarray(jax.vmap(lambda v: flat.ravel(matrix.form, v))(pairs.vectors))

    def scipys(tolerance: float) -> Pairs:
        values, vectors = scipy.sparse.linalg.eigsh(operator, k=5, which="LA", tol=tolerance)
        return values[::-1], vectors.T[::-1]

    found: dict[str, list[tuple[str, Callable[[], Pairs]]]] = {
        "jaxdl": [(f"{m} products", partial(ours, m)) for m in STEPS],
        "eigsh": [(f"tol {t:g}", partial(scipys, t)) for t in TOLERANCES],
    }
    if importlib.util.find_spec("pyhessian") is not None:
        theirs = by_pyhessian()
        found["pyhessian"] = [(f"{n} iterations a pair", partial(theirs, n)) for n in ITERATIONS]
    return found


def eigenpair_row(found: Mapping[str, list[tuple[str, Callable[[], Pairs]]]], matrix: Matrix) -> dict[str, Any]:
    """Residual against time of every method, up to the first budget that reaches the residual; compiled beforehand."""
    curves: dict[str, list[dict[str, Any]]] = {}
    for name, budgets in found.items():
        curves[name] = []
        for budget, function in budgets:
            if name != "pyhessian":
                function()  # compiles
            seconds, pairs = timing.seconds(function)
            row = {
                "budget": budget,
                "ms": 1e3 * seconds,
                "residual": matrix.residual(pairs),
                "values": pairs[0].tolist(),
            }
            print(
                f"top 5 by {name:10s} {budget:22s} {row['ms']:8.0f} ms, worst relative residual {row['residual']:.1e}"
            )
            curves[name].append(row)
            if row["residual"] <= RESIDUAL:
                break
    reached = {
        name: next((row["ms"] for row in rows if row["residual"] <= RESIDUAL), None) for name, rows in curves.items()
    }
    return {"what": "eigenpairs", "residual": RESIDUAL, "ms": reached, "curves": curves}


def edge_row() -> dict[str, Any]:
    """Gradient descent at η = 0.2 on Chebyshev's polynomial of degree 3: median of λ η/2 over the last half."""
    import jax
    import jax.numpy as jnp

    import jaxdl
    from jaxdl import curvature, losses

    eta, steps = 0.2, 4000
    x = jnp.linspace(-1, 1, 20)[:, None]
    y = 4 * x**3 - 3 * x

    def init(key: jax.Array) -> list[jax.Array]:
        shapes = [(1, 30), (30, 30), (30, 1)]
        keys = jax.random.split(key, len(shapes))
        return [jax.random.normal(k, s) / jnp.sqrt(s[0]) for k, s in zip(keys, shapes, strict=True)]

    def error(params: Any, batch: Any, key: Any) -> jax.Array:
        del key
        h = jnp.tanh(jnp.tanh(batch[0] @ params[0]) @ params[1]) @ params[2]
        return losses.squared_error(h, batch[1])

    data = dict.fromkeys(("train", "val", "test"), (x, y))
    problem = jaxdl.Problem("chebyshev", init, error, lambda p, b: {"loss": error(p, b, None)}, data)
    tracked = curvature.track(jaxdl.sgd(eta), curvature.training_loss(problem), every=10)
    run = jax.jit(
        lambda key: jaxdl.train(problem, tracked, key, steps, evaluated=False, observe=curvature.OBSERVERS)[1]
    )
    sharpness = np.asarray(run(jax.random.key(0)).metrics["sharpness"])
    median = float(np.median(sharpness[len(sharpness) // 2 :])) * eta / 2
    print(f"edge of stability: median λ·η/2 over the last half of {steps} steps {median:.3f}")
    return {"what": "edge", "median_of_sharpness_over_bound": median, "eta": eta, "steps": steps}
