"""The update rules and schedules once more: NumPy, float64, written from the papers and not from jaxdl.

A rule takes a starting point of shape ``(n,)``, gradients ``(T, n)`` and rates ``(T,)``, and returns the path
``(T, n)`` of the points after each update. Coordinates are independent, so one vector stands for any pytree, and a
mask is a vector of coefficients.
"""

import numpy as np

# --- momentum -------------------------------------------------------------------------------------------------------


def dampened_sgd(theta, gradients, rates, momentum, dampening, nesterov="no", dampen_first=True):
    """torch's documentation; Nesterov of the undampened gradient ("undamped") or of the dampened one ("damped", Muon).

    The velocity is an explicit sum over all gradients so far.
    """
    kept = np.full(len(gradients), 1 - dampening)
    kept[0] = kept[0] if dampen_first else 1.0
    entering = kept[:, None] * gradients
    powers = [momentum ** np.arange(t, -1.0, -1.0) for t in range(len(gradients))]
    b = np.array([w @ entering[: len(w)] for w in powers])
    directions = {"no": b, "undamped": gradients + momentum * b, "damped": entering + momentum * b}[nesterov]
    return sgd(theta, directions, rates)


def sgd(theta, gradients, rates, momentum=0.0, nesterov=False, learning_rate_in_velocity=False):
    """Gradient descent, or one of the two momentum conventions below."""
    descend = _velocity_of_steps if learning_rate_in_velocity else _velocity_of_directions
    return descend(theta, gradients, rates, momentum, nesterov)


def _velocity_of_directions(theta, directions, rates, mu, nesterov):
    """Polyak (1964) in the form of torch's documentation: b = μb + g, θ = θ − η b, or − η (g + μb)."""
    path, b = [], np.zeros_like(theta)
    for u, eta in zip(directions, rates, strict=True):
        b = mu * b + u
        theta = theta - eta * (u + mu * b if nesterov else b)
        path.append(theta)
    return np.array(path)


def _velocity_of_steps(theta, directions, rates, mu, nesterov):
    """Sutskever et al. (2013), equations 1-4: v = μv − ηg, θ = θ + v; for Nesterov g belongs to the point θ + μv."""
    path, v = [], np.zeros_like(theta)
    for u, eta in zip(directions, rates, strict=True):
        v = mu * v - eta * u
        theta = theta + v
        path.append(theta + mu * v if nesterov else theta)
    return np.array(path)


# --- RMSProp --------------------------------------------------------------------------------------------------------


def rmsprop(
    theta,
    gradients,
    rates,
    decay=0.9,
    eps=1e-8,
    initial_scale=0.0,
    eps_in_sqrt=True,
    centered=False,
    momentum=0.0,
    nesterov=False,
    bias_correction=False,
    learning_rate_in_velocity=True,
    division=None,
):
    """Tieleman and Hinton (2012); centred: Graves (2013), equations 38-45. The moments are explicit weighted sums."""
    moment = _variance if centered else _mean_square
    steps = range(1, len(gradients) + 1)
    h = np.array([moment(gradients[:t], decay, initial_scale, bias_correction) for t in steps])
    directions = divided(gradients, h, eps, np.ones_like(h), division or ("inside" if eps_in_sqrt else "outside"))
    return sgd(theta, directions, rates, momentum, nesterov, learning_rate_in_velocity)


def _weights(decay, t):
    """What an exponential moving average gives to observations 1..t; the start keeps the rest, decay^t."""
    return (1 - decay) * decay ** np.arange(t - 1.0, -1.0, -1.0)


def _mean_square(gradients, decay, initial_scale, bias_correction):
    t = len(gradients)
    total = _weights(decay, t) @ gradients**2 + decay**t * initial_scale
    return total / (1 - decay**t) if bias_correction else total


def _variance(gradients, decay, initial_scale, bias_correction):
    """Two passes: the weighted mean, then the weighted squares about it. The start is an observation of mean zero."""
    w, start = _weights(decay, len(gradients)), decay ** len(gradients)
    if bias_correction:
        w, start = w / w.sum(), 0.0
    mean = w @ gradients
    return w @ (gradients - mean) ** 2 + start * (initial_scale + mean**2)


# --- Adam -----------------------------------------------------------------------------------------------------------


def adam(
    theta,
    gradients,
    rates,
    b1=0.9,
    b2=0.999,
    eps=1e-8,
    eps_root=0.0,
    nesterov=False,
    bias_correction=True,
    weight_decay=0.0,
    l2=0.0,
    correct_only="both",
    division="outside",
):
    """Kingma and Ba (2015), algorithm 1; NAdam: Dozat (2016), algorithm 2; λ and L2: Loshchilov and Hutter (2019)."""
    path, m, v = [], np.zeros_like(theta), np.zeros_like(theta)
    decays = np.broadcast_to(weight_decay, gradients.shape)
    for t, (g, eta, decay) in enumerate(zip(gradients, rates, decays, strict=True), start=1):
        g = g + l2 * theta
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        now, ahead, square = (1 - b1**t, 1 - b1 ** (t + 1), 1 - b2**t) if bias_correction else (1.0, 1.0, 1.0)
        now, square = (1.0 if correct_only == "nu" else now), (1.0 if correct_only == "mu" else square)
        m_hat = b1 * m / ahead + (1 - b1) * g / now if nesterov else m / now
        u = divided(m_hat, v / square + eps_root, eps, square, division)
        theta = theta - eta * u - eta * decay * theta
        path.append(theta)
    return np.array(path)


def divided(u, mean_square, eps, correction, division):
    """ε beside the root, beside the root of the uncorrected mean square, under the root, or as a floor."""
    if division == "hat":
        return u * np.sqrt(correction) / (np.sqrt(mean_square * correction) + eps)
    roots = {"outside": np.sqrt(mean_square) + eps, "inside": np.sqrt(mean_square + eps)}
    return u / {**roots, "clamped": np.maximum(np.sqrt(mean_square), eps)}[division]


# --- before the rule: penalties and clipping ------------------------------------------------------------------------


def decayed_sgd(theta, gradients, rates, weight_decay=0.0):
    """Gradient descent on loss + ½ λ‖θ‖²."""
    path = []
    for g, eta in zip(gradients, rates, strict=True):
        theta = theta - eta * (g + weight_decay * theta)
        path.append(theta)
    return np.array(path)


def clipped_sgd(theta, gradients, rates, max_delta):
    """Every element of the gradient into [−δ, δ]."""
    return sgd(theta, np.sign(gradients) * np.minimum(np.abs(gradients), max_delta), rates)


def norm_clipped_sgd(theta, gradients, rates, max_norm):
    """Pascanu, Mikolov and Bengio (2013), algorithm 1, over the whole vector of each step."""
    norms = np.sqrt(np.sum(gradients**2, axis=1, keepdims=True))
    return sgd(theta, np.where(norms > max_norm, gradients * max_norm / norms, gradients), rates)


# --- schedules: arrays of counts, 0 at the first update --------------------------------------------------------------


def constant(count, value):
    return np.full(count.shape, float(value))


def piecewise_constant(count, init_value, boundaries_and_scales):
    return np.array([init_value * np.prod([s for b, s in boundaries_and_scales.items() if t >= b]) for t in count])


def polynomial(count, init_value, end_value, power, transition_steps, transition_begin=0):
    left = 1 - np.clip((count - transition_begin) / transition_steps, 0, 1)
    return end_value + (init_value - end_value) * left**power


def linear(count, init_value, end_value, transition_steps, transition_begin=0):
    knots = [transition_begin, transition_begin + transition_steps]
    return np.interp(count, knots, [init_value, end_value])


def exponential(count, init_value, transition_steps, decay_rate, transition_begin=0, staircase=False, end_value=None):
    periods = np.maximum(count - transition_begin, 0) / transition_steps
    value = init_value * np.exp(np.log(decay_rate) * (np.floor(periods) if staircase else periods))
    if end_value is None:
        return value
    return np.maximum(value, end_value) if decay_rate < 1 else np.minimum(value, end_value)


def cosine(count, init_value, decay_steps, alpha=0.0, exponent=1.0):
    """Loshchilov and Hutter (2017), equation 5; ½(1 + cos πp) written as cos² ½πp."""
    fall = np.cos(np.pi / 2 * np.minimum(count, decay_steps) / decay_steps) ** 2
    return init_value * (alpha + (1 - alpha) * fall**exponent)


def warmup_cosine(count, init_value, peak_value, warmup_steps, decay_steps, end_value=0.0, exponent=1.0):
    rise = linear(count, init_value, peak_value, warmup_steps)
    fall = cosine(count - warmup_steps, 1.0, decay_steps - warmup_steps, exponent=exponent)
    return np.where(count < warmup_steps, rise, end_value + (peak_value - end_value) * fall)


def inverse_time(count, init_value, transition_steps, decay_rate, staircase=False):
    periods = count / transition_steps
    return init_value / (1 + decay_rate * (np.floor(periods) if staircase else periods))
