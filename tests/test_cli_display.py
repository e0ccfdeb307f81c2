"""What ``jaxdl sweep`` shows while it runs."""

import io

import pytest
from rich.console import Console

from jaxdl.cli import display
from jaxdl.sweeps.runs import Progress

PLAN = "64 lanes × 2 devices, chunk 250 steps"
TOLD = [
    Progress("running", 400, 2400, 1, 6),
    Progress("compiling", 1, 2, 1, 6),
    Progress("compiling", 2, 2, 1, 6),
    Progress("running", 900, 2400, 2, 6, 1, None),
    Progress("running", 1400, 2400, 3, 6, 1, 0.25, PLAN),
]
"""A study with 400 lane-steps done before, told at these times:"""
TIMES = [0.0, 1.0, 3.0, 4.0, 6.0, 8.0]


def test_times_of_compiling_and_running_are_kept_apart_and_what_was_there_is_no_work():
    watch = display.Watch(iter(TIMES).__next__)
    for progress in TOLD:
        watch.see(progress)
    assert (watch.compiling, watch.running) == (4.0, 4.0)
    assert watch.steps == 1000
    assert watch.rate == 250.0
    assert watch.seconds_left == 4.0
    assert watch.line() == (
        "3 of 6 runs over, 1 stopped as diverged; 1 000 lane-steps in 4.0 s (250 per second), after 4.0 s of compiling."
    )


def test_what_was_there_counts_for_nothing_where_programs_were_compiled_before_it_was_told():
    watch = display.Watch(iter(TIMES).__next__)
    for progress in (TOLD[1], TOLD[2], TOLD[0], *TOLD[3:]):
        watch.see(progress)
    assert (watch.compiling, watch.running, watch.steps) == (4.0, 4.0, 1000)


def shown(watch):
    console = Console(file=io.StringIO(), width=80)
    console.print(display.picture(watch))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_the_picture_says_what_is_to_be_known():
    watch = display.Watch(iter([*TIMES, *[9.5] * 9]).__next__)
    assert [line.split()[-2:] for line in shown(watch)] == [["1.0", "s"]]
    watch = display.Watch(iter([*TIMES[:3], 4.5]).__next__)
    for progress in TOLD[:2]:
        watch.see(progress)
    assert shown(watch)[0].endswith("50% 1 of 2 programs, 4.5 s")
    watch = display.Watch(iter(TIMES).__next__)
    for progress in TOLD:
        watch.see(progress)
    compiling, running, runs, ended, plan = shown(watch)
    assert compiling.endswith("100% 2 of 2 programs, 4.0 s")
    assert running.startswith("running")
    assert running.endswith("58% 250 lane-steps/s, 4.0 s left")
    assert runs == "3 of 6 runs over, 1 400 of 2 400 lane-steps"
    assert ended == "best loss 0.25, 1 stopped as diverged"
    assert plan == PLAN


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_gets_a_live_display_and_a_file_a_line(terminal):
    console = Console(file=io.StringIO(), width=80, force_terminal=terminal)
    with display.live(console) as show:
        for progress in TOLD:
            show(progress)
    printed = console.file.getvalue()
    assert ("━" in printed) == terminal
    assert ("\x1b" in printed) == terminal
    assert "3 of 6 runs over, 1 stopped as diverged; 1 000 lane-steps in " in printed.splitlines()[-2]
    assert printed.splitlines()[-1] == PLAN


def test_nothing_is_said_where_nothing_was_run():
    console = Console(file=io.StringIO(), width=80)
    with display.live(console) as show:
        show(Progress("running", 100, 100, 4, 4))
    assert console.file.getvalue() == ""
