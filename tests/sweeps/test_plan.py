"""Layouts: every cell runs exactly once, in groups of one seed."""

import itertools

import numpy as np
import pytest

from jaxdl.sweeps import plan, slots

SIZES = list(itertools.product([1, 2, 7, 12, 64, 65, 300], [1, 2, 5], [1, 2, 4]))


def covered(layout, cells):
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
        seats = slots.seat(layout, waiting, seats, np.zeros(seats.cells.shape, bool), 10)
    return found, calls * layout.groups * layout.width


@pytest.mark.parametrize(("points", "seeds", "devices"), SIZES)
def test_shared_layouts_cover_every_cell_once(points, seeds, devices):
    layout = plan.shared(points, seeds, devices)
    cells = list(itertools.product(range(points), range(seeds)))
    found, lanes = covered(layout, cells)
    assert sorted(found) == cells
    assert layout.groups % layout.devices == 0
    assert layout.width <= plan.MAX_WIDTH
    assert layout.groups * layout.width <= plan.MAX_LANES
    assert lanes <= 1.5 * len(cells) + devices


@pytest.mark.parametrize("devices", [1, 2, 4])
def test_flat_layouts_take_any_cells(devices):
    cells = [(0, 0), (3, 0), (1, 2), (0, 1), (2, 2)]
    layout = plan.flat(2, devices)
    found, _ = covered(layout, cells)
    assert sorted(found) == sorted(cells)
    assert layout.groups % devices == 0


def test_one_cell_runs_on_one_lane_of_one_device():
    assert plan.shared(1, 1, devices=4) == plan.Layout(groups=1, width=1, devices=1, in_turn=True)


def test_one_seed_is_divided_among_devices():
    assert plan.shared(64, 1, devices=2) == plan.Layout(groups=2, width=32, devices=2, in_turn=True)
