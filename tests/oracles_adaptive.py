"""More twins of ``tests/oracles.py``, in its conventions: Adagrad, Adadelta, the kin of Adam, signs, and decay."""

import numpy as np

from tests.oracles import divided, sgd

# --- sums and averages of squares ------------------------------------------------------------------------------------


def adagrad(theta, gradients, rates, initial_accumulator_value=0.1, eps=1e-7, eps_in_sqrt=True):
    """Duchi, Hazan and Singer (2011), figure 1, with a start."""
    s = initial_accumulator_value + np.cumsum(gradients**2, axis=0)
    return sgd(theta, gradients / (np.sqrt(s + eps) if eps_in_sqrt else np.sqrt(s) + eps), rates)


def adadelta(theta, gradients, rates, rho=0.9, eps=1e-6, weight_decay=0.0):
    """Zeiler (2012), algorithm 1, whose RMS[x] is √(E[x²] + ε); L2 joins the gradient."""
    path, squares, steps = [], np.zeros_like(theta), np.zeros_like(theta)
    for g, eta in zip(gradients, rates, strict=True):
        g = g + weight_decay * theta
        squares = rho * squares + (1 - rho) * g**2
        step = -np.sqrt(steps + eps) / np.sqrt(squares + eps) * g
        steps = rho * steps + (1 - rho) * step**2
        theta = theta + eta * step
        path.append(theta)
    return np.array(path)


# --- the kin of Adam -------------------------------------------------------------------------------------------------


def _averages(gradients, beta):
    """Every exponential moving average from zero, as a weighted sum."""
    steps = range(1, len(gradients) + 1)
    return np.array([(1 - beta) * beta ** np.arange(t - 1.0, -1.0, -1.0) @ gradients[:t] for t in steps])


def _corrections(gradients, beta, corrected=True):
    t = np.arange(1.0, len(gradients) + 1)[:, None]
    return 1 - beta**t if corrected else np.ones_like(t)


def amsgrad(
    theta,
    gradients,
    rates,
    b1=0.9,
    b2=0.999,
    eps=1e-8,
    eps_root=0.0,
    bias_correction_mu=True,
    bias_correction_nu=True,
    maximum="of corrected",
    division="outside",
):
    """Reddi, Kale and Kumar (2018), algorithm 2; the correction before the maximum (optax) or after it (torch)."""
    m, v = _averages(gradients, b1), _averages(gradients**2, b2)
    now, c = _corrections(m, b1, bias_correction_mu), _corrections(v, b2, bias_correction_nu)
    largest = np.maximum.accumulate
    v_hat = largest(v / c) if maximum == "of corrected" else largest(v) / c
    return sgd(theta, divided(m / now, v_hat + eps_root, eps, c, division), rates)


def adamax(theta, gradients, rates, b1=0.9, b2=0.999, eps=1e-8, eps_in_maximum=True, weight_decay=0.0):
    """Kingma and Ba (2015), algorithm 2: the norm is max over τ of β₂^(t−τ) |g_τ|; ε as in torch or as in Keras."""
    sizes = np.abs(gradients) + (eps if eps_in_maximum else 0.0)
    powers = [b2 ** np.arange(t, -1.0, -1.0)[:, None] for t in range(len(gradients))]
    norms = np.array([np.max(p * sizes[: len(p)], axis=0) for p in powers]) + (0.0 if eps_in_maximum else eps)
    return _decoupled(theta, _averages(gradients, b1) / _corrections(gradients, b1) / norms, rates, weight_decay)


def nadam(theta, gradients, rates, b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0, momentum_decay=0.004, weight_decay=0.0):
    """Dozat (2016), algorithm 2, with μ_t = β₁ (1 − ½ 0.96^(tψ))."""
    t = np.arange(1.0, len(gradients) + 2)[:, None]
    mu = b1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    left = 1 - np.cumprod(mu, axis=0)
    m_hat = mu[1:] * _averages(gradients, b1) / left[1:] + (1 - mu[:-1]) * gradients / left[:-1]
    n_hat = _averages(gradients**2, b2) / _corrections(gradients, b2)
    return _decoupled(theta, m_hat / (np.sqrt(n_hat + eps_root) + eps), rates, weight_decay)


def radam(
    theta,
    gradients,
    rates,
    b1=0.9,
    b2=0.999,
    eps=1e-8,
    eps_root=0.0,
    threshold=5.0,
    nesterov=False,
    division="outside",
):
    """Liu et al. (2020), algorithm 2."""
    t = np.arange(1.0, len(gradients) + 1)[:, None]
    now, c, rho_inf = _corrections(gradients, b1), _corrections(gradients, b2), 2 / (1 - b2) - 1
    rho = rho_inf - 2 * t * b2**t / c
    m = _averages(gradients, b1)
    m_hat = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * gradients / now if nesterov else m / now
    adaptive = divided(m_hat, _averages(gradients**2, b2) / c + eps_root, eps, c, division)
    square = (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)
    return sgd(theta, np.where(rho >= threshold, np.sqrt(np.maximum(square, 0)) * adaptive, m_hat), rates)


# --- signs -----------------------------------------------------------------------------------------------------------


def sign_sgd(theta, gradients, rates):
    """Bernstein et al. (2018), algorithm 1."""
    return sgd(theta, np.sign(gradients), rates)


def signum(theta, gradients, rates, beta=0.9):
    """Bernstein et al. (2018), algorithm 2."""
    return sgd(theta, np.sign(_averages(gradients, beta)), rates)


def lion(theta, gradients, rates, b1=0.9, b2=0.99, weight_decay=1e-3):
    """Chen et al. (2023), algorithm 2."""
    before = np.vstack([np.zeros_like(theta), _averages(gradients, b2)[:-1]])
    return _decoupled(theta, np.sign(b1 * before + (1 - b1) * gradients), rates, weight_decay)


# --- decay -----------------------------------------------------------------------------------------------------------


def _decoupled(theta, directions, rates, weight_decay):
    """Loshchilov and Hutter (2019), algorithm 2, with λ times the rate as in all frameworks."""
    path = []
    for u, eta in zip(directions, rates, strict=True):
        theta = (1 - eta * weight_decay) * theta - eta * u
        path.append(theta)
    return np.array(path)


def shrunk(theta, gradients, rates, weight_decay=0.3, form="times rate", momentum=0.0):
    """Steps of momentum with the rate inside, and weights that shrink beside them, by each convention."""
    path, v, peak = [], np.zeros_like(theta), np.max(rates)
    for g, eta in zip(gradients, rates, strict=True):
        v = momentum * v - eta * g
        part = {
            "times rate": eta * weight_decay,
            "times schedule": eta / peak * weight_decay,
            "fixed": weight_decay,
            "corrected": eta**2 / peak * weight_decay,
            "palm": eta**2 * weight_decay,
        }
        kept = 1 / (1 + eta * weight_decay) if form == "proximal" else 1 - part[form]
        theta = kept * (theta + v) if form == "proximal" else kept * theta + v
        path.append(theta)
    return np.array(path)
