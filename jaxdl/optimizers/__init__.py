"""Named optimizers. Every body is one chain; the arithmetic and the equations live in ``jaxdl/transforms``.

Keyword names and defaults are optax's, so that one dictionary drives both; what optax lacks is keyword-only and off by
default. Every float may be traced, and every learning rate may be a schedule. How other frameworks spell them is in
``jaxdl/conventions``.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from jaxdl.optimizers.adaptive import adadelta as adadelta
from jaxdl.optimizers.adaptive import adagrad as adagrad
from jaxdl.optimizers.adaptive import rmsprop as rmsprop
from jaxdl.optimizers.decayed import adamaxw as adamaxw
from jaxdl.optimizers.decayed import adamw as adamw
from jaxdl.optimizers.decayed import nadamw as nadamw
from jaxdl.optimizers.descent import momentum as momentum
from jaxdl.optimizers.descent import nesterov as nesterov
from jaxdl.optimizers.descent import sgd as sgd
from jaxdl.optimizers.moments import adam as adam
from jaxdl.optimizers.moments import adamax as adamax
from jaxdl.optimizers.moments import amsgrad as amsgrad
from jaxdl.optimizers.moments import nadam as nadam
from jaxdl.optimizers.moments import radam as radam
from jaxdl.optimizers.signs import lion as lion
from jaxdl.optimizers.signs import sign_sgd as sign_sgd
from jaxdl.optimizers.signs import signum as signum

CLASSICS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
"""What a comparison compares unless it is told otherwise."""

FACTORIES: Mapping[str, Any] = MappingProxyType(
    {
        "sgd": sgd,
        "momentum": momentum,
        "nesterov": nesterov,
        "adagrad": adagrad,
        "adadelta": adadelta,
        "rmsprop": rmsprop,
        "adam": adam,
        "adamw": adamw,
        "amsgrad": amsgrad,
        "adamax": adamax,
        "adamaxw": adamaxw,
        "nadam": nadam,
        "nadamw": nadamw,
        "radam": radam,
        "sign_sgd": sign_sgd,
        "signum": signum,
        "lion": lion,
    }
)
"""Every named optimizer."""

LEARNING_RATE_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "sgd": (1e-3, 10.0),
        "momentum": (1e-4, 1.0),
        "nesterov": (1e-4, 1.0),
        "adagrad": (1e-4, 1.0),
        "adadelta": (1e-2, 100.0),
        "rmsprop": (1e-5, 0.1),
        "adam": (1e-5, 0.1),
        "adamw": (1e-5, 0.1),
        "amsgrad": (1e-5, 0.1),
        "adamax": (1e-5, 0.1),
        "adamaxw": (1e-5, 0.1),
        "nadam": (1e-5, 0.1),
        "nadamw": (1e-5, 0.1),
        "radam": (1e-5, 0.1),
        "sign_sgd": (1e-6, 0.01),
        "signum": (1e-6, 0.01),
        "lion": (1e-6, 0.01),
    }
)
"""Where a comparison starts to look for each optimizer's learning rate: four decades for all, log-spaced."""
