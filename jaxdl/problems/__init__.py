"""Problems to try optimizers on."""

from jaxdl.problems.augmented import augmented as augmented
from jaxdl.problems.penalised import penalised as penalised
from jaxdl.problems.problem import Problem as Problem
from jaxdl.problems.registry import get as get
from jaxdl.problems.registry import names as names
