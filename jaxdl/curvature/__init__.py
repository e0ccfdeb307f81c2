"""Curvature of any loss on pytrees: products, eigenpairs, spectra, traces, and sharpness along a run.

The functions named here take the user's own loss, ``f(params)`` or ``f(params, batch)``, in one call; with ``product=``
they speak of the Gauss–Newton or a Fisher matrix instead of the Hessian, or go through the data in batches.
"""

from jaxdl.curvature import preconditioners as preconditioners
from jaxdl.curvature.batches import block as block
from jaxdl.curvature.batches import in_batches as in_batches
from jaxdl.curvature.batches import mean_of as mean_of
from jaxdl.curvature.lanczos import Eigenpairs as Eigenpairs
from jaxdl.curvature.lanczos import eigenpairs as eigenpairs
from jaxdl.curvature.noise import NoiseScale as NoiseScale
from jaxdl.curvature.noise import noise_scale as noise_scale
from jaxdl.curvature.products import empirical_fisher as empirical_fisher
from jaxdl.curvature.products import fisher as fisher
from jaxdl.curvature.products import gauss_newton as gauss_newton
from jaxdl.curvature.products import given as given
from jaxdl.curvature.products import hessian as hessian
from jaxdl.curvature.products import hvp as hvp
from jaxdl.curvature.report import summary as summary
from jaxdl.curvature.sam import sam_sharpness as sam_sharpness
from jaxdl.curvature.spectrum import Quadrature as Quadrature
from jaxdl.curvature.spectrum import density as density
from jaxdl.curvature.spectrum import quadrature as quadrature
from jaxdl.curvature.thresholds import THRESHOLDS as THRESHOLDS
from jaxdl.curvature.thresholds import stability_threshold as stability_threshold
from jaxdl.curvature.traces import Estimate as Estimate
from jaxdl.curvature.traces import diagonal as diagonal
from jaxdl.curvature.traces import hutch_plus_plus as hutch_plus_plus
from jaxdl.curvature.traces import hutchinson as hutchinson
from jaxdl.curvature.traces import trace as trace
from jaxdl.curvature.traces import xtrace as xtrace
from jaxdl.curvature.tracking import OBSERVERS as OBSERVERS
from jaxdl.curvature.tracking import PRECONDITIONED_OBSERVERS as PRECONDITIONED_OBSERVERS
from jaxdl.curvature.tracking import Sharpness as Sharpness
from jaxdl.curvature.tracking import track as track
from jaxdl.curvature.tracking import training_loss as training_loss
