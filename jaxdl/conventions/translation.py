"""``translate``: the constructor call that makes the same optimizer in another framework, or why there is none.

A transformation is read through its :class:`jaxdl.rules.Rule` and put into a frame (``jaxdl/conventions/frame.py``).
A target says a frame exactly, or what of it it cannot say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import optax

from jaxdl import checks
from jaxdl.conventions.frame import Frame, Untranslatable, frame_of
from jaxdl.rules import rule_of


@dataclass(frozen=True)
class Translation:
    """How another framework spells an optimizer.

    Attributes:
      framework: torch, keras or optax.
      constructor: Dotted name of what to call; None where nothing there does the same.
      keywords: Its arguments.
      remarks: What must hold besides, one sentence each; or why there is none.
    """

    framework: str
    constructor: str | None
    keywords: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether there is one."""
        return self.constructor is not None

    def __str__(self) -> str:
        notes = [f"# {remark}" for remark in self.remarks]
        if self.constructor is None:
            return "\n".join([f"# nothing in {self.framework} does the same", *notes])
        first = ["params"] if self.framework == "torch" else []
        arguments = ", ".join([*first, *(f"{name}={_literal(value)}" for name, value in self.keywords.items())])
        return "\n".join([f"{self.constructor}({arguments})", *notes])


def _literal(value: Any) -> str:
    return getattr(value, "__name__", "schedule") if callable(value) else repr(value)


# --- targets ----------------------------------------------------------------------------------------------------------


def _numbers(**values: Any) -> dict[str, Any]:
    """Hyper-parameters that must be numbers there."""
    for name, value in values.items():
        if callable(value):
            raise Untranslatable(f"{name} is a schedule, and there it is a number.")
    return values


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Untranslatable(otherwise)


def _constant(value: Any) -> bool:
    return not callable(value)


def _is_zero(value: Any) -> bool:
    return isinstance(value, int | float) and value == 0


def _torch(frame: Frame) -> Translation:
    remarks = []
    if callable(frame.rate):
        remarks.append("lr: LambdaLR(optimizer, schedule) with lr=1.0, stepped after every update.")
    if frame.velocity is not None and frame.inside:
        _demand(_constant(frame.rate), "its rate is inside the velocity; torch's multiplies it.")
        remarks.append("Equal while the rate is constant: torch multiplies the velocity by it.")
    common = {"lr": 1.0 if callable(frame.rate) else frame.rate}
    name, keywords = _TORCH[frame.scaling](frame)
    if name != "AdamW":
        _demand(_is_zero(frame.decay), "torch decouples the decay of Adam alone (AdamW).")
        keywords |= _numbers(weight_decay=frame.penalty)
    return Translation("torch", f"torch.optim.{name}", common | keywords, tuple(remarks))


def _torch_sgd(frame: Frame) -> tuple[str, dict[str, Any]]:
    velocity = frame.velocity or {"decay": 0.0, "nesterov": False}
    return "SGD", _numbers(momentum=velocity["decay"], nesterov=velocity["nesterov"])


def _torch_rmsprop(frame: Frame) -> tuple[str, dict[str, Any]]:
    rms, velocity = frame.arguments, frame.velocity or {"decay": 0.0, "nesterov": False}
    _demand(not rms["eps_in_sqrt"] or _is_zero(rms["eps"]), "torch's RMSprop adds ε to the root, this one under it.")
    _demand(_is_zero(rms["initial_scale"]), "torch's RMSprop starts its mean square at 0.")
    _demand(not rms["bias_correction"], "torch's RMSprop corrects no bias.")
    _demand(not velocity["nesterov"], "torch's RMSprop has no Nesterov momentum.")
    centered = frame.scaling == "scale_by_stddev"
    numbers = _numbers(alpha=rms["decay"], eps=rms["eps"], momentum=velocity["decay"])
    return "RMSprop", {**numbers, "centered": centered}


def _adam_demands(frame: Frame, where: str) -> None:
    adam = frame.arguments
    _demand(frame.velocity is None, f"{where}'s Adam has no velocity after the scaling.")
    _demand(adam["bias_correction"], f"{where}'s Adam always corrects the bias.")
    _demand(_is_zero(adam["eps_root"]), f"{where}'s Adam adds no ε under the root.")


def _torch_adam(frame: Frame) -> tuple[str, dict[str, Any]]:
    adam = frame.arguments
    _adam_demands(frame, "torch")
    _demand(not adam["nesterov"], "torch's NAdam schedules β₁; this one keeps it constant.")
    numbers = {**_numbers(b1=adam["b1"], b2=adam["b2"], eps=adam["eps"])}
    keywords = {"betas": (numbers["b1"], numbers["b2"]), "eps": numbers["eps"]}
    if _is_zero(frame.decay):
        return "Adam", keywords
    _demand(_is_zero(frame.penalty), "torch has a coupled or a decoupled decay, not both.")
    return "AdamW", {**keywords, **_numbers(weight_decay=frame.decay)}


_TORCH: Mapping[str | None, Callable[[Frame], tuple[str, dict[str, Any]]]] = {
    None: _torch_sgd,
    "scale_by_adam": _torch_adam,
    "scale_by_rms": _torch_rmsprop,
    "scale_by_stddev": _torch_rmsprop,
}


def _keras(frame: Frame) -> Translation:
    _demand(_is_zero(frame.penalty), "no optimizer of Keras has a coupled penalty: add it to the loss.")
    remarks = []
    if frame.velocity is not None and not frame.inside:
        _demand(_constant(frame.rate), "its rate multiplies the velocity; Keras's is inside.")
        remarks.append("Equal while the rate is constant: Keras puts it inside the velocity.")
    velocity = frame.velocity or {"decay": 0.0, "nesterov": False}
    if frame.scaling is None:
        name, keywords = "SGD", _numbers(momentum=velocity["decay"], nesterov=velocity["nesterov"])
    elif frame.scaling == "scale_by_adam":
        _adam_demands(frame, "Keras")
        _demand(not frame.arguments["nesterov"], "Keras's Nadam schedules β₁; this one keeps it constant.")
        _demand(_is_zero(frame.arguments["eps"]), "Keras's Adam adds ε to the uncorrected root: equal only for ε = 0.")
        name = "Adam"
        keywords = _numbers(beta_1=frame.arguments["b1"], beta_2=frame.arguments["b2"], epsilon=0.0)
    else:
        name, keywords = "RMSprop", _keras_rmsprop(frame, velocity)
    if not _is_zero(frame.decay):
        _demand(frame.velocity is None, "with momentum, this decay passes through no counterpart in Keras.")
        name, keywords = ("AdamW" if name == "Adam" else name), {**keywords, **_numbers(weight_decay=frame.decay)}
    return Translation("keras", f"keras.optimizers.{name}", {"learning_rate": frame.rate, **keywords}, tuple(remarks))


def _keras_rmsprop(frame: Frame, velocity: Mapping[str, Any]) -> dict[str, Any]:
    rms = frame.arguments
    _demand(rms["eps_in_sqrt"] or _is_zero(rms["eps"]), "Keras's RMSprop adds ε under the root, this one to it.")
    _demand(_is_zero(rms["initial_scale"]), "Keras's RMSprop starts its mean square at 0.")
    _demand(not rms["bias_correction"], "Keras's RMSprop corrects no bias.")
    _demand(not velocity["nesterov"], "Keras's RMSprop has no Nesterov momentum.")
    numbers = _numbers(rho=rms["decay"], epsilon=rms["eps"], momentum=velocity["decay"])
    return {**numbers, "centered": frame.scaling == "scale_by_stddev"}


def _optax(frame: Frame) -> Translation:
    _demand(_is_zero(frame.penalty), "optax spells it as a chain: add_decayed_weights first.")
    velocity = frame.velocity
    if frame.scaling == "scale_by_adam":
        _demand(velocity is None, "optax's adam has no velocity after the scaling.")
        _demand(frame.arguments["bias_correction"], "optax's adam always corrects the bias.")
        keywords = {k: v for k, v in frame.arguments.items() if k not in ("bias_correction", "mu_dtype")}
        name = "adam" if _is_zero(frame.decay) else "adamw"
        keywords |= {} if _is_zero(frame.decay) else {"weight_decay": frame.decay}
        return Translation("optax", f"optax.{name}", {"learning_rate": frame.rate, **keywords})
    _demand(_is_zero(frame.decay), "optax decouples no decay of this rule; chain add_decayed_weights before the rate.")
    inside_there = frame.scaling is not None
    remarks = []
    if velocity is not None and frame.inside != inside_there:
        _demand(_constant(frame.rate), "optax puts the rate on the other side of the velocity.")
        remarks.append("Equal while the rate is constant: optax puts it on the other side of the velocity.")
    keywords = {"momentum": velocity["decay"], "nesterov": velocity["nesterov"]} if velocity is not None else {}
    if frame.scaling is not None:
        keywords = {**frame.arguments, "centered": frame.scaling == "scale_by_stddev", **keywords}
        corrected = frame.arguments["bias_correction"] and keywords["centered"]
        _demand(not corrected, "optax's centred mean square corrected for bias starts otherwise.")
    name = "sgd" if frame.scaling is None else "rmsprop"
    return Translation("optax", f"optax.{name}", {"learning_rate": frame.rate, **keywords}, tuple(remarks))


TARGETS: Mapping[str, Callable[[Frame], Translation]] = MappingProxyType(
    {"torch": _torch, "keras": _keras, "optax": _optax}
)


def translate(transform: optax.GradientTransformation, to: str) -> Translation:
    """The constructor call that reproduces an optimizer in another framework, or the reason why none does.

    Args:
      transform: An optimizer that carries a rule: made by a factory of jaxdl, or by :func:`jaxdl.chain` of such.
      to: torch, keras or optax.

    Returns:
      The translation: ``print`` it, or take ``.constructor`` and ``.keywords``. Where none is exact, its constructor
      is None and its remark says why. An opaque transformation has none.

    Raises:
      ValueError: An unknown framework.
    """
    checks.known("framework", to, TARGETS)
    try:
        return TARGETS[to](frame_of(rule_of(transform)))
    except Untranslatable as reason:
        return Translation(to, None, remarks=(str(reason),))
