"""Figures of data: augmentation, other data in the plane, remedies against over-fitting."""

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import jaxdl
from experiments.lecture import fitting, playground, remedies
from experiments.lecture.figures import style
from experiments.lecture.laboratory import Laboratory
from jaxdl.data import augmentation


def augmented(lab: Laboratory) -> Figure:
    """Slide 47: one digit, five kinds of change, three draws each."""
    image = jnp.asarray(jaxdl.problems.get("digits-mlp").data["train"][0][3]).reshape(8, 8, 1)
    kinds = {
        "rotation, ±30°": augmentation.random_rotation(30.0),
        "flip, either way": augmentation.in_order(augmentation.random_flip(0), augmentation.random_flip(1)),
        "zoom, 0.7–1.3": augmentation.random_zoom(0.7, 1.3),
        "shift, ±2 pixels": augmentation.random_shift(2),
        "noise, σ = 0.15": augmentation.random_noise(0.15),
    }
    figure, axes = style.new(6, 3, width=1.75, height=1.75)
    for row in range(3):
        panels = {"original": image} | {n: f(jax.random.key(row), image) for n, f in kinds.items()}
        for panel, (name, shown) in zip(axes[row], panels.items(), strict=True):
            panel.imshow(np.asarray(shown)[..., 0], cmap="gray_r", vmin=0, vmax=float(image.max()))
            panel.set(xticks=[], yticks=[])
            if row == 0:
                panel.set_title(name, fontsize=8)
    return style.sign(figure, "a digit of scikit-learn, 8 × 8; three draws of each change")


def others(lab: Laboratory) -> Figure:
    """Decision maps of a network on six other data sets."""
    figure, axes = style.new(3, 2, width=3.6, height=3.3)
    for panel, name in zip(axes.ravel(), playground.SETS, strict=True):
        x, y, layers, scale, accuracy = playground.learned(name)
        ticks = np.linspace(-1.1 * scale, 1.1 * scale, 150)
        plane = jnp.asarray(np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2) / scale)
        p = 1 / (1 + np.exp(-np.asarray(fitting.activations(layers, plane, jnp.tanh)[-1][:, 0])))
        panel.contourf(ticks, ticks, p.reshape(150, 150), levels=style.LEVELS, cmap="RdBu_r", alpha=0.45)
        for value, colour in ((1, style.RED), (0, style.BLUE)):
            panel.plot(*x[y == value].T, "o", color=colour, markersize=2)
        panel.set(title=f"{name}: {100 * accuracy:.1f} % right", xlabel="x₁", ylabel="x₂", aspect="equal")
    return style.sign(figure, "200 points each, network 2-16-16-1, tanh, Adam, 1000 updates; red: class 1")


def remedied(lab: Laboratory) -> Figure:
    """Slides 32–33: training and validation loss with each remedy alone, each on an axis that shows its differences."""
    found = {name: remedies.train(**switches) for name, switches in remedies.SWITCHES.items()}  # type: ignore[arg-type]
    figure, axes = style.new(2, width=5.0)
    places = np.arange(len(found))
    for panel, part, colour in ((axes[0, 0], "train", style.BLUE), (axes[0, 1], "val", style.RED)):
        values = [getattr(of, part) for of in found.values()]
        bars = panel.barh(places, values, 0.6, color=colour)
        panel.bar_label(bars, fmt="%.2g" if part == "train" else "%.3f", padding=3, fontsize=8)
        panel.margins(x=0.2)
        panel.invert_yaxis()
    axes[0, 0].set(xscale="log", xlabel="training loss (nat), dropout off", yticks=places, yticklabels=list(found))
    axes[0, 1].set(xlabel="validation loss (nat)", yticks=places, yticklabels=[""] * len(found))
    figure.suptitle("Remedies against over-fitting, one at a time")
    figure.set_layout_engine("constrained", wspace=0.06)
    return style.sign(figure, f"{remedies.IMAGES} digits, network 64-64-10, Adam, η = 0.01, 400 updates, seed 0")
