"""Layouts: every cell runs exactly once, in groups of one seed, and chunks cut the run evenly."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

from jaxdl.sweeps import plan, slots
from jaxdl.sweeps.plan import Demand, Layout, Plan, Shape

SIZES = list(itertools.product([1, 2, 7, 12, 64, 65, 300], [1, 2, 5], [1, 2, 4]))
SHAPES = [Shape(2048, False), Shape(128, False), Shape(64, True), Shape(4, True), Shape(1, True)]


def demand(points, seeds, devices, steps=500, seconds=1e-5):
    return Demand(points, seeds, steps, seconds, devices)


def covered(layout, teams, cells):
    """Cells that are seated, in order, and how many lanes are spent on them, when every run is one chunk."""
    seeds = np.array([seed for _, seed in cells])
    waiting = slots.Waiting(range(len(cells)), seeds, np.zeros(len(cells), int))
    found, calls = [], 0
    seats = slots.seat(layout, waiting, None, None, 10)
    while seats is not None:
        assert seats.cells.shape == (layout.groups, layout.width)
        for group, lane in np.argwhere(seats.cells != slots.EMPTY):
            assert seeds[seats.cells[group, lane]] == seats.seeds[group]
            found.append(cells[seats.cells[group, lane]])
        calls += 1
        seats = slots.seat(layout, waiting, None, None, 10)
    return found, -(-calls // teams) * teams * layout.lanes


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("points", "seeds", "devices"), SIZES)
def test_layouts_cover_every_cell_once(points, seeds, devices, shape):
    wanted = demand(points, seeds, devices)
    layout = plan.cut(shape, wanted)
    teams = wanted.teams(layout.width)
    cells = list(itertools.product(range(points), range(seeds)))
    found, lanes = covered(layout, teams, cells)
    assert sorted(found) == cells
    assert layout.width <= shape.width
    assert layout.devices == 1
    assert layout.in_turn == (shape.in_turn or layout.groups == 1)  # one group is in turn with itself
    assert layout.lanes <= plan.MAX_LANES
    assert 1 <= teams <= devices
    assert lanes <= 1.5 * len(cells) + 2 * devices


@pytest.mark.parametrize("devices", [1, 2, 4])
def test_flat_layouts_take_any_cells(devices):
    cells = [(0, 0), (3, 0), (1, 2), (0, 1), (2, 2)]
    layout = plan.flat(2, devices)
    found, _ = covered(layout, 1, cells)
    assert sorted(found) == sorted(cells)
    assert layout.groups % devices == 0


def test_one_cell_runs_on_one_lane_of_one_device():
    wanted = demand(1, 1, devices=4)
    assert plan.cut(Shape(64, True), wanted) == Layout(groups=1, width=1, devices=1, in_turn=True)
    assert wanted.teams(1) == 1


def test_one_seed_is_divided_among_devices():
    wanted = demand(64, 1, devices=2)
    assert plan.cut(Shape(64, True), wanted) == Layout(groups=1, width=32, devices=1, in_turn=True)
    assert wanted.teams(32) == 2


def test_in_turn_a_call_takes_as_many_groups_as_make_it_worth_its_overhead():
    """64 lanes for 100 steps of 10 µs are 0.064 s: seven groups are what half a second holds."""
    assert plan.cut(Shape(64, True), demand(64, 63, 1, steps=100)).groups == 7
    assert plan.cut(Shape(64, True), demand(64, 64, 1, steps=100_000)).groups == 1
    assert plan.cut(Shape(64, True), demand(64, 3, 1, steps=1)).groups == 3


def test_lanes_that_run_exactly_run_one_by_one():
    assert plan.exact(demand(300, 2, 2)).exact


def test_what_a_step_writes_decides_the_first_shape():
    many = demand(5000, 1, 1)
    first = [plan.shapes(written, many, 10**6, "cpu")[0] for written in (100, 395, 1e4, plan.TINY, 5e5, 1e8)]
    assert first == [Shape(width, True) for width in (256, 256, 64, 64, 32, 1)]
    assert plan.shapes(1e8, many, 10**6, "gpu")[0] == Shape(plan.MAX_LANES, False)


@pytest.mark.parametrize(
    ("written", "points", "seeds", "devices", "alone"),
    [
        (395, 16, 1, 2, True),
        (395, 4, 4, 2, True),
        (395, 16, 100, 2, False),
        (395, 2, 1, 1, False),
        (2e4, 8, 1, 1, False),
    ],
)
def test_a_few_lanes_of_a_few_numbers_run_one_by_one(written, points, seeds, devices, alone):
    first = plan.shapes(written, demand(points, seeds, devices), 10**6, "cpu")[0]
    assert (first == Shape(1, True)) == alone


def test_groups_that_would_be_narrow_are_mapped_together():
    assert plan.shapes(395, demand(255, 9, 1), 10**6, "cpu")[0] == Shape(2048, False)
    assert plan.shapes(5e5, demand(15, 1, 1), 10**6, "cpu")[0] == Shape(64, False)
    assert plan.cut(Shape(64, False), demand(12, 100, 2)) == Layout(groups=5, width=12, devices=1)


def test_no_shape_is_wider_than_the_memory_has_room_for():
    wanted = demand(50, 1, 1)
    assert all(shape.width <= 7 for written in (100, 5e5, 1e8) for shape in plan.shapes(written, wanted, 7, "cpu"))


@pytest.mark.parametrize(
    ("steps", "record_every", "seconds", "records"),
    [
        (500, 10, 1e-3, 50),  # half a second: one chunk
        (500, 10, 1e-5, 50),  # no more than there are
        (500, 10, 1e-2, 5),
        (500, 10, 1.0, 1),  # a record is the least
        (1000, 10, 1.7e-3, 25),  # 29 fit; four chunks of 25 do it, without a remainder
        (33, 2, 1e-1, 2),
    ],
)
def test_chunks_last_half_a_second_and_cut_the_run_evenly(steps, record_every, seconds, records):
    one = Demand(1, 1, steps, seconds, 1)
    assert plan.chunk_records(Layout(1, 1, 1), one, record_every) == records
    ten = one._replace(seconds=seconds / 10)
    assert plan.chunk_records(Layout(2, 5, 1), ten, record_every) == records


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (
            Plan(Layout(1, 64, 1, True), 2, 250, 41_000_000, 4.2e-6, 14.2, timed=True),
            "64 lanes × 2 devices, chunk 250 steps, 41 MB, 4.2 µs per lane-step, about 14 s",
        ),
        (
            Plan(Layout(1, 1, 1), 1, 1, 100, 1.5e-3, 190, timed=False),
            "1 lane × 1 device, chunk 1 step, 1 MB, 1500 µs per lane-step, about 3 min (a guess)",
        ),
        (
            Plan(Layout(4, 8, 1), 1, 2, 2_340_000_000, 1e-6, 9000, timed=True),
            "32 lanes × 1 device, chunk 2 steps, 2.3 GB, 1 µs per lane-step, about 2.5 h",
        ),
        (
            Plan(Layout(1, 6, 1), 2, 100, 100, 1.4e-8, 1.6e-5, timed=False),
            "6 lanes × 2 devices, chunk 100 steps, 1 MB, 0.014 µs per lane-step, under 0.1 s (a guess)",
        ),
    ],
)
def test_a_plan_is_one_line(made, line):
    assert made.describe() == line


def test_idle_cores_are_pointed_out():
    """In a process of its own: the suite runs on four devices."""
    code = (
        "import jax; from jaxdl.sweeps import plan; print(plan.more_devices(8)); print(plan.more_devices(1));"
        "import jaxdl; from jaxdl import configuration"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    several, one = done.stdout.splitlines()
    assert "JAX has started with 1 CPU device on 8 cores; jaxdl.configure(devices=8) before the first" in several
    assert one == "None"


def test_nothing_is_pointed_out_where_all_cores_are_devices():
    assert plan.more_devices(8) is None
