"""Programs of one device on another: the copy is made without compiling, computes the same bits, and can be refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl.sweeps import replicas


def wave(x, rates):
    return {"sum": jnp.sum(jnp.tanh(x @ x.T) * rates["eta"]), "x": x / 3}


ARGUMENTS = (np.linspace(-1, 1, 12).reshape(4, 3), {"eta": np.float64(0.1)})


@pytest.fixture(scope="module")
def compiled():
    return jax.jit(wave).lower(*ARGUMENTS).compile()


def never():
    raise AssertionError("compiled again")


@pytest.mark.parametrize("number", [1, 3])
def test_a_copy_runs_on_its_device_and_computes_the_same_bits(compiled, number):
    device = jax.devices()[number]
    copied = replicas.on_device(compiled, device, never)
    found, expected = copied(*ARGUMENTS), compiled(*ARGUMENTS)
    assert found["x"].devices() == {device}
    np.testing.assert_array_equal(found["x"], expected["x"])
    np.testing.assert_array_equal(found["sum"], expected["sum"])


def test_a_copy_takes_what_is_on_its_device(compiled):
    device = jax.devices()[2]
    copied = replicas.on_device(compiled, device, never)
    given = jax.device_put(ARGUMENTS, device)
    np.testing.assert_array_equal(copied(*given)["sum"], compiled(*ARGUMENTS)["sum"])


def test_donated_memory_stays_donated():
    compiled = jax.jit(lambda x: x + 1, donate_argnums=0).lower(np.zeros(3)).compile()
    device = jax.devices()[1]
    given = jax.device_put(np.zeros(3), device)
    replicas.on_device(compiled, device, never)(given)
    assert given.is_deleted()


def test_what_cannot_be_serialized_is_compiled_again():
    def calls_back(x):
        return jax.pure_callback(lambda value: value, jax.ShapeDtypeStruct((), x.dtype), x)

    compiled = jax.jit(calls_back).lower(np.ones(())).compile()
    assert replicas.on_device(compiled, jax.devices()[1], lambda: "again") == "again"


def test_a_runtime_that_has_changed_costs_a_compilation(compiled, monkeypatch):
    monkeypatch.delattr(replicas.xla_client.DeviceAssignment, "create")
    assert replicas.on_device(compiled, jax.devices()[1], lambda: "again") == "again"


def test_with_a_persistent_cache_nothing_is_copied(tmp_path):
    """A program that JAX has read from its cache loses code when it is serialized again."""
    assert replicas.possible(1)
    assert not replicas.possible(2)
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    try:
        assert not replicas.possible(1)
    finally:
        jax.config.update("jax_compilation_cache_dir", None)
