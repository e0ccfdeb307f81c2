"""Dropout's two forms, the rules of early stopping, and image augmentation (数据增强)."""

import functools
from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np

import jaxdl
from experiments.lecture import protocol
from experiments.lecture.registry import Claim, ascending, below, holds, near
from jaxdl import early_stopping, statistics
from jaxdl.data import augmentation
from jaxdl.models import dropout


def dropout_forms() -> Iterable[Claim]:
    """C87: weight scaling trains with h·m and evaluates with (1 − p)·h: inverted dropout, of larger weights."""
    rng, p, key = np.random.default_rng(0), 0.4, jax.random.key(3)
    h, w = (jnp.asarray(x) for x in (np.abs(rng.standard_normal((5, 6))), rng.standard_normal(6)))
    one, other = dropout.inverted, dropout.weight_scaling
    trained = (one.in_training(key, h, p) @ w, other.in_training(key, h, p) @ (w / (1 - p)))
    used = (one.in_evaluation(h, p) @ w, other.in_evaluation(h, p) @ (w / (1 - p)))
    yield below(
        "inverted, and weight scaling with w/(1 − p): in training", jnp.abs(trained[0] - trained[1]).max(), 1e-12
    )
    yield below("and in evaluation", jnp.abs(used[0] - used[1]).max(), 1e-12)


def stopping_rules() -> Iterable[Claim]:
    """C93 on a made curve; records count from 0."""
    curve = [5.0, 4.0, 3.0, 3.5, 3.4, 3.3, 2.0, 6.0]
    for patience, least, expected in ((3, 0.0, (2, 5)), (4, 0.0, (6, 7)), (2, 2.5, (0, 2))):
        found = statistics.patience_stop(curve, patience, least)
        text = f"patience {patience}, min_delta {least:g}: (record kept, record of the stop)"
        yield holds(text, found == expected, f"{tuple(map(int, found))}, expected {expected}")
    yield near("arg-min over the whole run", statistics.best_record(curve), 6, 0)
    yield from _stopped_training()


def _stopped_training() -> Iterable[Claim]:
    """The same rules while training, with either monitor; the best parameters are restored."""
    problem, key = jaxdl.problems.get("digits-mlp"), jax.random.key(0)
    for monitor in ("val_loss", "val_error"):
        run = jax.jit(
            lambda key, monitor=monitor: early_stopping.train_until(
                problem, jaxdl.adam(0.03), key, 400, patience=3, monitor=monitor, record_every=10
            )
        )
        end = run(key)
        found = problem.metrics(end.best_params, problem.data["val"])
        value = float(found["loss"] if monitor == "val_loss" else 1 - found["accuracy"])
        yield near(f"{monitor}: the restored parameters have the best value", value, float(end.best_value), 1e-5)


def prefix_is_the_stopped_run(rate: float, epochs: int = 120) -> tuple[str, bool, str]:
    """Whether a run that is stopped at the best epoch is the prefix of the long run bit for bit."""
    problem, key = protocol.problem(), jax.random.key(0)
    tx = protocol.penalised_adam(rate)

    def run(length: int) -> tuple[jaxdl.TrainState, jaxdl.Curves]:
        steps = length * protocol.EPOCH
        train = functools.partial(
            jaxdl.train, problem, tx, steps=steps, record_every=protocol.EPOCH, snapshots=length + 1
        )
        found: tuple[jaxdl.TrainState, jaxdl.Curves] = jax.jit(train)(key)
        return found

    _, curves = run(epochs)
    best = int(jnp.argmin(curves.metrics["val_loss"]))
    state, _ = run(best)
    pairs = zip(jax.tree.leaves(state.params), jax.tree.leaves(curves.snapshots), strict=True)
    same = all(bool((a == b[best]).all()) for a, b in pairs)
    return "stopped at the best epoch: parameters of the long run there, bit for bit", same, f"{same}, epoch {best}"


def identities() -> Iterable[Claim]:
    """C97: what must hold exactly."""
    images = np.random.default_rng(0).random((4, 8, 8, 1))
    image = jnp.asarray(images[0])
    turned, mirrored = image, image
    for _ in range(4):
        turned = augmentation.quarter_turns(turned, 1)
    yield holds("four rotations by 90° are the identity", bool((turned == image).all()))
    for axis in (0, 1):
        mirrored = augmentation.flip(augmentation.flip(image, axis), axis)
        yield holds(f"flipping axis {axis} twice is the identity", bool((mirrored == image).all()))
    still = augmentation.warp(image, zoom=1.0)
    yield below("zoom 1 is the identity", jnp.abs(still - image).max(), 0.0)
    dot = jnp.zeros((8, 8, 1)).at[3, 4].set(1.0)
    moved = augmentation.warp(dot, down=2.0, right=-1.0)
    yield near("a shift moves a pixel from (3, 4) to (5, 3) exactly", moved[5, 3, 0], 1.0, 0.0)
    yield near("and leaves nothing behind", jnp.abs(moved).sum(), 1.0, 0.0)
    many = augmentation.batch(augmentation.random_noise(0.1), jax.random.key(0), jnp.zeros((500, 8, 8, 1)))
    yield near("noise: mean", many.mean(), 0.0, 4 * 0.1 / many.size**0.5)
    yield near("noise: standard deviation", many.std(), 0.1, 4 * 0.1 / (2 * many.size) ** 0.5)
    spin = augmentation.batch(augmentation.random_rotation(30.0), jax.random.key(0), jnp.asarray(images))
    again = augmentation.batch(augmentation.random_rotation(30.0), jax.random.key(0), jnp.asarray(images))
    yield holds("random rotations: the same key, the same images", bool((spin == again).all()))
    yield holds("and not the images that came in", bool((jnp.abs(spin - images).max(axis=(1, 2, 3)) > 1e-3).all()))


def shifted_digits() -> Iterable[Claim]:
    """C97: training on shifted images lowers the error on shifted test images."""
    from experiments.lecture import remedies

    errors = {
        shift: float(np.mean([remedies.train(shift=shift, test_shift=1, seed=s).error for s in range(2)]))
        for shift in (1, 0)
    }
    yield ascending(
        "error on test images shifted by a pixel: trained on shifted images, on those as they are", errors[1], errors[0]
    )
