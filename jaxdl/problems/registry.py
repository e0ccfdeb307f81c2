"""Problems by name. Factories are imported when asked for: they bring Flax and scikit-learn with them."""

import importlib
from typing import Any

from jaxdl import checks
from jaxdl.problems.problem import Problem

_FACTORIES = {
    "digits-mlp": "neural:digits_mlp",
    "quadratic": "analytic:quadratic",
}
"""Problem name to ``module:function`` inside this folder."""


def names() -> tuple[str, ...]:
    """The names that :func:`get` knows."""
    return tuple(_FACTORIES)


def get(name: str, **arguments: Any) -> Problem:
    """Makes a problem.

    Args:
      name: One of :func:`names`.
      **arguments: Arguments of the problem's factory, such as ``condition_number`` of ``"quadratic"``.

    Returns:
      The problem.

    Raises:
      ValueError: an unknown name; the message lists the known ones.
      TypeError: an argument that the factory does not have.

    >>> get("quadratic", dimension=3).name
    'quadratic'
    """
    checks.known("problem", name, _FACTORIES)
    module, function = _FACTORIES[name].split(":")
    factory = getattr(importlib.import_module(f"jaxdl.problems.{module}"), function)
    return factory(**arguments)
