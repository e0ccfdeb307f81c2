"""A study that is meant to be killed: run as a process by test_record.py, with the folder as its argument."""

import sys

import jax

import jaxdl
from jaxdl.sweeps import plan, rows, runs
from tests.problems_for_tests import regression

AXES = {"learning_rate": [0.003, 0.01, 0.03, 0.1, 0.3, 1e30], "b1": [0.5, 0.9]}
ARGUMENTS = {"seeds": 3, "steps": 400, "record_every": 4}


def study(folder: str) -> object:
    """Chunks of one record, and everything on the disk after each."""
    plan.CHUNK_SECONDS = 0.0
    rows.PATIENCE = 0.0
    return jaxdl.sweep(regression(), jaxdl.adam, AXES, out=folder, on_progress=tell, **ARGUMENTS)


def tell(progress: runs.Progress) -> None:
    """One line for every chunk, so that the parent can choose its moment."""
    print(progress.phase, progress.done, progress.runs, flush=True)


if __name__ == "__main__":
    jax.config.update("jax_num_cpu_devices", 2)
    jax.config.update("jax_enable_x64", True)
    study(sys.argv[1])
