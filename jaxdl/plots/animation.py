"""Runs as they cross a plane, frame by frame, as a GIF."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from jaxdl import checks, store
from jaxdl.plots import contours
from jaxdl.plots import figure as figures

if TYPE_CHECKING:
    import xarray


def animate(data: "xarray.Dataset", path: str | Path, *, frames_per_second: int = 10, dots_per_inch: int = 80) -> Path:
    """Writes a GIF of the paths of runs growing over the contours of their plane, whole or not at all.

    Args:
      data: From ``jaxdl.landscape.portrait`` or ``jaxdl.load``.
      path: Where to; ``.gif``.
      frames_per_second: A frame a snapshot; the last stays for a second.
      dots_per_inch: Of the frames.

    Returns:
      The path.

    Raises:
      ValueError: there are no paths.
    """
    if "path_x" not in data:
        raise ValueError("an animation needs the paths of runs, from jaxdl.landscape.portrait; there are none.")
    checks.positive_integer(frames_per_second=frames_per_second, dots_per_inch=dots_per_inch)
    frames = _frames(data, dots_per_inch)
    milliseconds = [1000 // frames_per_second] * (len(frames) - 1) + [1000]

    def write(made: Path) -> None:
        frames[0].save(made, save_all=True, append_images=frames[1:], duration=milliseconds, loop=0)

    return store.replace(path, write)


def _frames(data: "xarray.Dataset", dots_per_inch: int) -> list[Image.Image]:
    """One picture a snapshot. What stands still is drawn once: contours take most of the time of a frame."""
    fig, axes = figures.new(contours.title(data))
    fig.set_dpi(dots_per_inch)
    canvas = FigureCanvasAgg(fig)
    axes.grid(visible=False)
    scale = contours.heights(axes, data, "loss")
    x, y = contours.axis_names(data)
    axes.set(xlabel=x, ylabel=y)
    contours.warn(fig, data)
    figures.provenance(fig, data, contours.what(data))
    canvas.draw()
    fig.set_layout_engine("none")
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
    still, background = set(axes.get_children()), canvas.copy_from_bbox(fig.bbox)
    frames = []
    for now in range(data.sizes["snapshot"]):
        canvas.restore_region(background)
        for i in range(data.sizes["path"]):
            contours.path(axes, data, i, scale, now + 1)
        axes.legend(fontsize=8, loc="upper right", title=f"step {data['step'].values[now]}", title_fontsize=8)
        moving: list[Artist] = [artist for artist in axes.get_children() if artist not in still]
        for artist in sorted(moving, key=lambda artist: artist.get_zorder()):
            axes.draw_artist(artist)
            artist.remove()
        frames.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]))
    return frames
