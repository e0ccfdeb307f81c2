"""Slides 1–10: what deep learning is, in rows that can be measured."""

import importlib.util
import time
from collections.abc import Iterable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import jaxdl
from experiments.lecture import architectures, demo, fitting, nonlinearity
from experiments.lecture.data import TRAINING
from experiments.lecture.laboratory import Laboratory
from experiments.lecture.registry import IDS, Claim, above, below, catalogue, holds, near, row
from jaxdl import losses
from jaxdl.models import regions

PARTS = {"overview": range(1, 27), "optimisation methods": range(27, 72), "regularisation methods": range(72, 107)}
QUESTIONS = {
    "What is deep learning?": ("C05", "C06"),
    "How is it trained?": ("C36", "C57"),
    "How does it prevent over-fitting?": ("C80", "C96"),
}
README = Path(__file__).parents[1] / "README.md"


@row(
    "C01",
    "2",
    "Outline",
    "Overview; optimisation methods; regularisation methods",
    stands_in="every row lies in one part",
)
def outline(lab: Laboratory) -> Iterable[Claim]:
    covered = [number for part in PARTS.values() for number in part]
    yield holds("the three parts cover C01 … C106, each once", covered == list(range(1, 107)), f"{len(covered)} rows")
    found = list(catalogue())
    yield holds("and every row can be run", found == list(IDS), f"{len(found)} of {len(IDS)}")


@row(
    "C02",
    "3",
    "Questions",
    "What is it? How to train it? How does it prevent over-fitting?",
    stands_in="rows that answer",
)
def questions(lab: Laboratory) -> Iterable[Claim]:
    page, rows = README.read_text(encoding="utf-8"), catalogue()
    for question, ids in QUESTIONS.items():
        answered = question in page and all(id in rows and id in page for id in ids)
        yield holds(f"the page for teachers answers “{question}” with {', '.join(ids)}", answered)


@row(
    "C03",
    "4",
    "Deep learning outperforms",
    "Six applications; speech: “find any bread” heard as “find any broad”",
    stands_in="the word error rate of the slide's pair; the other pictures are only quoted",
)
def applications(lab: Laboratory) -> Iterable[Claim]:
    said, heard = "She couldn't find any bread", "She couldn't find any broad"
    yield near("word error rate of the slide's pair", nonlinearity.word_error_rate(said, heard), 0.2)
    yield near("one word left out of four", nonlinearity.word_error_rate("a b c d", "a b d"), 0.25)
    yield near("a word too many", nonlinearity.word_error_rate("a b", "a x b"), 0.5)


@row("C04", "5", "What is deep learning?", "Several hidden layers; model parameters (模型参数) learned from data")
def any_depth(lab: Laboratory) -> Iterable[Claim]:
    features, labels = jnp.asarray(TRAINING.features), jnp.asarray(TRAINING.labels)
    for depth in (1, 2, 3):
        start = fitting.perceptron(jax.random.key(depth), (2, *[8] * depth, 1))

        def loss(layers: list[tuple[jax.Array, jax.Array]]) -> jax.Array:
            return losses.binary_cross_entropy(fitting.activations(layers, features, jnp.tanh)[-1][:, 0], labels)

        end, curve = fitting.fit(loss, start, jaxdl.adam(0.03), 50)
        pairs = zip(jax.tree.leaves(start), jax.tree.leaves(end), strict=True)
        moved = all(bool((a != b).all()) for a, b in pairs)
        yield holds(f"{depth} hidden layers: every parameter is trained", moved)
        yield below(f"{depth} hidden layers: loss after 50 steps, of that before", curve[-1] / curve[0], 0.9)


@row("C05", "5", "Hierarchical features", "Low-level features combine into more abstract ones", figures=("features",))
def hierarchy(lab: Laboratory) -> Iterable[Claim]:
    accuracies = nonlinearity.probes()
    for deeper in range(1, len(accuracies)):
        text = (
            f"a linear classifier reads the rings better from layer {deeper} than from layer {deeper - 1}, or as well"
        )
        yield holds(text, accuracies[deeper] >= accuracies[deeper - 1], [round(a, 3) for a in accuracies])
    yield above("and from the last layer", accuracies[-1], 0.95)


@row(
    "C06",
    "6",
    "Deep learning and traditional methods: differences",
    "Features, parameters, criterion, training, compute",
)
def differences(lab: Laboratory) -> Iterable[Claim]:
    problem = jaxdl.problems.get("digits-mlp")
    (x, y), (x_test, y_test) = (tuple(map(np.asarray, problem.data[split])) for split in ("train", "test"))
    accuracy, parameters, seconds = nonlinearity.discriminant(
        x.reshape(len(x), -1), y, x_test.reshape(len(x_test), -1), y_test
    )
    yield holds(
        "Gaussian classes (sample statistics, least error)",
        accuracy > 0.8,
        _described(accuracy, parameters, 1, seconds),
    )
    started = time.perf_counter()
    state, curves = jax.jit(lambda key: jaxdl.train(problem, jaxdl.adam(1e-2), key, 300))(jax.random.key(0))
    reached = float(curves.metrics["test_accuracy"][-1])
    count = sum(leaf.size for leaf in jax.tree.leaves(state.params))
    text = _described(reached, count, 300, time.perf_counter() - started)
    yield holds("a network (weights, least cross-entropy, end to end) is at least as good", reached >= accuracy, text)


def _described(accuracy: float, parameters: int, steps: int, seconds: float) -> str:
    return f"test accuracy {accuracy:.3f}, {parameters} parameters, {steps} step(s), {seconds:.1f} s"


@row("C07", "6", "Connections", "A single neuron is a linear classifier")
def one_neuron(lab: Laboratory) -> Iterable[Claim]:
    theta, floor = nonlinearity.single_neuron(TRAINING.features, TRAINING.labels)
    yield near("best loss of one sigmoid neuron on the 13 points", floor, 0.25361, 5e-6)
    expected = (29.874, 3.494, -6.310)
    yield below("its weights: difference to (29.874, 3.494), −6.310", np.abs(theta - expected).max(), 5e-3)
    theirs = nonlinearity.logistic_regression(TRAINING.features, TRAINING.labels)
    ticks = nonlinearity.square(1.7, 121)
    ours = ticks @ theta[:2] + theta[2] > 0
    yield near(
        "grid points on which scikit-learn's logistic regression decides otherwise", (ours != theirs(ticks)).sum(), 0, 0
    )
    wrong = (TRAINING.features @ theta[:2] + theta[2] > 0) != (TRAINING.labels > 0.5)
    missed = [name for name, bad in zip(TRAINING.names, wrong, strict=True) if bad]
    yield holds("it misclassifies b7 alone", missed == ["b7"], " ".join(missed))


@row("C08", "7", "Representations", "X-Y against r-θ: separable only in polar form", figures=("polar",))
def polar(lab: Laboratory) -> Iterable[Claim]:
    x, y = nonlinearity.disc_and_ring()
    r_theta = np.stack([np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])], axis=1)
    yield below("best linear classifier on (x, y): accuracy", nonlinearity.linear_accuracy(x, y), 0.7)
    yield near("on (r, θ)", nonlinearity.linear_accuracy(r_theta, y), 1.0, 0.0)
    back = np.stack([r_theta[:, 0] * np.cos(r_theta[:, 1]), r_theta[:, 0] * np.sin(r_theta[:, 1])], 1)
    yield below("and back again", np.abs(back - x).max(), 1e-12)


@row("C09", "7", "Folding", "An absolute-value unit has the same output at mirror points", figures=("folding",))
def folding(lab: Laboratory) -> Iterable[Claim]:
    rng = np.random.default_rng(0)
    w, b, x = rng.standard_normal((50, 3)), rng.standard_normal(50), rng.standard_normal((50, 3))
    z = (w * x).sum(1) + b
    mirrored = x - 2 * (z / (w**2).sum(1))[:, None] * w
    yield below(
        "|w·x + b| at 50 random points and their mirror points",
        np.abs(np.abs((w * mirrored).sum(1) + b) - np.abs(z)).max(),
        1e-12,
    )
    yield below("|z| = ReLU(z) + ReLU(−z)", np.abs(np.abs(z) - np.maximum(z, 0) - np.maximum(-z, 0)).max(), 0.0)
    yield near("two nested |·| per input: copies of a pattern in the plane", nonlinearity.copies(2), 2 ** (2 * 2), 0)


@row("C10", "7", "Montúfar 2014", "The number of linear regions grows with depth", figures=("regions",))
def linear_regions(lab: Laboratory) -> Iterable[Claim]:
    for width, bound in ((32, 529), (16, 137), (12, 79)):
        yield near(f"one layer of {width} on the plane: at most", regions.shallow_bound(2, width), bound, 0)
    several: tuple[tuple[tuple[int, ...], int], ...] = (((16, 16), 8768), ((8, 8), 592), ((4, 4, 4), 176))
    for widths, bound in several:
        yield near(f"layers {widths}: the best has at least", regions.deep_bound(2, widths), bound, 0)
    rng, plane = np.random.default_rng(0), nonlinearity.square(4.0, 200)
    counts = [regions.count_patterns(plane @ rng.standard_normal((2, 12)) + rng.standard_normal(12)) for _ in range(5)]
    yield below("patterns of random layers of 12 on a grid: most of five", max(counts), 79)
    foldings: tuple[tuple[int, ...], ...] = ((2, 2), (2, 2, 2), (3, 3), (6,))
    for widths in foldings:
        pieces = len(regions.breakpoints(regions.folding_layers(widths), 0.0, 1.0)) + 1
        yield near(f"folding layers {widths}, one input: pieces", pieces, regions.deep_bound(1, widths), 0)


@row("C11", "8", "Where non-linearity comes from", "Depth, width, activation")
def three_factors(lab: Laboratory) -> Iterable[Claim]:
    yield from nonlinearity.collapse()
    yield from nonlinearity.factors()


@row(
    "C12", "8", "XOR, set by hand", "h₁ = ReLU(x₁ − x₂), h₂ = ReLU(x₂ − x₁); the table prints y = 0.5", figures=("xor",)
)
def xor_table(lab: Laboratory) -> Iterable[Claim]:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    h = np.maximum(x @ np.array([[1, -1], [-1, 1]]).T, 0)
    yield holds("h₁, h₂ as in the table", h.tolist() == [[0, 0], [0, 1], [1, 0], [0, 0]], str(h.tolist()))
    printed, drawn = h @ np.array([0.5, 0.5]), h @ np.array([1.0, 1.0])
    yield holds("output weights ½, ½ give the printed y", printed.tolist() == [0, 0.5, 0.5, 0], str(printed.tolist()))
    yield holds(
        "the drawn weights 1, 1 give XOR itself: the slide is off by 2",
        drawn.tolist() == [0, 1, 1, 0],
        str(drawn.tolist()),
    )
    design = np.column_stack([x, np.ones(4)])
    best = np.linalg.lstsq(design, np.array([0.0, 1, 1, 0]), rcond=None)[0]
    yield below("the best linear model answers ½ everywhere", np.abs(design @ best - 0.5).max(), 1e-12)


@row("C13", "8", "XOR, learned", "2-2-1 ReLU from random starts does not always succeed")
def xor_learned(lab: Laboratory) -> Iterable[Claim]:
    solved, total, kinds = nonlinearity.learn_xor()
    yield holds("some starts succeed and some fail", 0 < solved < total, f"{solved} of {total} succeed; {kinds}")
    wide, _, _ = nonlinearity.learn_xor(width=8)
    yield holds("eight hidden units succeed more often", wide > solved, f"{wide} of {total} with 8 units")


@row("C14", "9", "Feed-forward network", "Input, hidden, hidden, output: 3-4-4-2", figures=("architectures",))
def feed_forward(lab: Laboratory) -> Iterable[Claim]:
    yield from architectures.feed_forward()


@row("C15", "9", "Convolutional network", "Kernels, convolution and pooling, then dense", figures=("architectures",))
def convolutional(lab: Laboratory) -> Iterable[Claim]:
    yield from architectures.convolutional()


@row("C16", "9", "Recurrent network", "Memory cells with loops to themselves", figures=("architectures",))
def recurrent(lab: Laboratory) -> Iterable[Claim]:
    yield from architectures.recurrent()


@row(
    "C17",
    "10",
    "Frameworks",
    "Caffe, TensorFlow, Torch, PyTorch, MXNet, DGL, Paddle, Jittor",
    stands_in="jaxdl's optimizers step by step against those of a framework that is installed",
)
def frameworks(lab: Laboratory) -> Iterable[Claim]:
    gradients = np.random.default_rng(0).standard_normal((25, 4))
    yield from architectures.against_optax(gradients)
    if importlib.util.find_spec("torch") is None:
        yield holds("torch.optim is not installed here: skipped, recorded paths in tests/golden", True, "skipped")
        return
    theirs, tx = demo.torch_increments(gradients), jaxdl.conventions.torch.Adam()
    state, worst = tx.init(jnp.zeros(4)), 0.0
    for g, step in zip(gradients, theirs if theirs is not None else [], strict=True):
        delta, state = tx.update(jnp.asarray(g), state)
        worst = max(worst, float(np.abs(np.asarray(delta) - step).max()))
    yield below("torch.optim.Adam, 25 steps", worst, 1e-6)
