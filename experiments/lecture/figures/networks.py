"""Figures of networks: architectures, dropout, features, linear regions, zero weights."""

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.lecture import fitting, nonlinearity, protocol
from experiments.lecture.data import TRAINING
from experiments.lecture.figures import style
from experiments.lecture.laboratory import Laboratory
from jaxdl.models import regions as linear_regions


def _layers(axes: Axes, widths: tuple[int, ...], kept: list[np.ndarray] | None = None) -> None:
    """Units in columns with all connections; dropped units are crossed out and unconnected."""
    places = [np.stack([np.full(n, float(k)), np.arange(n) - (n - 1) / 2], 1) for k, n in enumerate(widths)]
    alive = kept or [np.ones(n, bool) for n in widths]
    for k in range(len(widths) - 1):
        for a in places[k][alive[k]]:
            for b in places[k + 1][alive[k + 1]]:
                axes.plot(*np.stack([a, b]).T, color="0.65", linewidth=0.6, zorder=1)
    for k, (units, live) in enumerate(zip(places, alive, strict=True)):
        colour = (style.BLUE, *["#8c8c8c"] * (len(widths) - 2), style.RED)[k]
        axes.scatter(units[live, 0], units[live, 1], s=170, color=colour, edgecolor="black", zorder=2)
        if (~live).any():
            axes.scatter(units[~live, 0], units[~live, 1], s=170, color="white", edgecolor="0.6", zorder=2)
            axes.scatter(units[~live, 0], units[~live, 1], s=90, color="0.5", marker="x", zorder=3)
    axes.margins(y=0.12)
    axes.set_axis_off()


def _boxes(axes: Axes, texts: list[str], loop: int | None = None) -> None:
    """A chain of boxes; ``loop``: which of them feeds itself."""
    for k, text in enumerate(texts):
        axes.text(
            k, 0, text, ha="center", va="center", fontsize=9, bbox={"boxstyle": "round", "fc": "#eef2fa", "ec": "0.3"}
        )
        if k:
            axes.annotate("", (k - 0.42, 0), (k - 0.58, 0), arrowprops={"arrowstyle": "->"})
    if loop is not None:
        bend = {"arrowstyle": "->", "connectionstyle": "arc3,rad=-1.6"}
        axes.annotate("", (loop + 0.15, 0.12), (loop - 0.15, 0.12), arrowprops=bend)
        axes.text(loop, 0.62, "memory", ha="center", fontsize=9)
    axes.set(xlim=(-0.6, len(texts) - 0.4), ylim=(-0.5, 0.8))
    axes.set_axis_off()


def architectures(lab: Laboratory) -> Figure:
    """Slide 9: the three architectures as jaxdl builds them."""
    figure, axes = style.new(1, 3, width=6.4, height=1.7)
    axes = axes.T
    _layers(axes[0, 0], (3, 4, 4, 2))
    axes[0, 0].set_title("feed-forward: MLP((4, 4, 2))")
    _boxes(axes[0, 1], ["image\n8×8×1", "convolution\n8×8×16", "stride 2\n4×4×32", "means\n2×2×32", "dense\n10"])
    axes[0, 1].set_title("convolutional: CNN((16, 32))")
    _boxes(axes[0, 2], ["input\nx_t", "cell\nh_t", "output\ny_t"], loop=1)
    axes[0, 2].set_title("recurrent: RNN(features, outputs)")
    return style.sign(figure, "jaxdl.models")


def dropout_net(lab: Laboratory) -> Figure:
    """Slide 40: the full network and one draw of the thinned one."""
    widths = (5, 5, 5, 1)
    rng = np.random.default_rng(1)
    kept = [rng.random(n) >= 0.4 if 0 < k < len(widths) - 1 else np.ones(n, bool) for k, n in enumerate(widths)]
    figure, axes = style.new(2, width=4.2, height=3.6)
    _layers(axes[0, 0], widths)
    axes[0, 0].set_title("the network")
    _layers(axes[0, 1], widths, kept)
    axes[0, 1].set_title("one iteration, p = 0.4 in hidden layers")
    return style.sign(figure, "a new draw in every iteration")


def features(lab: Laboratory) -> Figure:
    """Slide 5: what the layers of a trained network see, over the plane of the inputs."""
    layers, x, y = nonlinearity.ring_network()
    ticks = np.linspace(-5, 5, 120)
    plane = jnp.asarray(np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2) / 5)
    seen = fitting.activations(layers, plane, jnp.tanh)
    figure, axes = style.new(4, 2, width=2.5, height=2.3)
    for row, (activations, name) in enumerate(zip(seen[:2], ("layer 1", "layer 2"), strict=True)):
        varied = np.sort(np.asarray(activations).std(axis=0).argsort()[-4:])  # a saturated unit shows nothing
        for panel, unit in zip(axes[row], varied, strict=True):
            shown = panel.contourf(
                ticks,
                ticks,
                np.asarray(activations[:, unit]).reshape(120, 120),
                levels=np.linspace(-1, 1, 11),
                cmap="RdBu_r",
            )
            panel.plot(*x[y == 1].T, ".", color="black", markersize=1)
            panel.set(xticks=[], yticks=[], aspect="equal", title=f"{name}, unit {unit + 1}")
            panel.title.set_fontsize(8)
    figure.colorbar(shown, ax=list(axes.ravel()), label="activation", shrink=0.6)
    return style.sign(
        figure, "disc and ring, network 2-8-8-1, tanh; dots: the disc. Lines in layer 1, closed shapes in layer 2"
    )


def regions(lab: Laboratory) -> Figure:
    """Slide 7: linear regions of one layer and of two with as many units, random and folding."""
    ticks = np.linspace(-1, 1, 500)
    plane = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)
    rng = np.random.default_rng(5)
    figure, axes = style.new(3, width=4.0, height=3.9)
    kinds = (
        ("one layer of 16, random", _random_layers(plane, (16,), rng)),
        ("two layers of 8, random", _random_layers(plane, (8, 8), rng)),
        ("two layers of 8, the first folds", _folding_layers(plane, rng)),
    )
    for panel, (title, signs) in zip(axes[0], kinds, strict=True):
        _, patterns = np.unique(signs, axis=0, return_inverse=True)
        count = int(patterns.max()) + 1
        colours = rng.permutation(count)[patterns].reshape(500, 500)
        panel.imshow(colours, origin="lower", extent=(-1, 1, -1, 1), cmap="tab20", interpolation="nearest")
        panel.set(title=f"{title}:\n{count} regions in view", xlabel="x₁", ylabel="x₂")
    return style.sign(figure, "ReLU networks of 16 units; a colour for every activation pattern")


def _random_layers(plane: np.ndarray, widths: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Which units of random layers are on at the points of the plane; bool ``(points, units)``."""
    x, signs, fan = plane, [], 2
    for width in widths:
        z = x @ rng.standard_normal((fan, width)) + 0.4 * rng.standard_normal(width)
        signs.append(z > 0)
        x, fan = np.maximum(z, 0), width
    return np.concatenate(signs, axis=1)


def _folding_layers(plane: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As :func:`_random_layers`: four units fold each coordinate onto [0, 1] four times, eight lines cut every fold."""
    (kernel, bias), (combination, _) = linear_regions.folding_layers((4, 2))
    z = [(plane[:, k, None] + 1) / 2 * kernel + bias for k in range(2)]
    folded = np.stack([np.maximum(part, 0) @ combination[:, 1] for part in z], axis=1)
    angles = np.pi * (np.arange(8) + 0.3) / 8
    lines = (folded - 0.5) @ np.stack([np.cos(angles), np.sin(angles)]) + rng.uniform(-0.15, 0.15, 8)
    return np.concatenate([z[0] > 0, z[1] > 0, lines > 0], axis=1)


def zeros(lab: Laboratory) -> Figure:
    """Slide 30: loss from zero parameters and from random ones."""
    import jaxdl

    data = protocol.arrays(TRAINING)
    start = protocol.init(jax.random.key(0))
    zero = jax.tree.map(jnp.zeros_like, start)
    figure, axes = style.new(1, width=6.0)
    for params, text, colour in ((zero, "all parameters 0", style.RED), (start, "U(±1/√fan-in)", style.BLUE)):
        _, curve = fitting.fit(lambda p: protocol.loss(p, data), params, jaxdl.sgd(0.3), 1500)
        axes[0, 0].plot(curve, color=colour, label=text)
    axes[0, 0].axhline(0.69019, color="0.4", linestyle=":", label="entropy of the classes, 0.690")
    axes[0, 0].set(xlabel="update", ylabel="loss (nat)", title="From zero only the output's bias moves", ylim=(0, 0.75))
    axes[0, 0].legend(fontsize=8)
    return style.sign(figure, "2-32-1 ReLU, full batch, gradient descent, η = 0.3")
