"""How much memory a layout takes, known before it runs: the compiler says it of every program.

A program's bytes are affine in its groups, and those of one group in its width, from two on (a single one is compiled
without a loop or an axis), so two small programs tell how many lanes fit. What is chosen is compiled and checked.
"""

from collections.abc import Callable
from typing import Any

from jaxdl.memory import Affine
from jaxdl.sweeps.lanes import Study
from jaxdl.sweeps.plan import Layout
from jaxdl.sweeps.programs import Programs


def needed(study: Study, programs: Programs, optimizer: str) -> int:
    """Bytes that a team takes at its fullest, on its device and on the host.

    While a chunk runs: data, states, batches, intermediate results, new records. At a chunk border with newcomers: the
    old states, the new and the merged. On the host: records of the lanes' whole runs, moved, and given out.
    """
    lanes = programs.lanes[optimizer]
    compiled: tuple[Any, ...] = (lanes.advance, lanes.start, programs.prepared.init)
    chunk, begin, init = (program.memory_analysis() for program in compiled)
    new_records = chunk.output_size_in_bytes - chunk.alias_size_in_bytes
    records = 3 * new_records * len(study.record_steps) / study.records_per_chunk
    border = chunk.alias_size_in_bytes + 2 * begin.output_size_in_bytes
    return int(max(_total(chunk), _total(begin) + border, _total(init) + border) + records)


def fitted(layout: Layout, bytes_of: Callable[[Layout], int], allowed: int, teams: int = 1) -> Layout:
    """The layout with as many groups, or else lanes of one group, as there is memory for.

    Args:
      layout: Too large.
      bytes_of: Bytes of a team with another layout; costs a compilation.
      allowed: Bytes of all teams.
      teams: How many there are.

    Raises:
      ValueError: there is not enough for one lane.
    """
    share = allowed // teams
    one = layout._replace(groups=1)
    if layout.groups > 1:
        groups = _most(lambda n: bytes_of(layout._replace(groups=n)), (2, 3), share)
        if groups > 1:
            return layout._replace(groups=min(groups, layout.groups))
        if bytes_of(one) <= share:
            return one
    lanes = _most(lambda n: bytes_of(one._replace(width=n)), (2, 4), share) if layout.width > 1 else 0
    if lanes > 1:
        return one._replace(width=min(lanes, layout.width))
    lane = bytes_of(one._replace(width=1))
    if lane > share:
        raise ValueError(
            f"the memory budget must hold at least one lane on each of {teams} device(s), "
            f"which takes {teams * lane} bytes; got a budget of {allowed}."
        )
    return one._replace(width=1)


def _most(bytes_of: Callable[[int], int], counts: tuple[int, int], budget: int) -> int:
    """How many fit, from the bytes of two counts."""
    first, second = counts
    return Affine.through((first, bytes_of(first)), (second, bytes_of(second))).most(budget)


def _total(stats: Any) -> int:
    sizes = stats.argument_size_in_bytes + stats.output_size_in_bytes - stats.alias_size_in_bytes
    return int(sizes + stats.temp_size_in_bytes + stats.generated_code_size_in_bytes)
