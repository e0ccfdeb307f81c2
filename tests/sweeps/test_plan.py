"""Layouts: every cell runs exactly once, in calls of one shape."""

import itertools

import pytest

from jaxdl.sweeps import plan

SIZES = list(itertools.product([1, 2, 7, 12, 64, 65, 300], [1, 2, 5], [1, 2, 4]))


def covered(layout, cells):
    """Cells that the calls run, in order, and how many lanes are spent on them."""
    calls = plan.calls(layout, cells)
    found = []
    for call in calls:
        assert call.points.shape == call.used.shape == (layout.groups, layout.width)
        assert call.seeds.shape == (layout.groups,)
        for group, lane in itertools.product(range(layout.groups), range(layout.width)):
            if call.used[group, lane]:
                found.append((call.points[group, lane], call.seeds[group]))
    return found, len(calls) * layout.groups * layout.width


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
    assert plan.shared(1, 1, devices=4) == plan.Layout(groups=1, width=1, devices=1)


def test_one_seed_is_divided_among_devices():
    assert plan.shared(64, 1, devices=2) == plan.Layout(groups=2, width=32, devices=2)
