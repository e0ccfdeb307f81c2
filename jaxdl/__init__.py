"""jaxdl: an optimizer laboratory in JAX.

Importing it costs little more than importing optax and runs no JAX operation; what needs Flax, scikit-learn, xarray or
matplotlib is imported where it is used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from jaxdl import finite_differences as finite_differences
from jaxdl import grids as grids
from jaxdl import groups as groups
from jaxdl import observation as observation
from jaxdl import observers as observers
from jaxdl import optimizers as optimizers
from jaxdl import problems as problems
from jaxdl import ranking as ranking
from jaxdl import rules as rules
from jaxdl import schedules as schedules
from jaxdl import statistics as statistics
from jaxdl import transforms as transforms
from jaxdl import verdict as verdict
from jaxdl.comparison import Comparison as Comparison
from jaxdl.comparison import compare as compare
from jaxdl.configuration import configure as configure
from jaxdl.early_stopping import Stopped as Stopped
from jaxdl.early_stopping import train_until as train_until
from jaxdl.groups import Group as Group
from jaxdl.groups import grouped as grouped
from jaxdl.groups import preview as preview
from jaxdl.optimizers import adadelta as adadelta
from jaxdl.optimizers import adagrad as adagrad
from jaxdl.optimizers import adam as adam
from jaxdl.optimizers import adamax as adamax
from jaxdl.optimizers import adamaxw as adamaxw
from jaxdl.optimizers import adamw as adamw
from jaxdl.optimizers import amsgrad as amsgrad
from jaxdl.optimizers import lion as lion
from jaxdl.optimizers import momentum as momentum
from jaxdl.optimizers import nadam as nadam
from jaxdl.optimizers import nadamw as nadamw
from jaxdl.optimizers import nesterov as nesterov
from jaxdl.optimizers import radam as radam
from jaxdl.optimizers import rmsprop as rmsprop
from jaxdl.optimizers import sgd as sgd
from jaxdl.optimizers import sign_sgd as sign_sgd
from jaxdl.optimizers import signum as signum
from jaxdl.problems.problem import Problem as Problem
from jaxdl.rules import chain as chain
from jaxdl.rules import rule_of as rule_of
from jaxdl.stepping import TrainState as TrainState
from jaxdl.store import load as load
from jaxdl.store import save as save
from jaxdl.sweeps.halving import successive_halving as successive_halving
from jaxdl.sweeps.study import sweep as sweep
from jaxdl.training import Curves as Curves
from jaxdl.training import train as train
from jaxdl.transforms import add_decayed_weights as add_decayed_weights
from jaxdl.transforms import add_l2_gradient as add_l2_gradient
from jaxdl.transforms import clip as clip
from jaxdl.transforms import clip_by_global_norm as clip_by_global_norm
from jaxdl.transforms import round_stochastically as round_stochastically
from jaxdl.transforms import scale_by_adadelta as scale_by_adadelta
from jaxdl.transforms import scale_by_adam as scale_by_adam
from jaxdl.transforms import scale_by_adamax as scale_by_adamax
from jaxdl.transforms import scale_by_amsgrad as scale_by_amsgrad
from jaxdl.transforms import scale_by_learning_rate as scale_by_learning_rate
from jaxdl.transforms import scale_by_lion as scale_by_lion
from jaxdl.transforms import scale_by_nadam as scale_by_nadam
from jaxdl.transforms import scale_by_radam as scale_by_radam
from jaxdl.transforms import scale_by_rms as scale_by_rms
from jaxdl.transforms import scale_by_rss as scale_by_rss
from jaxdl.transforms import scale_by_sign as scale_by_sign
from jaxdl.transforms import scale_by_stddev as scale_by_stddev
from jaxdl.transforms import shrink_weights as shrink_weights
from jaxdl.transforms import trace as trace

if TYPE_CHECKING:
    from jaxdl import conformance as conformance
    from jaxdl import conventions as conventions
    from jaxdl import curvature as curvature
    from jaxdl import landscape as landscape
    from jaxdl import second_order as second_order
    from jaxdl.conventions.difference import diff as diff
    from jaxdl.conventions.explanation import explain as explain
    from jaxdl.conventions.translation import translate as translate

_ROOMS = ("conformance", "conventions", "curvature", "landscape", "models", "plots", "second_order")
_FUNCTIONS = {"diff": "difference", "explain": "explanation", "translate": "translation"}


def __getattr__(name: str) -> Any:
    """What few programs use or what costs: ``jaxdl.plots`` brings matplotlib, ``jaxdl.models`` Flax."""
    if name in _ROOMS:
        return importlib.import_module(f"jaxdl.{name}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"jaxdl.conventions.{_FUNCTIONS[name]}"), name)
    raise AttributeError(f"module 'jaxdl' has no attribute {name!r}")
