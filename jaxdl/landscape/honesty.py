"""What there is to doubt about a picture of paths on a plane, in sentences; read from its Dataset alone."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray

FACTOR = 2.0
"""Losses on the plane and of the paths that are further apart than this factor count as different."""
PART = 0.1
"""Part of the range of losses by which they must differ to count so, where some are not above the floor; and part of
the points that must be different for a sentence."""
BESIDE = 0.5
"""A path that ends further beside the plane than this part of its way leaves the picture."""


def doubts(data: "xarray.Dataset") -> list[str]:
    """Why a picture misleads, a sentence each; none where it does not.

    Args:
      data: From :func:`jaxdl.landscape.portrait` or :func:`jaxdl.landscape.on_plane`.

    Returns:
      Sentences on: axes that hold no more of the variance than those of walks without aim; paths that end far beside
      the plane; losses that the contours show wrongly.
    """
    if "path_x" not in data:
        return []
    found = []
    explained, walk = float(data["explained"].sum()), float(data["walk"].sum())
    if explained <= walk:
        found.append(
            f"The plane holds {explained:.0%} of the paths' variance; of walks without aim a plane holds {walk:.0%}."
        )
    last = data.isel(snapshot=-1)
    way = last["path_travelled"].values
    beside = last["path_distance"].values / np.where(way > 0, way, np.inf)
    if beside.max(initial=0) > BESIDE:
        name = str(data["path"].values[np.unravel_index(beside.argmax(), beside.shape)[0]])
        found.append(f"{name} ends beside the plane by {beside.max():.0%} of the way it went.")
    wrong = different(data)
    if wrong.mean() > PART:
        path, seed, snapshot = np.unravel_index(np.argmax(_gap(data)), wrong.shape)
        at = data.isel(path=path, seed=seed, snapshot=snapshot)
        found.append(
            f"At {wrong.mean():.0%} of the points the contours show another loss than the path has: "
            f"{at['path'].item()} at step {at['step'].item()} has {at['path_loss'].item():.3g}, "
            f"the plane there {at['path_plane_loss'].item():.3g}."
        )
    return found


def different(data: "xarray.Dataset") -> np.ndarray:
    """Which points have another loss than the plane shows there, ``(path, seed, snapshot)``."""
    limit = np.log(FACTOR) if _positive(data) else PART
    result: np.ndarray = _gap(data) > limit
    return result


def _positive(data: "xarray.Dataset") -> bool:
    floor = data.attrs.get("floor", 0.0)
    return bool((data["path_loss"] > floor).all() and (data["path_plane_loss"] > floor).all())


def _gap(data: "xarray.Dataset") -> np.ndarray:
    """|log ratio| of the heights above the floor, or else the difference relative to the range of the losses."""
    true, seen = (data[name].values.astype(float) for name in ("path_loss", "path_plane_loss"))
    if _positive(data):
        floor = data.attrs.get("floor", 0.0)
        gap = np.abs(np.log((seen - floor) / (true - floor)))
    else:
        span = np.ptp(true[np.isfinite(true)], axis=None) if np.isfinite(true).any() else 0.0
        gap = np.abs(seen - true) / (span if span > 0 else 1.0)
    return np.where(np.isfinite(gap), gap, np.inf)
