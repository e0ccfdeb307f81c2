"""A problem whose training batches are augmented: the metrics see every split as it is."""

import jax

from jaxdl.data import augmentation
from jaxdl.data.augmentation import Augmentation
from jaxdl.problems.problem import Problem
from jaxdl.typing import Batch, Key, Params


def augmented(problem: Problem, augment: Augmentation) -> Problem:
    """Changes every input of a training batch by a draw of its own; labels stay.

    Args:
      problem: One whose batches are ``(inputs, labels)``.
      augment: ``(key, input) -> input`` of one sample, such as those of ``jaxdl.data.augmentation``.

    Returns:
      The problem; its floor, which is that of the data as they are, is None. Where the loss itself draws (dropout), it
      is given another key than before.

    >>> from jaxdl import problems
    >>> shifted = augmented(problems.get("digits-mlp"), augmentation.random_shift(1))
    >>> shifted.name
    'digits-mlp, augmented'
    """

    def loss(params: Params, batch: Batch, key: Key) -> jax.Array:
        key_augment, key_loss = jax.random.split(key)
        inputs, *rest = batch
        return problem.loss(params, (augmentation.batch(augment, key_augment, inputs), *rest), key_loss)

    return problem._replace(name=f"{problem.name}, augmented", loss=loss, floor=None)
