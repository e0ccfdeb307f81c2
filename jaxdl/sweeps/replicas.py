"""A compiled program for one device, loaded on another: the same machine code, without compiling it again.

To compile a study's programs takes seconds, and every device of a sweep has its own; loading a copy takes a twentieth.
JAX can serialize a compiled program but loads it only on the device that it was compiled for, so here the runtime below
it is asked, which has no stable interface. Where anything of that is missing or refuses (programs that call back into
Python cannot be serialized), the program is compiled anew.
"""

import io
import pickle
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.experimental import serialize_executable
from jaxlib import xla_client

FOREIGN = (AttributeError, TypeError, ValueError, NotImplementedError, pickle.PickleError, jax.errors.JaxRuntimeError)
"""What a runtime says that cannot do it, or not in this way."""


def possible(devices: int) -> bool:
    """Whether programs for so many devices can be copied to others.

    One that JAX has read from its persistent cache looks whole but has lost part of its code when it is serialized
    again (jaxlib 0.10: "Function … not found" as it runs). So where that cache is on, every device's programs are
    compiled, and kept there.
    """
    return devices == 1 and not getattr(jax.config, "jax_compilation_cache_dir", None)


def on_device(compiled: Any, device: jax.Device, compile_again: Callable[[], Any]) -> Any:
    """``compiled``, a program for one device, for ``device``.

    Args:
      compiled: From ``jax.jit(…).lower(…).compile()``.
      device: Of the same kind.
      compile_again: Gives the program for ``device`` where it cannot be copied.

    >>> import jax.numpy as jnp
    >>> double = jax.jit(lambda x: 2 * x).lower(jnp.ones(())).compile()
    >>> copy = on_device(double, jax.devices()[-1], compile_again=lambda: None)
    >>> print(copy(jax.device_put(jnp.array(3.0), jax.devices()[-1])))
    6.0
    """
    try:
        serialized, arguments, results = serialize_executable.serialize(compiled)
        program, leaves, no_kwargs = _Loader(io.BytesIO(serialized), device).load()
        return jax.stages.Compiled(program.load(), [], arguments.unflatten(leaves), results, no_kwargs=no_kwargs)
    except FOREIGN:
        return compile_again()


class _Loader(pickle.Unpickler):
    """Reads a serialized program, with ``device`` wherever a device is meant."""

    def __init__(self, file: io.BytesIO, device: jax.Device) -> None:
        super().__init__(file)
        self._device = device

    def persistent_load(self, pid: tuple[Any, ...]) -> Any:
        """Devices, their client, and machine code: what JAX names in place of the object."""
        kind, *content = pid
        if kind == "device":
            return self._device
        if kind == "client":
            return self._device.client
        if kind != "exec":
            raise pickle.UnpicklingError(f"expected a device, a client or a program, got {kind!r}.")
        options = xla_client.CompileOptions()
        options.num_replicas = options.num_partitions = 1
        options.device_assignment = xla_client.DeviceAssignment.create(np.array([[self._device.id]]))
        devices = xla_client.DeviceList((self._device,))
        return self._device.client.deserialize_executable(content[0], devices, options)
