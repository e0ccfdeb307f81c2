"""Figures of optimizers' paths and of surfaces."""

import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.lecture import demo, surfaces
from experiments.lecture.figures import style
from experiments.lecture.laboratory import Laboratory


def momentum(lab: Laboratory) -> Figure:
    """Slide 22: zig-zag and smooth path on an elongated bowl."""
    x, y = np.meshgrid(np.linspace(-6, 6, 200), np.linspace(-2.6, 2.6, 200))
    figure, axes = style.new(2, width=5.2, height=3.2)
    for panel, title, path in (
        (axes[0, 0], "without momentum, η = 0.4", demo.bowl_path(0.4, 0.0, 25)),
        (axes[0, 1], "with momentum, η = 0.4, ρ = 0.5", demo.bowl_path(0.4, 0.5, 25)),
    ):
        panel.contour(
            x, y, 0.1 * x**2 + 2 * y**2, levels=[0.1, 0.5, 1.5, 3, 5.5, 9, 13], cmap="Blues_r", linewidths=0.9
        )
        panel.plot(*path.T, "o-", color=style.RED, markersize=3, linewidth=1)
        panel.plot(0, 0, "k+", markersize=10)
        panel.set(title=title, xlabel="x₁", ylabel="x₂")
    return style.sign(figure, "f = 0.1 x₁² + 2 x₂² from (5, 2), 25 steps; +: minimum")


def _wells(axes: Axes) -> None:
    ticks = np.linspace(-2, 2, 250)
    plane = jnp.asarray(np.stack(np.meshgrid(ticks, ticks)))
    values = np.asarray(demo.FUNCTION.formula(plane[0], plane[1]))
    filled = axes.contourf(ticks, ticks, values, levels=np.arange(-2.5, 8.01, 0.5), cmap="YlGnBu_r", alpha=0.8)
    axes.figure.colorbar(filled, ax=axes, label="f(x, y)", shrink=0.8)
    axes.set(xlabel="x", ylabel="y", aspect="equal")


def demonstration(lab: Laboratory) -> Figure:
    """Slide 25: the demo's four optimizers, and Adam with bias correction."""
    figure, axes = style.new(1, width=6.2, height=5.2)
    _wells(axes[0, 0])
    styles = {
        "sgd": ("SGD, η = 0.02", "black", 10),
        "momentum": ("momentum, η = 0.01, ρ = 0.8", "#1f4fd1", 6),
        "rmsprop": ("RMSProp, η = 0.01", "#d62728", 10),
        "adam": ("Adam, η = 0.01, not corrected", "#1a7f2e", 6),
        "adam, corrected": ("Adam, η = 0.01, bias-corrected", "#e377c2", 8),
    }
    for name, path in demo.paths().items():
        text, colour, size = styles[name]
        axes[0, 0].plot(*path.T, color=colour, linewidth=1.6, label=f"{text}: {len(path) - 1} steps")
        axes[0, 0].plot(*path[-1], "o", color=colour, markersize=size, markeredgecolor="white")
    axes[0, 0].plot(*demo.START, "k*", markersize=12, markeredgecolor="white", linestyle="none", label="start")
    axes[0, 0].set_title("Two wells, one start, four optimizers, and Adam corrected")
    axes[0, 0].legend(fontsize=7, loc="lower left")
    return style.sign(figure, "Dupont's function; discs: where each path ends, one within another where two agree")


def critical(lab: Laboratory) -> Figure:
    """Slide 15: minima, the saddle between them, and which minimum starts run to."""
    import jax

    import jaxdl

    problem = jaxdl.problems.get("dupont", random_start=True, dtype=jnp.float64)
    keys = jax.random.split(jax.random.key(0), 150)
    starts = np.asarray(jax.vmap(lambda key: problem.init(jax.random.split(key, 3)[0]))(keys))
    ends = np.asarray(jax.jit(jax.vmap(lambda key: jaxdl.train(problem, jaxdl.sgd(2e-2), key, 800)[0].params))(keys))
    figure, axes = style.new(1, width=6.2, height=5.2)
    _wells(axes[0, 0])
    left = ends[:, 0] < 0
    axes[0, 0].plot(
        *starts[left].T,
        ".",
        color=style.RED,
        markersize=6,
        markeredgecolor="white",
        markeredgewidth=0.4,
        label="runs to the global minimum",
    )
    axes[0, 0].plot(
        *starts[~left].T,
        ".",
        color="black",
        markersize=6,
        markeredgecolor="white",
        markeredgewidth=0.4,
        label="runs to the local minimum",
    )
    for (x, y), text, offset in zip(
        (*demo.FUNCTION.minima, *demo.FUNCTION.saddles),
        ("global minimum", "local minimum", "saddle"),
        (0.22, 0.22, -0.22),
        strict=True,
    ):
        axes[0, 0].plot(x, y, "w*" if "minimum" in text else "wX", markersize=11, markeredgecolor="black")
        box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "boxstyle": "round,pad=0.15"}
        axes[0, 0].text(x, y + offset, text, ha="center", va="center", fontsize=9, bbox=box)
    axes[0, 0].legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)
    axes[0, 0].set_title("Where gradient descent ends, by start")
    return style.sign(figure, "Dupont's function, 150 starts, η = 0.02, 800 steps")


def landscapes(lab: Laboratory) -> Figure:
    """Slide 16: the loss around the trained parameters of a plain and of a residual network."""
    found = {name: surfaces.surface(name == "residual") for name in ("plain", "residual")}
    figure, axes = style.new(2, width=5.2, height=4.4)
    levels = np.linspace(-3, 2.5, 23)
    for panel, (name, of) in zip(axes[0], found.items(), strict=True):
        data = of.data["loss"]
        heights = np.log10(np.maximum(data.values, 1e-9))
        shown = panel.contourf(data["x"], data["y"], heights, levels=levels, cmap="viridis", extend="both")
        panel.contour(data["x"], data["y"], heights, levels=levels, colors="black", linewidths=0.3)
        panel.plot(0, 0, "w+", markersize=10)
        panel.set(
            title=f"{name}: loss {of.centre:.4f} at the centre",
            xlabel="direction 1",
            ylabel="direction 2",
            aspect="equal",
            xticks=(-1, -0.5, 0, 0.5, 1),
            yticks=(-1, -0.5, 0, 0.5, 1),
        )
    figure.colorbar(shown, ax=list(axes[0]), label="log₁₀ of the loss (nat)", ticks=range(-3, 3))
    what = (
        f"{surfaces.DEPTH} hidden layers of {surfaces.WIDTH}, {surfaces.SAMPLES} digits, filter-normalised directions"
    )
    return style.sign(figure, what)
