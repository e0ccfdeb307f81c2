"""What an update asks for besides gradients and parameters."""

import re
from collections.abc import Sequence


class NeedsMore(TypeError):
    """An update asks for extra arguments that cannot be given to it here; ``names`` are theirs."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        asked = ", ".join(map(repr, self.names))
        super().__init__(f"its update needs {asked}: a loss, and a sequence of gradients is all there is to give it.")


def missing(error: TypeError) -> tuple[str, ...]:
    """The keyword-only arguments that a call lacked, read from Python's own message; none where it fails otherwise.

    >>> def update(*, value, grad): ...
    >>> try:
    ...     update()
    ... except TypeError as error:
    ...     missing(error)
    ('value', 'grad')
    """
    _, asked, names = str(error).partition("required keyword-only argument")
    return tuple(re.findall(r"'(\w+)'", names)) if asked else ()
