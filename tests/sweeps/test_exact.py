"""Bit for bit: exact lanes are single runs, and eight devices are one."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxdl
from jaxdl.sweeps import engine, lanes, plan, programs
from jaxdl.sweeps.runs import Cells
from tests.problems_for_tests import bowl, regression

STEPS = 24
NET = jaxdl.problems.get("digits-mlp", hidden=(6,), batch_size=16)
RATES = {"sgd": 0.3, "momentum": 0.05, "rmsprop": 0.003, "adam": 0.01, "adamw": 0.01}


def solo(problem, tx, seed, **options):
    """``jax.jit(jaxdl.train)``, its hyper-parameters constants."""
    run = jax.jit(lambda key: jaxdl.train(problem, tx, key, STEPS, record_every=5, **options)[1].metrics)
    return run(jax.random.key(seed))


@pytest.mark.parametrize(
    ("name", "evaluated"),
    [
        *(pytest.param(name, True, marks=[] if name == "adam" else pytest.mark.slow) for name in RATES),
        pytest.param("adam", False, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_exact_is_the_single_run(name, evaluated):
    recipe, rates = getattr(jaxdl, name), {"learning_rate": np.array([RATES[name] / 2, RATES[name]])}
    study = lanes.Study(NET, STEPS, 5, plan.alone(2), evaluated, chunk_records=2)
    cells = Cells.of(study, rates, [3, 5], [(0, 0), (1, 1)])
    built = programs.build(study, {name: recipe}, cells.lane(study, np.array(0)))
    found = engine.execute(study, built, name, cells)
    for metric, values in solo(NET, recipe(RATES[name]), 5, evaluated=evaluated).items():
        np.testing.assert_array_equal(found.metrics[metric][1], values, err_msg=metric, strict=True)


def test_exact_on_problems_in_closed_form_and_with_full_batches():
    for problem in (bowl(), regression(batch_size=None)):
        study = jaxdl.sweep(
            problem, jaxdl.adam, {"learning_rate": [0.1, 0.3]}, seeds=2, steps=STEPS, record_every=5, exact=True
        )
        for metric, values in solo(problem, jaxdl.adam(0.3), 1).items():
            np.testing.assert_array_equal(study[metric].sel(learning_rate=0.3, seed=1), values, err_msg=metric)


# --- how much was done ------------------------------------------------------------------------------------------------


DEVICES = """
import sys
import jax
import numpy as np

jax.config.update("jax_num_cpu_devices", int(sys.argv[1]))
import jaxdl
from jaxdl.sweeps import engine, lanes, plan, programs
from jaxdl.sweeps.runs import Cells

problem = jaxdl.problems.get("digits-softmax", batch_size=16)
axes = {"learning_rate": [0.05, 0.2, 30.0]}
exact = jaxdl.sweep(problem, jaxdl.sgd, axes, seeds=3, steps=12, record_every=3, exact=True, evaluated=False)

study = lanes.Study(problem, 12, 3, plan.Layout(1, 2, 1, in_turn=True), chunk_records=2, evaluated=False)
pairs = [(point, seed) for seed in range(3) for point in range(3)]
cells = Cells.of(study, {"learning_rate": np.array([0.05, 0.2, 30.0])}, [0, 1, 2], pairs)
built = programs.build(study, {"sgd": jaxdl.sgd}, cells.lane(study, np.array(0)), teams=int(sys.argv[1]))
fast = engine.execute(study, built, "sgd", cells)
np.savez(sys.argv[2], exact=exact["train_loss"].values, fast=fast.metrics["train_loss"], layout=exact.attrs["layout"])
"""


@pytest.mark.slow
def test_eight_devices_are_one_device(tmp_path):
    """In processes of their own, because the number of devices is settled when JAX starts."""
    root = Path(jaxdl.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root), "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache")}
    found = {}
    for devices in (1, 8):
        out = tmp_path / f"{devices}.npz"
        arguments = [sys.executable, "-c", DEVICES, str(devices), str(out)]
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found[devices] = np.load(out)
    for name in ("exact", "fast"):
        assert np.isfinite(found[1][name]).any()
        np.testing.assert_array_equal(found[8][name], found[1][name], strict=True)
