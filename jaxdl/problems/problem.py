"""What an optimizer is tried on: one NamedTuple of pure functions and arrays."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from jaxdl.typing import Batch, Data, Key, LossFn, Metrics, Params

SPLITS = ("train", "val", "test")

NO_DATA: Data = dict.fromkeys(SPLITS, ())
"""The data of a problem that is a formula: every split is empty. A plain dictionary, which jit takes for a tree."""


class Problem(NamedTuple):
    """A training problem. A user's own is made by calling this with at least the first four fields.

    Attributes:
      name: Shown in tables, figures and stored results.
      init: ``init(key) -> params``, a pytree of arrays.
      loss: ``loss(params, batch, key) -> scalar``: what is differentiated. ``batch`` is ``data["train"]`` or a sample
        of it along the leading axis; ``key`` is fresh at every step, for dropout or noise.
      metrics: ``metrics(params, batch) -> {name: scalar}``, evaluated on whole splits without noise; it must hold
        ``"loss"``. Stored as ``val_loss``, ``test_loss`` and so on.
      data: The splits ``train``, ``val`` and ``test``, each a pytree of arrays with one leading sample axis, or ``()``.
        A dictionary, so that ``problem._replace(data=traced)`` works inside jit.
      batch_size: Samples per step, drawn in shuffled epochs; None for the whole training split at every step.
      floor: Infimum of the noiseless training loss over all parameters, where it is known.
      target: Validation loss that counts as solved; ``steps_to_target`` counts to it.
      units: Unit of the loss, for axis labels; "1" where it has none.
      shuffle: Whether every epoch has an order of its own; without, samples come in the order of the data, again and
        again (the incremental gradient method).
    """

    name: str
    init: Callable[[Key], Params]
    loss: LossFn
    metrics: Callable[[Params, Batch], Metrics]
    data: Mapping[str, Batch] = NO_DATA
    batch_size: int | None = None
    floor: float | None = None
    target: float | None = None
    units: str = "1"
    shuffle: bool = True
