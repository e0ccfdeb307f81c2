"""Sequences of bits against loops over them."""

import numpy as np
import pytest

from jaxdl.data import sequences


@pytest.mark.parametrize("delay", [0, 1, 4])
def test_echo_repeats_bits_later(delay):
    inputs, labels = sequences.echo(20, times=6, delay=delay, seed=1)
    assert set(np.unique(inputs)) == {-1, 1}
    assert (inputs.shape, inputs.dtype, labels.dtype) == ((20, 6, 1), np.float32, np.int32)
    for row, expected in zip(inputs[..., 0], labels, strict=True):
        assert expected.tolist() == [int(row[t - delay] > 0) if t >= delay else 0 for t in range(6)]


def test_parity_counts_ones():
    inputs, labels = sequences.parity(20, times=7)
    for row, expected in zip(inputs[..., 0], labels, strict=True):
        assert expected.tolist() == [int((row[: t + 1] > 0).sum() % 2) for t in range(7)]


def test_seeds_differ():
    assert not np.array_equal(sequences.parity(20, 7, seed=0)[0], sequences.parity(20, 7, seed=1)[0])


def test_a_delay_beyond_the_sequence_is_refused():
    with pytest.raises(ValueError, match=r"delay must lie in \[0, 5\), the length of a sequence, got 5"):
        sequences.echo(1, times=5, delay=5)
