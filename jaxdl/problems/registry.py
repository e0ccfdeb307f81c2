"""Problems by name. Factories are imported when asked for: they bring Flax and scikit-learn with them."""

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

from jaxdl import checks
from jaxdl.problems import planar
from jaxdl.problems.problem import Problem

_FACTORIES = {
    "digits-softmax": "convex:digits_softmax",
    "digits-mlp": "neural:digits_mlp",
    "digits-cnn": "neural:digits_cnn",
    "digits-resmlp": "neural:digits_resmlp",
    "echo-rnn": "sequential:echo_rnn",
    "parity-rnn": "sequential:parity_rnn",
    "breast-cancer-logistic": "convex:breast_cancer_logistic",
    "quadratic": "analytic:quadratic",
    "noisy-quadratic": "analytic:noisy_quadratic",
    "rosenbrock": "analytic:rosenbrock",
}
"""Problem name to ``module:function`` inside this folder; the functions of two variables stand in ``planar.py``."""


def names() -> tuple[str, ...]:
    """The names that :func:`get` knows."""
    return (*_FACTORIES, *planar.FUNCTIONS)


def get(name: str, **arguments: Any) -> Problem:
    """Makes a problem.

    Args:
      name: One of :func:`names`.
      **arguments: Arguments of the problem's factory, such as ``condition_number`` of ``"quadratic"``.

    Returns:
      The problem.

    Raises:
      ValueError: an unknown name, or a value that the factory rejects.
      TypeError: an argument that the factory does not have. Both messages list what would have been accepted.

    >>> get("quadratic", dimension=3).name
    'quadratic'
    """
    checks.known("problem", name, names())
    factory = _factory(name)
    accepted = [parameter for parameter in inspect.signature(factory).parameters if parameter != "name"]
    unknown = [argument for argument in arguments if argument not in accepted]
    if unknown:
        raise TypeError(f"problem {name!r} takes {', '.join(accepted)}; got {', '.join(unknown)}.")
    return factory(**arguments)


def _factory(name: str) -> Callable[..., Problem]:
    if name in planar.FUNCTIONS:
        return functools.partial(planar.planar, name)
    module, function = _FACTORIES[name].split(":")
    factory: Callable[..., Problem] = getattr(importlib.import_module(f"jaxdl.problems.{module}"), function)
    return factory
