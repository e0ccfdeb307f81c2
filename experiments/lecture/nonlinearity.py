"""What slides 4–8 show: word errors, rings, probes of layers, logistic regression, XOR from random starts."""

import time
from collections import Counter
from collections.abc import Callable, Iterable

import jax
import jax.numpy as jnp
import numpy as np

import jaxdl
from experiments.lecture import fitting
from experiments.lecture.registry import Claim, above, below
from jaxdl import losses
from jaxdl.data import planar

XOR = (np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 1, 1, 0]))


def word_error_rate(said: str, heard: str) -> float:
    """Least number of words replaced, left out or put in, per word said."""
    reference, guess = said.split(), heard.split()
    distances = list(range(len(guess) + 1))
    for i, word in enumerate(reference, 1):
        diagonal, distances[0] = distances[0], i
        for j, other in enumerate(guess, 1):
            replaced = diagonal + (word != other)
            diagonal = distances[j]
            distances[j] = min(replaced, distances[j] + 1, distances[j - 1] + 1)
    return distances[-1] / len(reference)


def disc_and_ring() -> tuple[np.ndarray, np.ndarray]:
    """Slide 7's picture: a disc of radius 2.5 (1) in a ring from 3.5 to 5 (0); float64 ``(200, 2)`` and ``(200,)``."""
    x, y = planar.circle(200)
    return x.astype(np.float64), y.astype(np.float64)


def square(reach: float, points: int) -> np.ndarray:
    """A grid over [−reach, reach]², shape ``(points², 2)``."""
    ticks = np.linspace(-reach, reach, points)
    return np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)


def linear_accuracy(x: np.ndarray, y: np.ndarray) -> float:
    """Accuracy, on its own training data, of a nearly unpenalised logistic regression on standardised features."""
    from sklearn.linear_model import LogisticRegression

    scaled = (x - x.mean(0)) / x.std(0)
    return float(LogisticRegression(C=1e6, max_iter=2000).fit(scaled, y).score(scaled, y))


def logistic_regression(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The decisions of scikit-learn's logistic regression without a penalty."""
    from sklearn.linear_model import LogisticRegression

    scale = x.std(0)
    model = LogisticRegression(C=1e12, tol=1e-12, max_iter=10000).fit(x / scale, y)
    return lambda points: np.asarray(model.predict(points / scale) > 0.5)


def single_neuron(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and bias of the best sigmoid neuron by 30 Newton steps, and its loss in nats."""
    inputs = jnp.asarray(np.column_stack([x, np.ones(len(x))]))

    def loss(theta: jax.Array) -> jax.Array:
        return losses.binary_cross_entropy(inputs @ theta, jnp.asarray(y))

    theta = jnp.zeros(3)
    gradient, hessian = jax.jit(jax.grad(loss)), jax.jit(jax.hessian(loss))
    for _ in range(30):
        theta = theta - jnp.linalg.solve(hessian(theta), gradient(theta))
    return np.asarray(theta), float(loss(theta))


def discriminant(x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> tuple[float, int, float]:
    """Linear discriminant analysis: accuracy on the test set, number of sample statistics, seconds."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    started = time.perf_counter()
    varying = x.std(0) > 0
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x[:, varying], y)
    inputs, classes = int(varying.sum()), len(np.unique(y))
    statistics = classes * inputs + inputs * (inputs + 1) // 2 + classes
    return float(model.score(x_test[:, varying], y_test)), statistics, time.perf_counter() - started


def ring_network() -> tuple[list[tuple[jax.Array, jax.Array]], np.ndarray, np.ndarray]:
    """A network 2-8-8-1 (tanh), trained on disc and ring."""
    x, y = disc_and_ring()
    inputs = jnp.asarray(x / 5)

    def loss(layers: list[tuple[jax.Array, jax.Array]]) -> jax.Array:
        return losses.binary_cross_entropy(fitting.activations(layers, inputs, jnp.tanh)[-1][:, 0], jnp.asarray(y))

    start = fitting.perceptron(jax.random.key(1), (2, 8, 8, 1))
    return fitting.fit(loss, start, jaxdl.adam(0.02), 400)[0], x, y


def probes() -> list[float]:
    """Accuracies of linear classifiers on the inputs and on each hidden layer of :func:`ring_network`."""
    layers, x, y = ring_network()
    hidden = fitting.activations(layers, jnp.asarray(x / 5), jnp.tanh)[:-1]
    return [linear_accuracy(np.asarray(features), y) for features in (x, *hidden)]


def copies(depth: int) -> int:
    """How often f(x) = a blob in the first quadrant appears after folding both inputs ``depth`` times, on [−1, 1]²."""
    from scipy.ndimage import label

    ticks = np.linspace(-1, 1, 401)
    folded = np.stack(np.meshgrid(ticks, ticks), -1)
    for level in range(depth):
        folded = np.abs(folded) - (0.5 if level < depth - 1 else 0)
    blob = ((folded - 0.25) ** 2).sum(-1) < 0.1**2
    return int(label(blob)[1])


def collapse() -> Iterable[Claim]:
    """Layers without activation are one linear map."""
    layers = fitting.perceptron(jax.random.key(0), (2, 16, 16, 1))
    x = jnp.asarray(np.random.default_rng(0).standard_normal((40, 2)))

    def residual(activation: Callable[[jax.Array], jax.Array]) -> float:
        output = np.asarray(fitting.activations(layers, x, activation)[-1][:, 0])
        design = np.column_stack([x, np.ones(len(x))])
        return float(np.abs(design @ np.linalg.lstsq(design, output, rcond=None)[0] - output).max())

    yield below(
        "activation: without one, three layers are affine (residual of the best affine map)",
        residual(lambda z: z),
        1e-12,
    )
    yield above("with ReLU they are not", residual(jax.nn.relu), 1e-3)


def factors() -> Iterable[Claim]:
    """Loss on disc and ring over depth, width and activation, the best of eight starts: each of the three lowers it."""
    x, y = disc_and_ring()
    inputs, targets = jnp.asarray(x / 5), jnp.asarray(y)

    def reached(width: int, depth: int, activation: Callable[[jax.Array], jax.Array]) -> float:
        def loss(layers: list[tuple[jax.Array, jax.Array]]) -> jax.Array:
            return losses.binary_cross_entropy(fitting.activations(layers, inputs, activation)[-1][:, 0], targets)

        keys = jax.random.split(jax.random.key(0), 8)
        return fitting.best(
            loss, lambda key: fitting.perceptron(key, (2, *[width] * depth, 1)), keys, jaxdl.adam(0.03), 300
        )

    small, wide, deep = (reached(w, d, jnp.tanh) for w, d in ((2, 1), (8, 1), (2, 3)))
    straight = reached(8, 1, lambda z: z)
    yield below("width: loss of 8 units, of that of 2", wide / small, 0.8)
    yield below("depth: loss of 3 layers of 2, of that of one", deep / small, 0.8)
    yield below("activation: loss with tanh, of that without", wide / straight, 0.8)


def learn_xor(width: int = 2, seeds: int = 100) -> tuple[int, int, str]:
    """Trains 2-``width``-1 ReLU on XOR from ``seeds`` random starts: successes, starts, and how the others ended."""
    x, y = map(jnp.asarray, XOR)

    def output(layers: list[tuple[jax.Array, jax.Array]]) -> jax.Array:
        return fitting.activations(layers, x)[-1][:, 0]

    def one(key: jax.Array) -> jax.Array:
        problem = jaxdl.Problem(
            name="xor",
            init=lambda _: fitting.perceptron(key, (2, width, 1)),
            loss=lambda layers, batch, key: losses.squared_error(output(layers), y),
            metrics=lambda layers, batch: {"loss": losses.squared_error(output(layers), y)},
        )
        state, _ = jaxdl.train(problem, jaxdl.adam(0.02), key, 1500, record_every=1500, evaluated=False)
        return output(state.params)

    ends = np.asarray(jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), seeds)))
    wrong = ((ends > 0.5) != (np.asarray(y) > 0.5)).sum(axis=1)
    kinds = Counter(f"{count} wrong" for count in wrong if count)
    return int((wrong == 0).sum()), seeds, ", ".join(f"{n} starts with {kind}" for kind, n in sorted(kinds.items()))
