"""The benchmarks' clock: what a sample is, and that short functions are called until they can be timed."""

import itertools
import time

import pytest

from benchmarks import timing


def counted(seconds):
    calls = []

    def function():
        calls.append(time.perf_counter())
        time.sleep(seconds)

    return function, calls


def test_short_functions_are_called_until_a_sample_lasts():
    (fast, fast_calls), (slow, slow_calls) = counted(0.001), counted(0.05)
    found = timing.interleaved({"fast": fast, "slow": slow}, repetitions=3, shortest_ms=20)
    assert len(slow_calls) == 2 + 3
    assert len(fast_calls) > 2 + 3 * 5
    assert [len(row["samples_ms"]) for row in found.values()] == [3, 3]
    assert found["fast"]["median_ms"] == pytest.approx(1, abs=5)
    assert found["slow"]["min_ms"] >= 50


def test_otherwise_a_sample_is_one_call_and_rounds_alternate():
    (one, one_calls), (other, other_calls) = counted(0.001), counted(0.001)
    timing.interleaved({"one": one, "other": other}, repetitions=4)
    assert len(one_calls) == len(other_calls) == 5
    rounds = [sorted(pair) for pair in zip(one_calls[1:], other_calls[1:], strict=True)]
    assert rounds == sorted(rounds)
    assert all(first[1] < second[0] for first, second in itertools.pairwise(rounds))
