"""Every named optimizer of the installed optax, found where optax keeps them: one that it adds is seen here."""

import functools
import inspect
import warnings

import optax

FACTORIES = {
    name: value
    for name, value in vars(optax).items()
    if inspect.isfunction(function := getattr(value, "func", value)) and function.__module__ == "optax._src.alias"
}
NAMES = tuple(sorted(FACTORIES))

ARGUMENTS = {"noisy_sgd": {"key": 0}}
"""What must be given besides the rate."""


def factory(name):
    """``factory(learning_rate)``; a deprecation is optax's to say, not this project's."""

    @functools.wraps(FACTORIES[name])
    def called(learning_rate):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return FACTORIES[name](learning_rate, **ARGUMENTS.get(name, {}))

    return called


def made(name, learning_rate):
    """The optimizer with that rate and its defaults."""
    return factory(name)(learning_rate)
