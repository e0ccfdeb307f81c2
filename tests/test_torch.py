"""The same rules in torch: float64 paths from one gradient sequence, where torch is installed."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import optax
import pytest

from jaxdl import optimizers, transforms
from tests import cases

torch = pytest.importorskip("torch")


class Pair(NamedTuple):
    """One rule in torch's spelling and in ours."""

    name: str
    theirs: Callable[..., Any]
    keywords: Mapping[str, Any]
    ours: Callable[[Any], Any]


PAIRS = (
    Pair("sgd", torch.optim.SGD, {}, optimizers.sgd),
    Pair("heavy ball", torch.optim.SGD, {"momentum": 0.9}, optimizers.momentum),
    Pair("nesterov", torch.optim.SGD, {"momentum": 0.9, "nesterov": True}, optimizers.nesterov),
    Pair(
        "rmsprop",
        torch.optim.RMSprop,
        {"eps": 0.1},
        lambda rate: optimizers.rmsprop(rate, decay=0.99, eps=0.1, eps_in_sqrt=False),
    ),
    Pair(
        "rmsprop, momentum",
        torch.optim.RMSprop,
        {"momentum": 0.9},
        lambda rate: optimizers.rmsprop(
            rate, decay=0.99, eps_in_sqrt=False, momentum=0.9, learning_rate_in_velocity=False
        ),
    ),
    Pair(
        "centred rmsprop",
        torch.optim.RMSprop,
        {"centered": True},
        lambda rate: optimizers.rmsprop(rate, decay=0.99, eps_in_sqrt=False, centered=True),
    ),
    Pair("adam", torch.optim.Adam, {}, optimizers.adam),
    Pair("adam, large eps", torch.optim.Adam, {"eps": 0.1}, lambda rate: optimizers.adam(rate, eps=0.1)),
    Pair(
        "adam, coupled l2",
        torch.optim.Adam,
        {"weight_decay": 0.3},
        lambda rate: optax.chain(transforms.add_l2_gradient(0.3), optimizers.adam(rate)),
    ),
    Pair("adamw", torch.optim.AdamW, {"weight_decay": 0.3}, lambda rate: optimizers.adamw(rate, weight_decay=0.3)),
)


def torch_path(pair: Pair) -> np.ndarray:
    """torch's path, its rate set by hand before each step."""
    start, gradients = cases.feed("float64")
    theta = torch.nn.Parameter(torch.tensor(start))
    optimizer = pair.theirs([theta], lr=1.0, **pair.keywords)
    path = []
    for gradient, eta in zip(gradients, cases.RATES["cosine"].values(cases.SIZE_OF_RATE), strict=True):
        optimizer.param_groups[0]["lr"] = float(eta)
        theta.grad = torch.tensor(gradient)
        optimizer.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_path_under_a_decaying_rate_is_torchs(pair):
    ours = cases.path(pair.ours(cases.RATES["cosine"].ours(cases.SIZE_OF_RATE)), *cases.feed("float64"))
    assert cases.deviation(ours, torch_path(pair)) <= cases.TOLERANCE["float64"]
