"""Figures, drawn from stored Datasets alone: the only room that imports matplotlib."""

from jaxdl.plots.compare import convergence as convergence
from jaxdl.plots.compare import sensitivity as sensitivity
from jaxdl.plots.figure import save as save
from jaxdl.plots.sweeps import sweep as sweep
