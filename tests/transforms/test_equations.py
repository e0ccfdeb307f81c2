"""The equation that a rule carries follows its arguments: every choice shows in the text."""

import pytest

from jaxdl import optimizers, transforms
from jaxdl.rules import rule_of
from jaxdl.transforms import adamax, amsgrad, denominators, momentum, shrink

CHOICES = {
    "trace": (transforms.trace(0.9), "u ← b"),
    "trace, nesterov": (transforms.trace(0.9, nesterov=True), "u ← g + decay b"),
    "trace, dampened": (transforms.trace(0.9, dampening=0.1), "b ← decay b + (1 − dampening) g"),
    "trace, torch's first": (
        transforms.trace(0.9, dampening=0.1, dampen_first=False),
        "b ← decay b + (1 − dampening) g (at first b ← g)",
    ),
    "trace, muon": (
        transforms.trace(0.9, True, dampening=0.1, look_ahead=momentum.damped),
        "u ← (1 − dampening) g + decay b",
    ),
    "adagrad": (transforms.scale_by_rss(), "u ← g / √(s + eps)"),
    "adagrad, outside": (transforms.scale_by_rss(eps_in_sqrt=False), "u ← g / (√s + eps)"),
    "rms": (transforms.scale_by_rms(), "u ← g / √(ν + eps)"),
    "rms, corrected": (transforms.scale_by_rms(eps_in_sqrt=False, bias_correction=True), "(√(ν/(1 − decayᵗ)) + eps)"),
    "stddev": (transforms.scale_by_stddev(), "u ← g / √(s + eps)"),
    "adam": (transforms.scale_by_adam(), "u ← m̂ / (√v̂ + eps)"),
    "adam, hat": (transforms.scale_by_adam(divide=denominators.hat), "u ← m̂ / (√v̂ + eps/√(1 − b2ᵗ))"),
    "adam, clamped": (transforms.scale_by_adam(divide=denominators.clamped), "u ← m̂ / max(√v̂, eps)"),
    "adam, one moment": (transforms.scale_by_adam(bias_correction_mu=False), "m̂ ← m\nv̂ ← v/(1 − b2ᵗ) + eps_root"),
    "nadam": (transforms.scale_by_adam(nesterov=True), "m̂ ← b1 m/(1 − b1ᵗ⁺¹) + (1 − b1) g/(1 − b1ᵗ)"),
    "amsgrad": (transforms.scale_by_amsgrad(), "w ← max(w, v/(1 − b2ᵗ))\nv̂ ← w + eps_root"),
    "amsgrad, raw": (transforms.scale_by_amsgrad(maximum=amsgrad.of_raw), "w ← max(w, v)\nv̂ ← w/(1 − b2ᵗ) + eps_root"),
    "adamax": (transforms.scale_by_adamax(), "w ← max(b2 w, |g| + eps)"),
    "adamax, keras": (transforms.scale_by_adamax(norm=adamax.eps_beside_maximum), "u ← m/(1 − b1ᵗ) / (w + eps)"),
    "radam": (transforms.scale_by_radam(), "where ρ ≥ threshold, else m̂"),
    "fixed decay": (transforms.shrink_weights(0.1, 0.1, by=shrink.fixed), "u ← u − weight_decay · θ"),
    "proximal decay": (
        transforms.shrink_weights(0.1, 0.1, by=shrink.proximal),
        "u ← (u − learning_rate · weight_decay · θ) / (1 + learning_rate · weight_decay)",
    ),
}


@pytest.mark.parametrize("name", CHOICES)
def test_choice_shows_in_the_equation(name):
    transform, text = CHOICES[name]
    assert text in rule_of(transform).equation


def test_a_formula_of_the_users_own_is_called_by_its_name():
    def my_division(u, v_hat, eps, c):
        return u / (v_hat + eps)

    def my_decay(u, theta, eta, peak, decay):
        return u

    assert "my_division(m̂, v̂, eps)" in rule_of(transforms.scale_by_adam(divide=my_division)).equation
    assert "my_decay(u, θ" in rule_of(transforms.shrink_weights(0.1, 0.1, by=my_decay)).equation


def test_recipe_is_its_links_in_order():
    def links(transform):
        return [part.name for part in rule_of(transform).parts]

    assert links(optimizers.adamw(0.1)) == ["scale_by_adam", "add_decayed_weights", "scale_by_learning_rate"]
    assert links(optimizers.adamw(0.1, decay_by=shrink.fixed)) == [
        "scale_by_adam",
        "scale_by_learning_rate",
        "shrink_weights",
    ]
    assert links(optimizers.sgd(0.1, 0.9, learning_rate_in_velocity=True)) == ["scale_by_learning_rate", "trace"]
