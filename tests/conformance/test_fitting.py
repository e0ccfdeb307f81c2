"""Which fit is believed: one found with patience where a glance misses, none that is only near, no factor if possible.

Narrowed to the candidates that a case is about, so that each takes a second.
"""

import functools

import numpy as np

import jaxdl
from jaxdl.conformance import fingerprint, fingerprints
from jaxdl.conformance.candidates import candidates
from jaxdl.conformance.fitting import IDENTIFIED, Fit, distance, fit
from jaxdl.conformance.probes import RATE, gradients


def narrow(monkeypatch, **conventions):
    """Lets ``fingerprint`` know Adam alone, with these conventions and any others."""
    adams = [one for one in candidates() if one.family == "adam" and conventions.items() <= one.conventions.items()]
    monkeypatch.setattr(fingerprints, "candidates", lambda: adams)
    return adams


def test_what_a_glance_does_not_even_come_near_is_found_with_patience(monkeypatch):
    (only,) = narrow(monkeypatch, **{"eps": "outside", "bias correction": "both", "count": "1, 2, 3, …"})
    wasserstein = {"b1": 0.5, "b2": 0.9, "eps": 1e-8}  # Gulrajani et al. 2017
    steps = only.steps(gradients(), np.full_like(gradients(), RATE), wasserstein)
    assert fit(only, gradients(), RATE, steps).residual > 0.1
    assert fingerprint(functools.partial(jaxdl.adam, **wasserstein)).hyper == wasserstein


def test_what_fits_only_nearly_is_no_tie(monkeypatch):
    narrow(monkeypatch, **{"bias correction": "both"})
    found = fingerprint(functools.partial(jaxdl.adam, eps=1e-17))
    assert found.conventions["eps"] == "outside"
    near = [name for name, residual in found.residuals.items() if 1e-12 < residual <= IDENTIFIED]
    assert near
    assert found.ties == ()


def test_of_two_that_fit_the_one_that_needs_no_factor_comes_first_where_the_rate_is_known():
    halved, whole = (one for one in candidates() if one.family in ("sgd", "sign_sgd"))
    fits = [Fit(halved, {}, 0.5, 1e-16), Fit(whole, {}, 1.0, 2e-16)]
    assert fingerprints._simplest(fits, bare=False) == fits[::-1]
    assert fingerprints._simplest(fits, bare=True) == fits


def test_what_the_kind_of_the_answers_excludes_does_not_fit_however_near():
    sign = next(one for one in candidates() if one.family == "sign_sgd")
    of_many_sizes = RATE * gradients() / (np.abs(gradients()) + 1e-19)
    excluded = fit(sign, gradients(), RATE, of_many_sizes)
    assert distance(RATE * np.sign(gradients()), of_many_sizes) < IDENTIFIED
    assert not excluded.fits
