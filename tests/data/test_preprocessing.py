"""Preprocessing by what it promises of the samples it was fitted on, and the lecture's condition numbers."""

import numpy as np
import pytest

from jaxdl.data import preprocessing
from jaxdl.data.characters import characters

FITS = [preprocessing.min_max, preprocessing.standardise, preprocessing.pca, preprocessing.whiten]


@pytest.fixture
def features(rng):
    return rng.normal(size=(40, 3)) @ rng.normal(size=(3, 3)) + [5.0, -2.0, 0.3]


@pytest.mark.parametrize("fit", FITS)
def test_the_inverse_gives_the_features_back(fit, features):
    affine = fit(features)
    np.testing.assert_allclose(
        preprocessing.invert(affine, preprocessing.apply(affine, features)), features, rtol=1e-10
    )


def test_min_max_spans_the_unit_interval_exactly(features):
    z = preprocessing.apply(preprocessing.min_max(features), features)
    np.testing.assert_allclose([z.min(axis=0), z.max(axis=0)], [[0] * 3, [1] * 3], atol=1e-14)


def test_standardised_has_mean_zero_and_deviation_one(features):
    z = preprocessing.apply(preprocessing.standardise(features), features)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-12)


def test_pca_is_a_rotation_to_uncorrelated_axes_and_keeps_the_variance(features):
    affine = preprocessing.pca(features)
    np.testing.assert_allclose(affine.matrix @ affine.matrix.T, np.eye(3), atol=1e-12)
    covariance = np.cov(preprocessing.apply(affine, features).T)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-12)
    assert (np.diff(np.diag(covariance)) < 0).all()
    np.testing.assert_allclose(np.trace(covariance), np.trace(np.cov(features.T)), rtol=1e-12)


def test_whitened_has_the_identity_for_covariance(features):
    z = preprocessing.apply(preprocessing.whiten(features), features)
    np.testing.assert_allclose(np.cov(z.T), np.eye(3), atol=1e-12)


@pytest.mark.parametrize("fit", [preprocessing.min_max, preprocessing.standardise])
def test_a_constant_feature_becomes_zero(fit):
    z = preprocessing.apply(fit(np.array([[1.0, 7.0], [3.0, 7.0]])), np.array([[2.0, 7.0]]))
    assert z[0, 1] == 0


def test_only_the_training_split_is_looked_at(features):
    data = {"train": (features.astype(np.float32), np.arange(40)), "val": (features[:2] + 100, np.arange(2))}
    done = preprocessing.preprocessed(data, preprocessing.standardise)
    assert done["train"][0].dtype == np.float32
    affine = preprocessing.standardise(data["train"][0])
    np.testing.assert_array_equal(done["val"][0], preprocessing.apply(affine, data["val"][0]))
    assert done["val"][0].min() > 5


def test_condition_numbers_of_the_lecture_fall_with_the_scales():
    features, _ = characters()["train"]
    scaled, standardised = (preprocessing.apply(fit(features), features) for fit in FITS[:2])
    found = [preprocessing.gram_condition_number(x) for x in (features, scaled, standardised)]
    np.testing.assert_allclose(found, [497.41, 28.15, 3.495], rtol=2e-4)


def test_what_has_no_principal_axes_is_refused():
    with pytest.raises(ValueError, match="more samples than features, got 2 of 3"):
        preprocessing.pca(np.ones((2, 3)))
    with pytest.raises(ValueError, match="whitening divides by every variance"):
        preprocessing.whiten(np.arange(5.0)[:, None] * np.ones((1, 2)))
