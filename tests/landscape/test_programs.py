"""A slice's program is compiled once, and never serves another slice."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import landscape
from jaxdl.landscape import programs

pytestmark = pytest.mark.usefixtures("quick_compilation")
X = jnp.arange(12.0).reshape(4, 3) / 12
AXES = (jnp.array([1.0, 0.0, 0.0]), jnp.array([0.0, 0.5, 1.0]))


@pytest.fixture(autouse=True)
def nothing_known():
    programs._known.clear()


def loss(w, x):
    return jnp.sum(jax.nn.relu(x @ w) ** 2)


def plane(function=loss, w=None, *args, **options):
    w = jnp.ones(3) if w is None else w
    return landscape.plane(function, w, AXES, *(args or (X,)), **{"grid": (5, 4), **options})["loss"].values


def compiled():
    return sum(len(p._compiled) for known in programs._known.values() for p in (known._plain, known._shortcut) if p)


@pytest.mark.parametrize("options", [{"shortcut": True}, {"derivatives": True}])
def test_a_second_call_compiles_nothing(options):
    w, x = 2 * jnp.ones(3), X + 1
    expected = plane(loss, w, x, shortcut=False)
    programs._known.clear()
    plane(**options)
    assert compiled() == 1
    events = []

    def listen(name, *_, **__):
        events.append(name)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        again = plane(lambda w, x: loss(w, x), w, x, **options)
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    assert [name for name in events if "jaxpr_trace" in name], "events are heard"
    assert not [name for name in events if "backend_compile" in name]
    assert compiled() == 1
    np.testing.assert_allclose(again, expected, rtol=1e-12)


def test_what_a_function_has_captured_is_read_again():
    class Trainer:
        data = X

        def loss(self, w, x):
            return loss(w, self.data + 0 * x)

    trainer = Trainer()
    first = plane(trainer.loss)
    trainer.data = X + 1
    second = plane(trainer.loss)
    np.testing.assert_allclose(first, plane(), rtol=1e-12)
    np.testing.assert_allclose(second, plane(loss, None, X + 1), rtol=1e-12)


@pytest.mark.parametrize("number", [1.0, 1.0 + 1e-15])
def test_a_literal_is_part_of_the_program(number):
    for captured in (1.0, number):
        value = plane(lambda w, x, c=captured: jnp.sum(w) * (c - 1.0) * 1e15)
    assert (np.ptp(value) > 0) == (number != 1.0)


def test_shapes_metrics_derivatives_and_devices_are_part_of_it():
    plane()
    plane(loss, None, X[:2])
    plane(metrics={"other": loss})
    plane(metrics={"another": loss})
    plane(derivatives=True)
    plane(devices=jax.devices()[:1])
    assert len(programs._known) == 6


def test_few_are_kept_and_the_oldest_goes():
    for power in range(programs.KEPT + 3):
        plane(lambda w, x, power=power: jnp.sum(w**power))
        plane()
    assert len(programs._known) == programs.KEPT
    before = compiled()
    plane()
    assert compiled() == before


def test_chunks_are_of_one_length_with_little_room_left():
    from jaxdl.landscape import evaluation

    known = programs.of(programs.Slice({"loss": loss}, jnp.ones(3), AXES, (X,)), jax.devices()[:1])
    program, _ = known.chosen(False, 1)
    for points, length in ((2601, 124), (8, 8), (2, 8), (651, 44)):
        runner = evaluation._Runner(program, None, points)
        assert runner.length(4) == length
        assert -(-points // length) * length < 1.1 * points + 8
