"""Points by the thousand: devices and batch sizes do not change them, and what is done is kept."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import landscape, losses
from tests.curvature.matrices import network, parameters, samples

AXES = landscape.random(jax.random.key(0), parameters(), keep_vectors=True)


def loss(params, batch):
    return losses.cross_entropy(network(params, batch[0]), batch[1])


def accuracy(params, batch):
    return losses.accuracy(network(params, batch[0]), batch[1])


def plane(dtype="float64", **options):
    cast = [jax.tree.map(lambda x: x.astype(dtype), tree) for tree in (parameters(), *AXES)]
    inputs, labels = samples(30)
    batch = (inputs.astype(dtype), labels)
    return landscape.plane(
        loss, cast[0], cast[1:], batch, grid=(9, 7), **{"metrics": {"accuracy": accuracy}, **options}
    )


def same(a, b):
    return all(np.array_equal(a[name], b[name], equal_nan=True) for name in ("loss", "accuracy"))


@pytest.mark.parametrize("shortcut", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-14)])
def test_devices_change_no_bit_and_batch_sizes_only_the_last(dtype, tolerance, shortcut):
    one = plane(dtype, shortcut=shortcut, batch_size=3, devices=jax.devices()[:1])
    four = plane(dtype, shortcut=shortcut, batch_size=3)
    assert len(jax.devices()) == 4
    assert same(one, four)
    other = plane(dtype, shortcut=shortcut, batch_size=8)
    np.testing.assert_allclose(other["loss"], one["loss"], rtol=tolerance)
    assert other["loss"].dtype == dtype


def test_progress_is_told_to_the_end():
    told = []
    plane(batch_size=1, devices=jax.devices()[:1], on_progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 63)
    assert told[-1] == (63, 63)
    assert len(told) > 10
    assert told == sorted(told)


class KilledError(Exception):
    pass


def killed_after(points):
    def on_progress(done, total):
        if done >= points:
            raise KilledError

    return on_progress


def test_what_is_done_is_kept_and_the_rest_is_the_same_to_the_bit(tmp_path):
    whole = plane(batch_size=2)
    folder = tmp_path / "plane"
    with pytest.raises(KilledError):
        plane(batch_size=2, out=folder, devices=jax.devices()[:1], on_progress=killed_after(20))
    told = []
    resumed = plane(out=folder, on_progress=lambda done, total: told.append(done))
    assert 20 <= told[0] < 63
    assert same(resumed, whole)
    again = plane(out=folder, on_progress=lambda done, total: told.append(done))
    assert told[-1] == 63
    assert told.count(63) == 2  # nothing was left to do
    assert same(again, whole)


def test_a_folder_belongs_to_one_slice(tmp_path):
    folder = tmp_path / "plane"
    plane(out=folder, batch_size=2)
    with pytest.raises(ValueError, match="holds another slice"):
        plane(out=folder, metrics={"accuracy": loss})
    with pytest.raises(ValueError, match="holds another slice"):
        plane("float32", out=folder)
    with pytest.raises(ValueError, match="was begun with batch_size 2, got 5"):
        plane(out=folder, batch_size=5)
    assert same(plane(out=folder), plane(batch_size=2))  # the folder was let go of


def test_memory_decides_how_many_points_are_computed_together(monkeypatch):
    from jaxdl.landscape import evaluation

    sizes = []
    run = evaluation._Runner.run
    monkeypatch.setattr(evaluation._Runner, "run", lambda self, a, size: sizes.append(size) or run(self, a, size))
    monkeypatch.setitem(evaluation.POINTS_AT_ONCE, "cpu", 8)
    needs = []
    monkeypatch.setattr(evaluation._Runner, "bytes", lambda self, size: needs.append(size) or 1000 + 100 * size)
    for allowed, expected in ((10**9, 8), (1550, 5), (1200, 2), (1150, 1)):
        plane(memory=allowed, shortcut=True)
        assert set(sizes) == {expected}
        sizes.clear()
    with pytest.raises(ValueError, match="must hold one point, 1100 bytes, got 1050"):
        plane(memory=1050, shortcut=True)


def test_the_compiler_is_asked_for_the_bytes():
    with pytest.raises(ValueError, match="the memory budget must hold one point"):
        plane(memory=1000)
    with pytest.raises(ValueError, match="memory must be a whole number of at least 1, got 0"):
        plane(memory=0)


def test_keys_and_integers_among_the_arguments():
    def noisy(params, x, key):
        return jnp.sum(params * x) + jax.random.normal(key, ())

    x = jnp.arange(3)
    data = landscape.line(
        lambda p, x, k: noisy(p, x.astype(p.dtype), k), jnp.ones(3), jnp.ones(3), x, jax.random.key(1)
    )
    np.testing.assert_allclose(np.diff(data["loss"]), 3 * np.diff(data["x"]), rtol=1e-12)
