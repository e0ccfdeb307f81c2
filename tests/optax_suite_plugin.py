"""A pytest plugin that points optax's own tests at our factories. It runs in a process of its own, on optax's settings.

    pytest --pyargs optax._src.alias_test -p tests.optax_suite_plugin --rules=ours --report=report.json

Rules that we do not ship are deselected by the ``opt_name`` in each test's parameters; ``--rules=stock`` leaves optax's
own factories in place and is the control, ``--rules=broken`` breaks some contracts.
"""

import functools
import inspect
import json
import re
from collections import Counter
from pathlib import Path

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

    counting.__signature__ = inspect.signature(factory)
    return counting


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


def pytest_configure(config):
    from optax._src import alias

    for name, factory in RULES[config.getoption("rules")]().items():
        setattr(alias, name, _counted(name, factory))


def pytest_collection_modifyitems(config, items):
    kept, dropped = [], []
    for item in items:
        parameters = getattr(item.function, "__x_params_repr__", "")
        found = re.search(r"opt_name='(\w+)'", parameters)
        rule = found and SPELLED_OTHERWISE.get(found[1], found[1])
        (kept if rule in SHIPPED else dropped).append(item)
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
