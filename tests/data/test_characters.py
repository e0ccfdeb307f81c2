"""The lecture's points by facts about them that the points do not state themselves."""

import numpy as np

from jaxdl.data.characters import NAMES, VALIDATION_NAMES, characters


def test_mean_and_spread_are_those_of_the_lecture():
    features, labels = characters()["train"]
    np.testing.assert_allclose(features.mean(axis=0), [0.0744, 0.9209], atol=5e-5)
    np.testing.assert_allclose(features.std(axis=0), [0.0758, 0.4605], atol=5e-5)
    assert (len(features), labels.sum()) == (13, 6)
    assert features.dtype == np.float64


def test_names_go_with_classes_and_characters_come_first():
    data = characters()
    assert [name[0] == "c" for name in NAMES] == data["train"][1].astype(bool).tolist()
    assert len(VALIDATION_NAMES) == len(data["val"][0]) == 4
    assert data["val"][1].tolist() == [1, 1, 0, 0]


def test_the_best_line_has_the_loss_and_the_one_error_of_the_lecture():
    from sklearn.linear_model import LogisticRegression

    features, labels = characters()["train"]
    fit = LogisticRegression(C=1e8, tol=1e-10, max_iter=10_000).fit(features, labels)
    probabilities = fit.predict_proba(features)[np.arange(13), labels]
    assert abs(-np.log(probabilities).mean() - 0.25361) < 1e-5
    assert [NAMES[i] for i in np.flatnonzero(fit.predict(features) != labels)] == ["b7"]
