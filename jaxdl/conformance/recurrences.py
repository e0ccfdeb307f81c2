"""The rules of the field once more, as NumPy recurrences with their conventions as arguments: what a probe is held to.

Written from the papers and the frameworks' documentation, and sharing no line with ``jaxdl/transforms``. A *direction*
takes gradients of shape ``(T, lanes)`` and hyper-parameters and returns directions of that shape, no rate and no sign;
a *velocity* does the same with directions. Lanes are independent.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


def _scan(gradients: Array, step: Callable[..., tuple[Array, Any]], state: Any) -> Array:
    """``step(t, g, state) -> (direction, state)`` for t = 1, 2, …"""
    out = np.empty_like(gradients)
    for i, g in enumerate(gradients):
        out[i], state = step(i + 1, g, state)
    return out


def _zeros(gradients: Array, count: int) -> tuple[Array, ...]:
    return tuple(np.zeros(gradients.shape[1:]) for _ in range(count))


# --- denominators: where ε stands -------------------------------------------------------------------------------------

DENOMINATORS: dict[str, Callable[[Array, float], Array]] = {
    "outside": lambda v, eps: np.sqrt(v) + eps,
    "inside": lambda v, eps: np.sqrt(v + eps),
    "clamp": lambda v, eps: np.maximum(np.sqrt(v), eps),
}


# --- velocities -------------------------------------------------------------------------------------------------------


def heavy_ball(directions: Array, mu: float) -> Array:
    """b ← μ b + u, as the sum of what is remembered of each u."""
    t = np.arange(len(directions))
    remembered: Array = np.tril(np.power(mu, np.maximum(t[:, None] - t, 0.0)))
    total: Array = remembered @ directions
    return total


def nesterov(directions: Array, mu: float) -> Array:
    """u + μ b."""
    return directions + mu * heavy_ball(directions, mu)


def debiased_average(directions: Array, mu: float) -> Array:
    """(1 − μ) b / (1 − μᵗ)."""
    t = np.arange(1, len(directions) + 1)[:, None]
    return (1 - mu) * heavy_ball(directions, mu) / (1 - mu**t)


def dampened(directions: Array, mu: float, dampening: float) -> Array:
    """torch: b₁ = u₁, b ← μ b + (1 − d) u."""
    weights = np.full((len(directions), 1), 1 - dampening)
    weights[0] = 1
    return heavy_ball(directions * weights, mu)


def dampened_nesterov(directions: Array, mu: float, dampening: float) -> Array:
    """The same, looking ahead: u + μ b."""
    return directions + mu * dampened(directions, mu, dampening)


# --- directions without a denominator ---------------------------------------------------------------------------------


def gradient(g: Array) -> Array:
    """g."""
    return g


def sign(g: Array) -> Array:
    """sign g."""
    return np.sign(g)


def signum(g: Array, mu: float) -> Array:
    """sign b (Bernstein et al. 2018)."""
    return np.sign(heavy_ball(g, mu))


def lion(g: Array, b1: float, b2: float) -> Array:
    """Chen et al. 2023: sign of an interpolation with b1, memory with b2."""
    memory = np.concatenate([np.zeros_like(g[:1]), (1 - b2) * heavy_ball(g, b2)[:-1]])
    return np.sign(b1 * memory + (1 - b1) * g)


def optimistic(g: Array, beta: float) -> Array:
    """Daskalakis et al. 2018: (1 + β) g − β g₋₁, with g₀ = g₁; their α is a gain."""
    return (1 + beta) * g - beta * np.concatenate([g[:1], g[:-1]])


# --- RMSProp and its kin ----------------------------------------------------------------------------------------------


def adagrad(g: Array, start: float, eps: float, *, form: str) -> Array:
    """Duchi et al. 2011, from an initial accumulator; 0 where nothing was seen."""
    total = start + np.cumsum(g**2, axis=0)
    return np.where(total > 0, g, 0) / np.where(total > 0, DENOMINATORS[form](total, eps), 1)


def rms(g: Array, decay: float, eps: float, start: float = 0.0, *, form: str, corrected: bool) -> Array:
    """Tieleman and Hinton 2012."""
    t = np.arange(1, len(g) + 1)[:, None]
    v = (1 - decay) * heavy_ball(g**2, decay) + start * decay**t
    return g / DENOMINATORS[form](v / (1 - decay**t) if corrected else v, eps)


def centred(g: Array, decay: float, eps: float, start: float = 0.0, *, form: str, corrected: bool) -> Array:
    """Graves 2013, in two passes; corrected, the weights sum to one, else a start at mean 0 has the rest."""
    t = np.arange(len(g))
    weights = np.tril((1 - decay) * decay ** np.maximum(t[:, None] - t, 0.0))
    rest = 1 - weights.sum(axis=1, keepdims=True)
    if corrected:
        weights, rest = weights / weights.sum(axis=1, keepdims=True), np.zeros_like(rest)
    mean = weights @ g
    spread = np.sum(weights[:, :, None] * (g[None] - mean[:, None]) ** 2, axis=1)
    return g / DENOMINATORS[form](spread + rest * (start + mean**2), eps)


def adadelta(g: Array, decay: float, eps: float) -> Array:
    """Zeiler 2012, algorithm 1."""

    def step(t: int, g: Array, state: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        square = decay * state[0] + (1 - decay) * g**2
        u = np.sqrt(state[1] + eps) / np.sqrt(square + eps) * g
        return u, (square, decay * state[1] + (1 - decay) * u**2)

    return _scan(g, step, _zeros(g, 2))


def sm3(g: Array, b1: float, eps: float) -> Array:
    """Anil et al. 2019 on a scalar: Adagrad's direction from zero, averaged."""
    return (1 - b1) * heavy_ball(adagrad(g, 0.0, eps, form="inside"), b1)


# --- Adam and its kin -------------------------------------------------------------------------------------------------

COUNTS: dict[str, Callable[[Array], Array]] = {
    "1, 2, 3, …": lambda t: t,
    "0, 1, 2, … (starts one late)": lambda t: t - 1,
    "2, 3, 4, … (starts one early)": lambda t: t + 1,
    "1, 3, 5, … (skips every other)": lambda t: 2 * t - 1,
    "1, 1, 1, … (never advances)": lambda t: np.ones_like(t),
}
"""Which t a bias correction sees at the updates 1, 2, 3, …"""


def _corrections(length: int, count: str, beta: float, corrected: bool, ahead: int = 0) -> Array:
    t = COUNTS[count](np.arange(1.0, length + 1))[:, None] + ahead
    return 1 - beta**t if corrected else np.ones_like(t)


def adam(
    g: Array,
    b1: float,
    b2: float,
    eps: float,
    *,
    form: str = "outside",
    mean: bool = True,
    square: bool = True,
    count: str = "1, 2, 3, …",
    look_ahead: bool = False,
) -> Array:
    """Kingma and Ba 2015; ``hat`` is the form before their algorithm 1, ε beside the uncorrected root (ε̂)."""
    m, v = (1 - b1) * heavy_ball(g, b1), (1 - b2) * heavy_ball(g**2, b2)
    now = _corrections(len(g), count, b1, mean)
    m_hat = m / now
    if look_ahead:
        m_hat = b1 * m / _corrections(len(g), count, b1, mean, ahead=1) + (1 - b1) * g / now
    correction = _corrections(len(g), count, b2, square)
    if form == "hat":
        return m_hat * np.sqrt(correction) / (np.sqrt(v) + eps)
    return m_hat / DENOMINATORS[form](v / correction, eps)


def amsgrad(g: Array, b1: float, b2: float, eps: float, *, maximum: str) -> Array:
    """Reddi et al. 2018, with the maximum before, after or without bias correction of v."""
    t = np.arange(1, len(g) + 1)[:, None]
    m_hat, v = (1 - b1) * heavy_ball(g, b1) / (1 - b1**t), (1 - b2) * heavy_ball(g**2, b2)
    correction = 1 - b2**t
    largest: dict[str, Callable[[], Array]] = {
        "before": lambda: np.maximum.accumulate(v, axis=0) / correction,
        "after": lambda: np.maximum.accumulate(v / correction, axis=0),
        "uncorrected": lambda: np.maximum.accumulate(v, axis=0),
    }
    root: Array = np.sqrt(largest[maximum]())
    return m_hat / (root + eps)


def adamax(g: Array, b1: float, b2: float, eps: float, *, in_maximum: bool) -> Array:
    """Kingma and Ba 2015, algorithm 2; ε inside the maximum or beside it."""

    def step(t: int, g: Array, u: Array) -> tuple[Array, Array]:
        u = np.maximum(b2 * u, np.abs(g) + (eps if in_maximum else 0))
        return u + (0 if in_maximum else eps), u

    t = np.arange(1, len(g) + 1)[:, None]
    return (1 - b1) * heavy_ball(g, b1) / (1 - b1**t) / _scan(g, step, _zeros(g, 1)[0])


def nadam(g: Array, b1: float, b2: float, eps: float, *, psi: float) -> Array:
    """Dozat 2016 with his schedule of momenta, μ_t = β₁ (1 − ½ · 0.96^(tψ)), and their running product."""
    t = np.arange(1.0, len(g) + 2)[:, None]
    mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
    product = np.cumprod(mu, axis=0)
    m, v = (1 - b1) * heavy_ball(g, b1), (1 - b2) * heavy_ball(g**2, b2)
    m_hat = mu[1:] * m / (1 - product[1:]) + (1 - mu[:-1]) * g / (1 - product[:-1])
    return m_hat / (np.sqrt(v / (1 - b2 ** t[:-1])) + eps)


def radam(g: Array, b1: float, b2: float, eps: float, *, eps_corrected: bool) -> Array:
    """Liu et al. 2020, rectified from ρ = 5 on; ε beside the corrected root, or (torch) the uncorrected one."""
    t = np.arange(1, len(g) + 1)[:, None]
    limit = 2 / (1 - b2) - 1
    rho = limit - 2 * t * b2**t / (1 - b2**t)
    rectified = np.sqrt(np.maximum((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho), 0))
    m_hat, v = (1 - b1) * heavy_ball(g, b1) / (1 - b1**t), (1 - b2) * heavy_ball(g**2, b2)
    root = np.sqrt(1 - b2**t)
    adaptive = m_hat / (np.sqrt(v) / root + eps) if eps_corrected else m_hat * root / (np.sqrt(v) + eps)
    step: Array = np.where(rho >= 5, rectified * adaptive, m_hat)
    return step


def adabelief(g: Array, b1: float, b2: float, eps: float, eps_root: float) -> Array:
    """Zhuang et al. 2020: variance about m; ε_root joins the stored moment at every step."""
    t = np.arange(1, len(g) + 1)[:, None]
    m = (1 - b1) * heavy_ball(g, b1)
    s = heavy_ball((1 - b2) * (g - m) ** 2 + eps_root, b2)
    return m / (1 - b1**t) / (np.sqrt(s / (1 - b2**t)) + eps)


def yogi(g: Array, b1: float, b2: float, eps: float, start: float) -> Array:
    """Zaheer et al. 2018, with m₀ = v₀ = ``start`` and bias correction as if they were 0."""

    def step(t: int, g: Array, v: Array) -> tuple[Array, Array]:
        v = v - (1 - b2) * np.sign(v - g**2) * g**2
        return v, v

    t = np.arange(1, len(g) + 1)[:, None]
    m = (1 - b1) * heavy_ball(g, b1) + start * b1**t
    v: Array = _scan(g, step, np.full(g.shape[1:], start))
    root: Array = np.sqrt(np.maximum(v, 0) / (1 - b2**t))
    denominator: Array = (1 - b1**t) * (root + eps)
    return m / denominator


def adan(g: Array, b1: float, b2: float, b3: float, eps: float, eps_root: float) -> Array:
    """Xie et al. 2022, algorithm 1, corrected, with b the memories; the first difference is 0."""
    t = np.arange(1, len(g) + 1)[:, None]
    change = g - np.concatenate([g[:1], g[:-1]])
    m, d = (1 - b1) * heavy_ball(g, b1) / (1 - b1**t), (1 - b2) * heavy_ball(change, b2) / (1 - b2**t)
    n = (1 - b3) * heavy_ball((g + (1 - b2) * change) ** 2, b3) / (1 - b3**t)
    return (m + (1 - b2) * d) / (np.sqrt(n + eps_root) + eps)


def novograd(g: Array, b1: float, b2: float, eps: float) -> Array:
    """Ginsburg et al. 2019 on a scalar: v₁ = g₁², momentum of normalised gradients."""
    v = (1 - b2) * heavy_ball(np.concatenate([g[:1] ** 2 / (1 - b2), g[1:] ** 2]), b2)
    return heavy_ball(g / (np.sqrt(v) + eps), b1)
