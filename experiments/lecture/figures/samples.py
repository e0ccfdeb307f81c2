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
        "flip, left–right": augmentation.random_flip(1, 1.0),
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
    """Slides 32–33: training and validation loss with each remedy alone."""
    found = {name: remedies.train(**switches) for name, switches in remedies.SWITCHES.items()}  # type: ignore[arg-type]
    figure, axes = style.new(1, width=7.5)
    places = np.arange(len(found))
    floor = 1e-4
    axes[0, 0].barh(
        places - 0.2, [max(of.train, floor) for of in found.values()], 0.38, color=style.BLUE, label="training"
    )
    axes[0, 0].barh(places + 0.2, [of.val for of in found.values()], 0.38, color=style.RED, label="validation")
    axes[0, 0].set_yticks(places, list(found))
    axes[0, 0].invert_yaxis()
    axes[0, 0].set(xscale="log", xlabel="loss (nat)", title="Remedies against over-fitting, one at a time")
    axes[0, 0].title.set_horizontalalignment("right")
    axes[0, 0].legend(fontsize=8, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    return style.sign(figure, f"{remedies.IMAGES} digits, network 64-64-10, Adam, η = 0.01, 400 updates, seed 0")
