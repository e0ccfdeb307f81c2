"""Records the paths of the real frameworks: ``python -m tests.golden.record torch keras optax``, from the repository.

Everything is float64: torch's default dtype and Keras's floatx are set to it, JAX's x64 is on, and the learning rate is
assigned before each step, so that no schedule of a framework takes part. Keras runs on its JAX backend.
"""

import json
import platform
import sys
from importlib import metadata

import jax
import numpy as np

from benchmarks import frameworks
from tests.golden.stored import FOLDER, KEPT


def record(framework: str) -> None:
    """Writes ``<framework>.npz``."""
    feed, rows, points = frameworks.feed(), [], []
    for configuration in frameworks.CONFIGURATIONS:
        if configuration.framework == framework:
            for rate, rates in feed.rates.items():
                rows.append({"name": configuration.name, "arguments": dict(configuration.arguments), "rate": rate})
                points.append(frameworks.theirs(configuration, feed.theta, feed.gradients, rates)[KEPT])
    packages = {framework, "numpy"} | ({"jax", "jaxlib"} if framework != "torch" else set())
    versions = {name: metadata.version(name) for name in sorted(packages)} | {"python": platform.python_version()}
    np.savez_compressed(
        FOLDER / f"{framework}.npz",
        about=json.dumps({"versions": versions, "rows": rows}),
        points=np.array(points),
        theta=feed.theta,
        gradients=feed.gradients,
        **{f"rates_{name}": rates for name, rates in feed.rates.items()},
    )
    print(f"{framework}: {len(rows)} paths, {versions}")


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    for name in sys.argv[1:]:
        record(name)
