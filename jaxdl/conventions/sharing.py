"""What a formula holds, and how often."""

from jaxdl.conventions.expressions import Expression


def count_uses(roots: list[Expression]) -> dict[Expression, int]:
    """How often each subexpression is used, where what is shared is counted once below."""
    uses: dict[Expression, int] = {}

    def walk(e: Expression) -> None:
        uses[e] = uses.get(e, 0) + 1
        if uses[e] == 1:
            for child in e.children:
                walk(child)

    for root in roots:
        walk(root)
    return uses


def size(x: Expression) -> int:
    """Number of distinct nodes."""
    return len(count_uses([x]))
