"""Initial parameters: initialisers of one array, and whole trees read back from disk.

An initialiser is a function ``(key, shape, dtype) -> array``, the signature of Flax and JAX. Fans are counted for
kernels with the input axis second to last and the output axis last, Dense ``(in, out)`` and Conv
``(height, width, in, out)``: fan_in = height · width · in and fan_out = height · width · out.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import flax.serialization
import jax
import jax.numpy as jnp

from jaxdl import checks
from jaxdl.typing import Key, Params, PyTree, Scalar

Initializer: TypeAlias = Callable[..., jax.Array]
"""``initializer(key, shape, dtype) -> array``."""


def zeros(key: Key, shape: Any, dtype: Any = jnp.float32) -> jax.Array:
    """All zeros. The usual bias; as a hidden weight it leaves all units of a layer alike for ever."""
    del key
    return jnp.zeros(shape, dtype)


def constant(value: Scalar) -> Initializer:
    """Every element equal to ``value``, which may be traced.

    >>> print(constant(0.5)(jax.random.key(0), (2,), jnp.float32))
    [0.5 0.5]
    """

    def init(key: Key, shape: Any, dtype: Any = jnp.float32) -> jax.Array:
        del key
        return jnp.full(shape, jnp.asarray(value).astype(dtype))

    return init


def normal_with_std(std: Scalar, mean: Scalar = 0.0) -> Initializer:
    """Gaussian given by its standard deviation: elements ~ N(mean, std²).

    Args:
      std: σ ≥ 0. May be traced.
      mean: Expected value. May be traced.

    Returns:
      The initialiser.

    Raises:
      ValueError: a negative ``std``.
    """
    checks.nonnegative(std=std)

    def init(key: Key, shape: Any, dtype: Any = jnp.float32) -> jax.Array:
        sample = jax.random.normal(key, shape, dtype)
        return jnp.asarray(mean).astype(dtype) + jnp.asarray(std).astype(dtype) * sample

    return init


def normal_with_variance(variance: Scalar, mean: Scalar = 0.0) -> Initializer:
    """Gaussian given by its variance: elements ~ N(mean, variance), so ``variance=0.01`` has standard deviation 0.1.

    Args:
      variance: σ² ≥ 0. May be traced.
      mean: Expected value. May be traced.

    Returns:
      The initialiser.

    Raises:
      ValueError: a negative ``variance``.
    """
    checks.nonnegative(variance=variance)

    def init(key: Key, shape: Any, dtype: Any = jnp.float32) -> jax.Array:
        return normal_with_std(jnp.sqrt(jnp.asarray(variance, float)), mean)(key, shape, dtype)

    return init


def symmetric_uniform(bound: Scalar) -> Initializer:
    """Uniform on [−r, r]: mean 0, variance r²/3.

    Args:
      bound: r ≥ 0. May be traced.

    Returns:
      The initialiser.

    Raises:
      ValueError: a negative ``bound``.
    """
    checks.nonnegative(bound=bound)

    def init(key: Key, shape: Any, dtype: Any = jnp.float32) -> jax.Array:
        return jnp.asarray(bound).astype(dtype) * jax.random.uniform(key, shape, dtype, minval=-1, maxval=1)

    return init


def xavier_uniform() -> Initializer:
    """Uniform with variance 2/(fan_in + fan_out), so r = √(6/(fan_in + fan_out)).

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
    2010, equation 16.
    """
    return jax.nn.initializers.variance_scaling(1.0, "fan_avg", "uniform")


def xavier_normal() -> Initializer:
    """Gaussian with variance 2/(fan_in + fan_out). Not truncated, as in torch; Flax and Keras cut it at 2σ."""
    return jax.nn.initializers.variance_scaling(1.0, "fan_avg", "normal")


def he_uniform() -> Initializer:
    """Uniform with variance 2/fan_in, so r = √(6/fan_in); it keeps the mean square through ReLU layers.

    Source: He et al., "Delving deep into rectifiers", ICCV 2015, equation 10.
    """
    return jax.nn.initializers.variance_scaling(2.0, "fan_in", "uniform")


def he_normal() -> Initializer:
    """Gaussian with variance 2/fan_in. Not truncated, as in torch; Flax and Keras cut it at 2σ."""
    return jax.nn.initializers.variance_scaling(2.0, "fan_in", "normal")


def torch_uniform() -> Initializer:
    """Uniform with r = 1/√fan_in, so variance 1/(3 fan_in): what torch's ``Linear`` and ``Conv2d`` draw kernels from.

    Their biases come from the same interval, whose width a bias does not know: see :func:`torch_layers`.
    """
    return jax.nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")


def torch_layers(init: Callable[[Key], Params]) -> Callable[[Key], Params]:
    """Draws every kernel **and its bias** from U(±1/√fan_in), as torch's layers do; all else stays as ``init`` made it.

    ``problem._replace(init=torch_layers(problem.init))`` starts a problem as torch would, in distribution.

    Args:
      init: ``init(key) -> params`` of a Flax model: nested dictionaries, a layer being one that holds a ``kernel``.

    Returns:
      Such a function.

    >>> layer = torch_layers(lambda key: {"kernel": jnp.zeros((4, 1000)), "bias": jnp.zeros(1000)})(jax.random.key(0))
    >>> print(*(jnp.abs(layer[name]).max().round(2) for name in ("kernel", "bias")))
    0.5 0.5
    """

    def drawn(key: Key) -> Params:
        key_init, key_layers = jax.random.split(key)
        return _redrawn(init(key_init), key_layers)

    return drawn


def _redrawn(node: Params, key: Key) -> Params:
    if not isinstance(node, Mapping):
        return node
    keys = dict(zip(node, jax.random.split(key, len(node)), strict=True))
    if "kernel" not in node:
        return {name: _redrawn(below, keys[name]) for name, below in node.items()}
    kernel = node["kernel"]
    bound = (kernel.shape[-1] / kernel.size) ** 0.5
    draw = symmetric_uniform(bound)
    drawn = {name: draw(keys[name], node[name].shape, node[name].dtype) for name in ("kernel", "bias") if name in node}
    return {**node, **drawn}


def orthogonal(scale: float = 1.0) -> Initializer:
    """Orthonormal columns, or rows where there are fewer of them, times ``scale``; uniform over all such matrices.

    All axes but the last are taken together as the rows. Element variance: scale²/max(rows, columns).

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", ICLR 2014.

    >>> q = orthogonal()(jax.random.key(0), (5, 3), jnp.float32)
    >>> print(jnp.abs(q.T @ q - jnp.eye(3)).max() < 1e-6)
    True
    """
    draw = jax.nn.initializers.orthogonal(scale)

    def init(key: Key, shape: Any, dtype: Any = jnp.float32) -> jax.Array:
        wide = dtype if jnp.finfo(dtype).bits >= 32 else jnp.float32  # half precisions have no QR decomposition
        return draw(key, shape, wide).astype(dtype)

    return init


def save(path: str | os.PathLike[str], params: Params) -> None:
    """Writes parameters as Flax's msgpack bytes; the file appears whole or not at all.

    Args:
      path: File to write, in a folder that exists.
      params: Tree of arrays.

    Raises:
      OSError: the file cannot be written.
    """
    partial = f"{os.fspath(path)}.{os.getpid()}.partial"
    content = flax.serialization.msgpack_serialize(flax.serialization.to_state_dict(jax.device_get(params)))
    try:
        with open(partial, "wb") as file:
            file.write(content)
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def from_saved(source: Params | str | os.PathLike[str], template: Params | None = None) -> Callable[[Key], Params]:
    """Starts from given parameters: an ``init(key) -> params`` that ignores its key.

    ``problem._replace(init=from_saved("trained.msgpack", jax.eval_shape(problem.init, key)))`` is a warm start.

    Args:
      source: A file written by :func:`save`, or the parameters themselves.
      template: Parameters, or their ``ShapeDtypeStruct``s, whose structure, shapes and dtypes ``source`` must have.
        Needed for trees of anything but nested dictionaries, because the file does not know their types.

    Returns:
      The function for ``Problem.init``. The same parameters for every key: seeds differ in their batches only.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: the file does not hold parameters, or they do not fit the template.

    >>> print(from_saved({"bias": jnp.ones(2)})(jax.random.key(0)))
    {'bias': Array([1., 1.], dtype=float32)}
    """
    params = source
    if isinstance(source, str | os.PathLike):
        params = _read(source)
        if template is not None:
            _check_fits(params, flax.serialization.to_state_dict(template), source)
            params = flax.serialization.from_state_dict(template, params)
    elif template is not None:
        _check_fits(source, template, "the given tree")
    return lambda key: jax.tree.map(jnp.asarray, params)


def _read(path: str | os.PathLike[str]) -> PyTree:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise FileNotFoundError(f"no saved parameters at {os.fspath(path)!r}.") from None
    try:
        return flax.serialization.msgpack_restore(content)
    except Exception as error:  # msgpack has a dozen kinds of complaint about bytes that are not its own
        raise ValueError(f"{os.fspath(path)!r} does not hold parameters written by jaxdl: {error}.") from error


def _check_fits(params: PyTree, template: PyTree, source: object) -> None:
    """Raises ValueError naming the first leaf that is missing, extra, or of another shape or dtype."""
    found, expected = (_described_leaves(tree) for tree in (params, template))
    for path in [*expected, *found]:
        if found.get(path) != expected.get(path):
            raise ValueError(
                f"saved parameters in {str(source)!r} do not fit: expected {path or 'the tree'} to be "
                f"{expected.get(path, 'absent')}, got {found.get(path, 'nothing')}."
            )


def _described_leaves(tree: PyTree) -> dict[str, str]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): f"{leaf.dtype}{list(leaf.shape)}" for path, leaf in leaves}
