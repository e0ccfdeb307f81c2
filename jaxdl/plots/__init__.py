"""Figures, drawn from stored Datasets alone: the only room that imports matplotlib."""

from jaxdl.plots.animation import animate as animate
from jaxdl.plots.atlases import atlas as atlas
from jaxdl.plots.compare import convergence as convergence
from jaxdl.plots.compare import sensitivity as sensitivity
from jaxdl.plots.contours import contour as contour
from jaxdl.plots.figure import save as save
from jaxdl.plots.lines import line as line
from jaxdl.plots.lines import lines as lines
from jaxdl.plots.surfaces import surface as surface
from jaxdl.plots.sweeps import sweep as sweep
from jaxdl.plots.trust import honesty as honesty
