"""What an optimizer means: its recurrence, where two differ, and how others spell it.

``torch``, ``keras``, ``optax``, ``tensorflow1``, ``paper`` and ``lecture`` spell the same optimizers. Each module has
its framework's own names, signatures and defaults; the bodies only bind our arguments, so that a difference between two
frameworks can be read off as a difference of arguments. A schedule may stand wherever a learning rate does. What a
framework has besides the rule (``foreach``, ``fused``, clipping, ``maximize``) is not here.
"""

from jaxdl.conventions import keras as keras
from jaxdl.conventions import lecture as lecture
from jaxdl.conventions import optax as optax
from jaxdl.conventions import paper as paper
from jaxdl.conventions import tensorflow1 as tensorflow1
from jaxdl.conventions import torch as torch
