"""The network that landscapes are timed on, and how other libraries compute its surface and its eigenvalues."""

import importlib.util
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

WIDTHS, SAMPLES = (784, 128, 128, 10), 1024


def arrays() -> dict[str, Any]:
    """Weights and two directions, by layer, and data: float32, the same for all."""
    rng = np.random.default_rng(0)
    shapes = list(pairwise(WIDTHS))

    def layers(scale: float) -> list[dict[str, np.ndarray]]:
        return [
            {
                "kernel": (rng.standard_normal(s) * scale / np.sqrt(s[0])).astype(np.float32),
                "bias": (0.1 * scale * rng.standard_normal(s[1])).astype(np.float32),
            }
            for s in shapes
        ]

    inputs = rng.standard_normal((SAMPLES, WIDTHS[0])).astype(np.float32)
    labels = rng.integers(0, WIDTHS[-1], SAMPLES).astype(np.int32)
    return {"params": layers(1.0), "axes": (layers(0.5), layers(0.5)), "batch": (inputs, labels)}


def loss(params: Any, inputs: Any, labels: Any) -> Any:
    """Mean cross-entropy of the network."""
    import jax.numpy as jnp

    from jaxdl import losses

    for layer in params[:-1]:
        inputs = jnp.tanh(inputs @ layer["kernel"] + layer["bias"])
    return losses.cross_entropy(inputs @ params[-1]["kernel"] + params[-1]["bias"], labels)


def torch_network() -> tuple[Any, Any, Any]:
    """The same network in torch, with its data."""
    import torch

    torch.set_num_threads(1)
    given = arrays()
    layers: list[Any] = []
    for i, layer in enumerate(given["params"]):
        linear = torch.nn.Linear(*layer["kernel"].shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(layer["kernel"].T))
            linear.bias.copy_(torch.from_numpy(layer["bias"]))
        layers += [linear, torch.nn.Tanh()] if i < len(given["params"]) - 1 else [linear]
    inputs, labels = given["batch"]
    return torch.nn.Sequential(*layers), torch.from_numpy(inputs), torch.from_numpy(labels).long()


def by_torch(grid: int) -> Callable[[], np.ndarray]:
    """A loop over points that sets every parameter to c + x u + y v."""
    import torch

    model, inputs, labels = torch_network()
    given = arrays()
    centre = [p.detach().clone() for p in model.parameters()]
    axes = [
        [torch.from_numpy(np.ascontiguousarray(x)) for layer in axis for x in (layer["kernel"].T, layer["bias"])]
        for axis in given["axes"]
    ]
    criterion = torch.nn.CrossEntropyLoss()

    def run() -> np.ndarray:
        values = np.empty((grid, grid), np.float32)
        with torch.no_grad():
            for i, y in enumerate(np.linspace(-1, 1, grid)):
                for j, x in enumerate(np.linspace(-1, 1, grid)):
                    for p, c, u, v in zip(model.parameters(), centre, *axes, strict=True):
                        p.copy_(c).add_(u, alpha=float(x)).add_(v, alpha=float(y))
                    values[i, j] = criterion(model(inputs), labels).item()
        return values.ravel()

    return run


def by_loss_landscapes(grid: int) -> Callable[[], Any] | None:
    """``planar_interpolation`` of loss-landscapes, where it is installed; it evaluates as many points."""
    if importlib.util.find_spec("loss_landscapes") is None:
        return None
    import loss_landscapes
    import loss_landscapes.metrics
    import torch

    model, inputs, labels = torch_network()
    ends = [torch_network()[0] for _ in range(2)]
    with torch.no_grad():
        for end, axis in zip(ends, arrays()["axes"], strict=True):
            moves = [x for layer in axis for x in (layer["kernel"].T, layer["bias"])]
            for p, d in zip(end.parameters(), moves, strict=True):
                p.add_(torch.from_numpy(np.ascontiguousarray(d)))
    metric = loss_landscapes.metrics.Loss(torch.nn.CrossEntropyLoss(), inputs, labels)
    return lambda: loss_landscapes.planar_interpolation(model, *ends, metric, grid, deepcopy_model=True)


def torch_product() -> Callable[[], Any]:
    """A Hessian–vector product by double backward, the gradient's graph kept from call to call, as PyHessian does."""
    import torch

    model, inputs, labels = torch_network()
    params = list(model.parameters())
    gradient = torch.autograd.grad(torch.nn.CrossEntropyLoss()(model(inputs), labels), params, create_graph=True)
    vector = [torch.randn_like(p) for p in params]
    return lambda: torch.autograd.grad(gradient, params, grad_outputs=vector, retain_graph=True)


def by_pyhessian() -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """The five largest eigenvalues and vectors by power iteration with deflation, of so many iterations a pair."""
    import pyhessian
    import torch

    model, inputs, labels = torch_network()

    def run(iterations: int) -> tuple[np.ndarray, np.ndarray]:
        torch.manual_seed(0)
        made = pyhessian.hessian(model, torch.nn.CrossEntropyLoss(), data=(inputs, labels), cuda=False)
        values, vectors = made.eigenvalues(maxIter=iterations, tol=1e-9, top_n=5)
        return np.array(values), np.stack([_in_our_order(vector) for vector in vectors])

    return run


def products_alone() -> tuple[Callable[[], None], Callable[[], None]]:
    """NumPy's matrix products of one point: of all layers, and of all but the first. No evaluation can take less."""
    given = arrays()
    kernels = [layer["kernel"] for layer in given["params"]]
    sizes = [(SAMPLES, len(kernel)) for kernel in kernels]
    inputs = [given["batch"][0], *(np.ones(size, np.float32) for size in sizes[1:])]
    outputs = [np.empty((SAMPLES, kernel.shape[1]), np.float32) for kernel in kernels]

    def from_layer(first: int) -> Callable[[], None]:
        def run() -> None:
            for x, kernel, out in zip(inputs[first:], kernels[first:], outputs[first:], strict=True):
                np.matmul(x, kernel, out=out)

        return run

    return from_layer(0), from_layer(1)


def _in_our_order(vector: list[Any]) -> np.ndarray:
    """A tree of torch's tensors (weight, bias, …) as our vector: bias, then kernel, of each layer."""
    parts = []
    for weight, bias in zip(vector[::2], vector[1::2], strict=True):
        parts += [bias.numpy().ravel(), weight.numpy().T.ravel()]
    return np.concatenate(parts)
