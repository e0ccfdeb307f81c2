"""Loss landscapes: directions, slices along them, and where a trajectory lies in the picture."""

from jaxdl.landscape import batch_statistics as batch_statistics
from jaxdl.landscape.attractors import basins as basins
from jaxdl.landscape.attractors import outcomes as outcomes
from jaxdl.landscape.directions import RANDOM_WALK as RANDOM_WALK
from jaxdl.landscape.directions import Principal as Principal
from jaxdl.landscape.directions import coordinates as coordinates
from jaxdl.landscape.directions import cosines as cosines
from jaxdl.landscape.directions import difference as difference
from jaxdl.landscape.directions import gram as gram
from jaxdl.landscape.directions import principal as principal
from jaxdl.landscape.directions import random as random
from jaxdl.landscape.evaluation import Options as Options
from jaxdl.landscape.exports import export as export
from jaxdl.landscape.honesty import doubts as doubts
from jaxdl.landscape.normalisation import normalised as normalised
from jaxdl.landscape.portraits import PLANES as PLANES
from jaxdl.landscape.portraits import Plane as Plane
from jaxdl.landscape.portraits import portrait as portrait
from jaxdl.landscape.runs import of_problem as of_problem
from jaxdl.landscape.runs import paths as paths
from jaxdl.landscape.slices import interpolate as interpolate
from jaxdl.landscape.slices import line as line
from jaxdl.landscape.slices import over_batches as over_batches
from jaxdl.landscape.slices import plane as plane
from jaxdl.landscape.trajectories import on_plane as on_plane
from jaxdl.landscape.trajectories import walk_shares as walk_shares
