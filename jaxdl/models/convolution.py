r"""Convolution as patches × matmul, for ``flax.linen.Conv(…, conv_general_dilated=patch_convolution)``.

.. math::

    y_{n,p,o} = \sum_{k,c} x_{n,\;s p + d k - \ell,\;c}\, w_{k,c,o}
              = \sum_{k,c} P_{n,p,(k,c)}\, W_{(k,c),o}

with output positions p, kernel positions k, stride s, kernel dilation d, left padding ℓ and channels c. The patches P
are one strided slice of the padded input per kernel position, laid side by side; then y is one matrix product. So the
gradients are slices and matrix products too.

Why not XLA's convolution: on a CPU its weight gradient inside ``lax.scan`` or ``lax.map`` leaves the fast library and
runs 25–50 × slower (github.com/jax-ml/jax/issues/12868), and under ``vmap`` over weights it becomes a grouped
convolution, which is slow too. The price is memory: P holds every input once per kernel position.
"""

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import lax


def patch_convolution(
    lhs: jax.Array,
    rhs: jax.Array,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> jax.Array:
    """``jax.lax.conv_general_dilated`` for channels-last arrays, without a convolution in the compiled program.

    Args:
      lhs: Input, shape ``(n, *space, channels)``; any number of space axes.
      rhs: Kernel, shape ``(*window, channels, features)``.
      window_strides: s ≥ 1 per space axis.
      padding: ``"SAME"``, ``"SAME_LOWER"``, ``"VALID"``, or ``(low, high)`` per space axis.
      lhs_dilation: Must be 1 everywhere: a transposed convolution is not supported.
      rhs_dilation: d ≥ 1 per space axis; 1 by default.
      dimension_numbers: Must say channels last, as Flax does: ``("NHWC", "HWIO", "NHWC")`` in two dimensions.
      feature_group_count: Must be 1.
      batch_group_count: Must be 1.
      precision: Of the matrix product.
      preferred_element_type: dtype of the matrix product.

    Returns:
      Shape ``(n, *positions, features)``.

    Raises:
      ValueError: a layout, a group count or an input dilation that is not supported.

    >>> import jax.numpy as jnp
    >>> ones, kernel = jnp.ones((1, 4, 1)), jnp.ones((3, 1, 1))
    >>> print(patch_convolution(ones, kernel, (1,), "SAME", dimension_numbers=("NHC", "HIO", "NHC")).ravel())
    [2. 3. 3. 2.]
    """
    _check_supported(lhs, rhs, dimension_numbers, lhs_dilation, feature_group_count, batch_group_count)
    window = rhs.shape[:-2]
    dilation = (1,) * len(window) if rhs_dilation is None else tuple(rhs_dilation)
    patches = _patches(lhs, window, tuple(window_strides), dilation, padding)
    kernel = rhs.reshape(-1, rhs.shape[-1])
    contract_last_with_first = (((patches.ndim - 1,), (0,)), ((), ()))
    return lax.dot_general(patches, kernel, contract_last_with_first, precision, preferred_element_type)


def _patches(
    x: jax.Array,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    dilation: tuple[int, ...],
    padding: str | Sequence[tuple[int, int]],
) -> jax.Array:
    """What each kernel position sees, side by side: shape ``(n, *positions, window size · channels)``."""
    extent = tuple(d * (k - 1) + 1 for k, d in zip(window, dilation, strict=True))
    if isinstance(padding, str):
        padding = lax.padtype_to_pads(x.shape[1:-1], extent, strides, padding)
    x = lax.pad(x, np.zeros((), x.dtype), [(0, 0, 0), *((low, high, 0) for low, high in padding), (0, 0, 0)])
    n, *space, channels = x.shape
    last = [(size - e) // s * s for size, e, s in zip(space, extent, strides, strict=True)]
    views = []
    for position in np.ndindex(*window):
        offset = [d * k for k, d in zip(position, dilation, strict=True)]
        stop = [o + end + 1 for o, end in zip(offset, last, strict=True)]
        views.append(lax.slice(x, (0, *offset, 0), (n, *stop, channels), (1, *strides, 1)))
    return lax.concatenate(views, dimension=x.ndim - 1)


def _check_supported(
    lhs: jax.Array,
    rhs: jax.Array,
    dimension_numbers: Any,
    lhs_dilation: Sequence[int] | None,
    feature_group_count: int,
    batch_group_count: int,
) -> None:
    space = tuple(range(1, lhs.ndim - 1))
    channels_last = ((0, lhs.ndim - 1, *space), (lhs.ndim - 1, lhs.ndim - 2, *(axis - 1 for axis in space)))
    layout = lax.conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    if tuple(layout) != (*channels_last, channels_last[0]):
        raise ValueError(
            f"patch_convolution needs channels-last arrays such as NHWC and HWIO, got {dimension_numbers}."
        )
    if feature_group_count != 1 or batch_group_count != 1:
        raise ValueError(
            "patch_convolution has no groups: feature_group_count and batch_group_count must be 1, "
            f"got {feature_group_count} and {batch_group_count}."
        )
    if math.prod(lhs_dilation or (1,)) != 1:
        raise ValueError(f"patch_convolution cannot dilate its input: lhs_dilation must be 1, got {lhs_dilation}.")
    if lhs.shape[-1] != rhs.shape[-2]:
        raise ValueError(f"the input has {lhs.shape[-1]} channels, but the kernel is made for {rhs.shape[-2]}.")
