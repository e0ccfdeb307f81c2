"""Figures of plane geometry: representations, folding, XOR, norms, contact, polynomials, preprocessing."""

import numpy as np
from matplotlib.figure import Figure

from experiments.lecture import conditioning, contact, nonlinearity, polynomials
from experiments.lecture.figures import style
from experiments.lecture.laboratory import Laboratory
from jaxdl.data import preprocessing


def polar(lab: Laboratory) -> Figure:
    """Slide 7: the same points in X-Y and in r-θ."""
    x, y = nonlinearity.disc_and_ring()
    r, theta = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    figure, axes = style.new(2)
    for panel, points, labels in ((axes[0, 0], x.T, ("x", "y")), (axes[0, 1], (r, theta), ("r", "θ (rad)"))):
        for value, colour in ((1, style.RED), (0, style.BLUE)):
            some = (np.asarray(c)[y == value] for c in points)
            panel.plot(*some, "o", color=colour, markersize=3, label=f"class {value}")
        panel.set(xlabel=labels[0], ylabel=labels[1])
    axes[0, 1].axvline(3, color="0.3", linestyle="--", label="r = 3")
    for panel in axes[0]:
        panel.legend(fontsize=8, loc="upper left", bbox_to_anchor=(0.0, -0.13), ncols=3)
    axes[0, 0].set(title="X-Y: no line separates", aspect="equal")
    axes[0, 1].set(title="r-θ: one threshold separates")
    return style.sign(figure, "200 points")


def folding(lab: Laboratory) -> Figure:
    """Slide 7: a pattern drawn once in the folded plane appears once, twice, four times."""
    ticks = np.linspace(-1, 1, 400)
    x, y = np.meshgrid(ticks, ticks)
    folds = (
        ("no fold", x, y, ()),
        ("folded along x = 0: |x|", np.abs(x), y, ("v",)),
        ("and along y = 0: |x|, |y|", np.abs(x), np.abs(y), ("v", "h")),
    )
    figure, axes = style.new(3, width=3.7, height=3.5)
    for panel, (title, u, v, mirrors) in zip(axes[0], folds, strict=True):
        petal = np.hypot(u - 0.5, v - 0.5) + 0.18 * np.cos(3 * np.arctan2(v - 0.5, u - 0.5) + 0.6)
        panel.contourf(x, y, petal, levels=[-1, 0.25, 3], colors=[style.RED, "#eef2fa"])
        for mirror in mirrors:
            (panel.axvline if mirror == "v" else panel.axhline)(0, color="0.2", linestyle="--", linewidth=1)
        panel.set(title=title, xlabel="x", ylabel="y", aspect="equal")
    return style.sign(figure, "a pattern in the folded plane, seen from the unfolded one; dashed: mirror axes")


def xor(lab: Laboratory) -> Figure:
    """Slide 8: the plane of (x₁, x₂), that of (h₁, h₂), and the output."""
    x, y = nonlinearity.XOR
    w = np.array([[1.0, -1], [-1, 1]])
    h = np.maximum(x @ w.T, 0)
    figure, axes = style.new(3, width=3.7, height=3.4)
    for panel, points, labels in ((axes[0, 0], x, ("x₁", "x₂")), (axes[0, 1], h, ("h₁", "h₂"))):
        for value, colour in ((1, style.RED), (0, style.BLUE)):
            panel.plot(*points[y == value].T, "o", color=colour, markersize=9, label=f"XOR = {value}")
        panel.set(xlabel=labels[0], ylabel=labels[1], xlim=(-0.2, 1.2), ylim=(-0.2, 1.2), aspect="equal")
    axes[0, 0].legend(fontsize=8, loc="center")
    axes[0, 0].set_title("inputs: no line separates")
    axes[0, 1].plot([-0.2, 0.7], [0.7, -0.2], "--", color="0.3")
    axes[0, 1].set_title("hidden: a line does")
    ticks = np.linspace(-0.2, 1.2, 200)
    plane = np.stack(np.meshgrid(ticks, ticks), -1)
    output = np.maximum(plane @ w.T, 0) @ np.array([1.0, 1.0])
    shown = axes[0, 2].contourf(ticks, ticks, output, levels=12, cmap="RdBu_r")
    figure.colorbar(shown, ax=axes[0, 2], label="y = h₁ + h₂")
    axes[0, 2].set(title="output with weights 1, 1", xlabel="x₁", ylabel="x₂", aspect="equal")
    return style.sign(figure, "h₁ = ReLU(x₁ − x₂), h₂ = ReLU(x₂ − x₁); the slide's table prints ½ y")


def balls(lab: Laboratory) -> Figure:
    """Slide 36: unit balls of L_p."""
    ticks = np.linspace(-1.25, 1.25, 501)
    x = np.abs(np.stack(np.meshgrid(ticks, ticks)))
    figure, axes = style.new(1, width=5.0, height=4.4)
    kinds = ((0.5, "p = ½ (no norm)"), (1, "p = 1"), (2, "p = 2"), (4, "p = 4"), (np.inf, "p = ∞"))
    for colour, (p, text) in zip(style.COLOURS, kinds, strict=False):
        size = x.max(0) if np.isinf(p) else (x**p).sum(0) ** (1 / p)
        axes[0, 0].contour(ticks, ticks, size, levels=[1], colors=[colour], linewidths=1.6)
        axes[0, 0].plot([], [], color=colour, label=text)
    axes[0, 0].set(xlabel="x₁", ylabel="x₂", title="‖x‖ₚ = 1", aspect="equal")
    axes[0, 0].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return style.sign(figure, "all points at distance 1 from the origin")


def touching(lab: Laboratory) -> Figure:
    """Slide 35: where the bowl touches the diamond and the ball."""
    ticks = np.linspace(-1.6, 3, 300)
    plane = np.stack(np.meshgrid(ticks, ticks), -1)
    figure, axes = style.new(2)
    weight = 1.0
    for panel, title, at, size in (
        (axes[0, 0], "L1: the second coordinate is 0", contact.lasso(weight), np.abs(plane).sum(-1)),
        (axes[0, 1], "L2: no coordinate is 0", contact.ridge(weight), np.sqrt((plane**2).sum(-1))),
    ):
        radius = np.abs(at).sum() if panel is axes[0, 0] else np.hypot(*at)
        touched = float(contact.loss(at))
        panel.contour(
            ticks,
            ticks,
            contact.loss(plane),
            levels=sorted([0.1, 0.3, touched, 1.5, 2.5]),
            colors=style.BLUE,
            linewidths=0.8,
        )
        panel.contourf(ticks, ticks, size, levels=[0, radius], colors=["#f6d8a8"])
        panel.plot(*contact.MINIMUM, "+", color=style.BLUE, markersize=10, label="minimum without a penalty")
        panel.plot(*at, "o", color=style.RED, label=f"with one: ({at[0]:.2f}, {at[1]:.2f})")
        panel.axhline(0, color="0.6", linewidth=0.6)
        panel.axvline(0, color="0.6", linewidth=0.6)
        panel.set(xlabel="θ₁", ylabel="θ₂", title=title, aspect="equal")
        panel.legend(fontsize=8, loc="upper left")
    return style.sign(figure, f"λ = {weight:g}; contours of the loss, the ball of the penalty")


def fitted(lab: Laboratory) -> Figure:
    """Slides 32 and 34: polynomials of degree 1, 2, 5, and degree 5 with a penalty."""
    x, y = polynomials.points()
    ticks = np.linspace(-1.08, 1.08, 400)
    figure, axes = style.new(1, width=6.4)
    curves = (
        ("degree 1", 1, 0.0),
        ("degree 2", 2, 0.0),
        ("degree 5", 5, 0.0),
        ("degree 7, through every point", 7, 0.0),
        ("degree 5, λ = 0.1", 5, 0.1),
    )
    for place, (text, degree, penalty) in enumerate(curves):
        w = polynomials.fit(x, y, degree, penalty)
        style_ = "--" if penalty else "-"
        axes[0, 0].plot(ticks, polynomials.value(w, ticks), style_, color=style.COLOURS[place], label=text)
    axes[0, 0].plot(x, y, "ko", markersize=5)
    axes[0, 0].set(xlabel="x", ylabel="f(x)", ylim=(-2, 2.2), title="Under-fitting, fitting, over-fitting")
    axes[0, 0].legend(fontsize=8)
    return style.sign(figure, "8 noisy points of a parabola")


def whitening(lab: Laboratory) -> Figure:
    """Slide 31: the same cloud raw, standardised, whitened."""
    cloud = np.random.default_rng(0).multivariate_normal((2.0, 1.0), ((2.0, 1.3), (1.3, 1.2)), 300)
    standard = (cloud - cloud.mean(0)) / cloud.std(0)
    panels = (
        ("original", cloud),
        ("standardised", standard),
        ("PCA-whitened", preprocessing.apply(preprocessing.whiten(cloud), cloud)),
    )
    figure, axes = style.new(3, width=3.6, height=3.4)
    for panel, (title, points) in zip(axes[0], panels, strict=True):
        panel.plot(*points.T, ".", color=style.BLUE, markersize=3)
        panel.axhline(0, color="0.6", linewidth=0.6)
        panel.axvline(0, color="0.6", linewidth=0.6)
        c = np.cov(points.T)
        panel.set(title=title, xlim=(-5, 7), ylim=(-5, 5), aspect="equal", ylabel="x₂")
        panel.set_xlabel(f"x₁\nvariances {c[0, 0]:.2f}, {c[1, 1]:.2f}; covariance {c[0, 1]:.2f}", fontsize=8)
    return style.sign(figure, "300 Gaussian points")


def conditioned(lab: Laboratory) -> Figure:
    """Slide 31: a linear model's squared error on the thirteen points before and after scaling.

    Drawn in the plane of the flattest and the steepest direction of all three parameters, where the axes of an ellipse
    are in the ratio √condition.
    """
    figure, axes = style.new(3, width=3.7, height=3.7)
    numbers, steps, _ = conditioning.table()
    ticks = np.linspace(-1.3, 1.3, 200)
    flat, steep = np.meshgrid(ticks, ticks)
    for panel, kind in zip(axes[0], ("raw", "min-max", "standardised"), strict=True):
        ratio = numbers[kind]
        panel.contour(ticks, ticks, flat**2 / ratio + steep**2, levels=np.array([0.1, 0.3, 0.6, 0.9, 1.2]) ** 2)
        slope = np.array([0.9 / ratio, 0.9])
        end = np.array([0.9, 0.9]) - 0.8 * slope / np.linalg.norm(slope)
        panel.annotate("", end, (0.9, 0.9), arrowprops={"arrowstyle": "->", "color": style.RED, "lw": 2})
        panel.plot(0, 0, "k+", markersize=10)
        panel.set(xlabel="flattest direction", ylabel="steepest direction", aspect="equal")
        panel.set_title(f"{kind}\ncondition {ratio:.3g}, {steps[kind]} steps to 1e-6", fontsize=9)
    return style.sign(figure, "squared error of a linear model with its bias; arrow: −gradient; +: minimum")
