"""What a sweep shows while it runs: on a terminal a live display, elsewhere one line at the end.

In a notebook the same display, or a callback of your own, goes to ``jaxdl.sweep``::

    from jaxdl.cli import display

    with display.live() as show:
        study = jaxdl.sweep(problem, jaxdl.adam, {"learning_rate": rates}, on_progress=show)

    jaxdl.sweep(problem, jaxdl.adam, {"learning_rate": rates}, on_progress=lambda p: print(p.phase, p.done, p.total))
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from jaxdl.sweeps.runs import Progress

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


class Watch:
    """Times a sweep from what it tells; compiling apart from running.

    Args:
      clock: Seconds from any moment on.

    >>> watch = Watch(iter([0.0, 5.0, 5.0, 7.0]).__next__)
    >>> watch.see(Progress("compiling", 1, 1, 0, 4))
    >>> watch.see(Progress("running", 0, 2000, 0, 4))
    >>> watch.see(Progress("running", 500, 2000, 1, 4, 0, 0.25))
    >>> watch.rate, watch.seconds_left
    (250.0, 6.0)
    >>> watch.line()
    '1 of 4 runs over, 0 stopped as diverged; 500 lane-steps in 2.0 s (250 per second), after 5.0 s of compiling.'
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.compiled: Progress | None = None
        self.latest: Progress | None = None
        self.compiling = self.running = 0.0
        self.steps = 0
        self._clock = clock
        self._last = clock()

    def see(self, progress: Progress) -> None:
        """Takes in what the sweep tells: the time since it last told is that of the phase that it tells of."""
        now = self._clock()
        passed, self._last = now - self._last, now
        if progress.phase == "compiling":
            self.compiling += passed
            self.compiled = progress
            return
        if self.latest is None:
            self.compiling += passed  # the first says what was there before anything ran
        else:
            self.running += passed
            self.steps += progress.done - self.latest.done
        self.latest = progress

    @property
    def compiling_now(self) -> float:
        """Seconds of compiling, and while a program is being compiled those since it last told."""
        under_way = self.compiled is None or self.compiled.done < self.compiled.total
        return self.compiling + (self._clock() - self._last if under_way else 0.0)

    @property
    def rate(self) -> float | None:
        """Lane-steps per second of running, over the whole sweep so far; None before it is known."""
        return self.steps / self.running if self.steps and self.running else None

    @property
    def seconds_left(self) -> float | None:
        """Seconds of running that are left at that rate; None before it is known."""
        if self.latest is None or not self.rate:
            return None
        return (self.latest.total - self.latest.done) / self.rate

    def line(self) -> str:
        """The sweep in one sentence; nothing where it told nothing, because all was there already."""
        if self.latest is None or not self.steps:
            return ""
        runs, rate = self.latest, "" if self.rate is None else f" ({number(self.rate)} per second)"
        compiled = f", after {seconds(self.compiling)} of compiling" if self.compiled else ""
        done = f"{runs.runs} of {runs.all_runs} runs over, {runs.diverged} stopped as diverged"
        return f"{done}; {number(self.steps)} lane-steps in {seconds(self.running)}{rate}{compiled}."


@contextlib.contextmanager
def live(console: "Console | None" = None) -> Iterator[Callable[[Progress], None]]:
    """A display for ``jaxdl.sweep(…, on_progress=…)``: live on a terminal or in a notebook, else a line at the end.

    Args:
      console: Where to show it; by default the standard output.

    Yields:
      The callback.
    """
    from rich.console import Console
    from rich.live import Live

    console, watch = console or Console(), Watch()
    if not (console.is_terminal or console.is_jupyter):
        yield watch.see
    else:
        # Transient: the line at the end says it all.
        with Live(get_renderable=lambda: picture(watch), console=console, refresh_per_second=4, transient=True):
            yield watch.see
    if watch.latest is not None and watch.line():
        for sentence in filter(None, (watch.line(), watch.latest.plan)):
            console.print(sentence, soft_wrap=True, highlight=False, markup=False)


def picture(watch: Watch) -> "RenderableType":
    """The live display: a line for compiling, the bar of lane-steps, and what has come of the runs."""
    from rich.console import Group
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    bars = Progress(
        TextColumn("{task.description:<9}"), BarColumn(24), TaskProgressColumn(), TextColumn("{task.fields[state]}")
    )
    lines: list[RenderableType] = [bars]
    done, total = (watch.compiled.done, watch.compiled.total) if watch.compiled is not None else (0, None)
    programs = "" if total is None else f"{done} of {total} programs, "
    bars.add_task("compiling", completed=done, total=total, state=programs + seconds(watch.compiling_now))
    if (runs := watch.latest) is not None:
        rate = "" if watch.rate is None else f"{number(watch.rate)} lane-steps/s, "
        left = "" if watch.seconds_left is None else f"{seconds(watch.seconds_left)} left"
        bars.add_task("running", completed=runs.done, total=runs.total, state=rate + left)
        best = "" if runs.best is None or not math.isfinite(runs.best) else f"best loss {runs.best:.4g}, "
        lines.append(
            f"{runs.runs} of {runs.all_runs} runs over, {number(runs.done)} of {number(runs.total)} lane-steps"
        )
        lines.append(f"{best}{runs.diverged} stopped as diverged")
        lines += [runs.plan] if runs.plan else []
    return Group(*lines)


def number(value: float) -> str:
    """A count in three digits or so.

    >>> number(12.4), number(9_876), number(45_600), number(12_345_678)
    ('12.4', '9 876', '45.6 k', '12.3 M')
    """
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= scale:
            return f"{value / (1e3 if unit == 'k' else scale):.3g} {unit}"
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}".replace(",", " ")


def seconds(value: float) -> str:
    """A duration.

    >>> seconds(0.012), seconds(0.123), seconds(59.4), seconds(125), seconds(7300)
    ('12 ms', '0.1 s', '59 s', '2 min 5 s', '2 h 1 min')
    """
    if value < 0.1:
        return f"{1000 * value:.0f} ms"
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"
