"""Splits: every sample in exactly one, every class in the same part, nothing of val or test in the preprocessing."""

import numpy as np
import pytest

from jaxdl.data.breast_cancer import breast_cancer
from jaxdl.data.digits import digits
from jaxdl.data.splits import three_way_split
from jaxdl.problems.problem import SPLITS

SETS = {
    "digits": (digits, (8, 8, 1), 10, (1077, 360, 360)),
    "breast cancer": (breast_cancer, (30,), 2, (341, 114, 114)),
}
"""Loader, shape of a sample, classes, sizes."""


@pytest.mark.parametrize("name", SETS)
def test_shapes_dtypes_and_sizes(name):
    load, shape, classes, sizes = SETS[name]
    splits = load()
    assert tuple(splits) == SPLITS
    for (inputs, labels), size in zip(splits.values(), sizes, strict=True):
        assert inputs.shape == (size, *shape)
        assert labels.shape == (size,)
        assert (inputs.dtype, labels.dtype) == (np.float32, np.int32)
        assert set(labels) == set(range(classes))
        assert np.isfinite(inputs).all()


@pytest.mark.parametrize("name", SETS)
def test_the_same_seed_gives_the_same_split_and_another_seed_another(name):
    load = SETS[name][0]
    first, again, other = load(), load(seed=0), load(seed=1)
    for split in SPLITS:
        np.testing.assert_array_equal(first[split][0], again[split][0])
        np.testing.assert_array_equal(first[split][1], again[split][1])
    assert not np.array_equal(first["train"][1], other["train"][1])


def test_digits_lie_between_zero_and_one():
    for images, _ in digits().values():
        assert (images.min(), images.max()) == (0, 1)


def test_every_sample_is_in_exactly_one_split():
    inputs = np.arange(200)
    splits = three_way_split(inputs, inputs % 4, seed=3)
    np.testing.assert_array_equal(np.sort(np.concatenate([part for part, _ in splits.values()])), inputs)
    for part, labels in splits.values():
        np.testing.assert_array_equal(labels, part % 4)


@pytest.mark.parametrize("name", SETS)
def test_every_class_has_the_same_part_of_every_split(name):
    splits = SETS[name][0]()
    counts = np.stack([np.bincount(labels) for _, labels in splits.values()])
    expected = counts.sum(axis=0) * counts.sum(axis=1, keepdims=True) / counts.sum()
    assert np.abs(counts - expected).max() <= 1


def test_part_sizes_are_those_asked_for():
    splits = three_way_split(np.arange(1000), np.arange(1000) % 2, seed=0, val=0.1, test=0.3)
    assert [len(labels) for _, labels in splits.values()] == [600, 100, 300]


def test_features_are_standardised_by_the_training_split_alone():
    splits = breast_cancer()
    train, val = splits["train"][0].astype(np.float64), splits["val"][0].astype(np.float64)
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(train.std(axis=0), 1, rtol=1e-6)
    assert np.abs(val.mean(axis=0)).max() > 0.05, "the validation split was used for its own scaling"


def test_val_and_test_do_not_reach_the_scaling(monkeypatch):
    """Changing a sample of the test split leaves the scaled training split as it was."""
    import sklearn.datasets

    features, labels = sklearn.datasets.load_breast_cancer(return_X_y=True)
    held_out = three_way_split(np.arange(len(labels)), labels, 0)["test"][0]
    changed = features.copy()
    changed[held_out] *= 100
    before = breast_cancer()
    monkeypatch.setattr(sklearn.datasets, "load_breast_cancer", lambda return_X_y: (changed, labels))
    after = breast_cancer()
    np.testing.assert_array_equal(before["train"][0], after["train"][0])
    assert not np.array_equal(before["test"][0], after["test"][0])
