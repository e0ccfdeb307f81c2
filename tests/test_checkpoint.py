"""Named arrays and a note in one file: every dtype, and no damaged byte unseen."""

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from jaxdl import checkpoint

ARRAYS = {
    "scalar": np.array(2.5),
    "empty": np.zeros((0, 3), np.float32),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(10)[::3],
    "foreign": np.arange(3, dtype=">f4"),
    "bool": np.array([True, False]),
    "complex": np.array([1j], np.complex64),
    "bfloat16": jnp.array([[1.5, -0.0, jnp.nan]], jnp.bfloat16),
    "float8": np.array([0.5, 2], ml_dtypes.float8_e4m3fn),
    "key": np.array([0, 3], np.uint32),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_comes_back(tmp_path, name):
    checkpoint.save(tmp_path / "c", {"before": np.arange(3), name: ARRAYS[name]}, {"step": 3})
    arrays, note = checkpoint.load(tmp_path / "c")
    expected = np.asarray(ARRAYS[name])
    assert note == {"step": 3}
    assert list(arrays) == ["before", name]
    assert arrays[name].dtype == expected.dtype.newbyteorder("=")
    assert arrays[name].shape == expected.shape
    assert arrays[name].tobytes() == expected.astype(arrays[name].dtype).tobytes()
    assert arrays[name].flags.writeable


def test_every_damaged_byte_and_every_lost_byte_is_seen(tmp_path):
    path = tmp_path / "c"
    checkpoint.save(path, {"x": np.arange(3, dtype=np.int16), "y": ARRAYS["bfloat16"]}, None)
    whole = path.read_bytes()
    for position in range(len(whole)):
        for damaged in (whole[:position], whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :]):
            path.write_bytes(damaged)
            if damaged.replace(b" ", b"$") == whole.replace(b" ", b"$"):
                continue
            with pytest.raises(ValueError, match=r"."):
                checkpoint.load(path)
    path.write_bytes(whole + b"0")
    with pytest.raises(ValueError, match="bytes follow"):
        checkpoint.load(path)


@pytest.mark.parametrize("array", [np.array(["text"]), np.array([None]), np.zeros(2, "datetime64[s]")])
def test_what_is_not_numeric_is_refused(tmp_path, array):
    with pytest.raises(TypeError, match="a checkpoint holds numeric arrays; 'x' has dtype"):
        checkpoint.save(tmp_path / "c", {"x": array}, None)
    assert list(tmp_path.iterdir()) == []
