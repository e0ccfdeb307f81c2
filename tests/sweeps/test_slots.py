"""Seats: nobody is lost, seated twice or moved without need, and what dies makes room."""

import numpy as np
import pytest

from jaxdl.sweeps import plan, slots

CHUNK = 10


def play(layout, seeds, horizons, deaths=None):
    """Runs all cells; ``deaths``: cell to the chunk of its life after which it dies. Returns the seats of every chunk
    and the chunks that each cell lived through.
    """
    deaths = deaths or {}
    waiting = slots.Waiting(range(len(seeds)), np.asarray(seeds), np.zeros(len(seeds), int))
    history, lived, before, alive = [], dict.fromkeys(range(len(seeds)), 0), None, None
    while (seats := slots.seat(layout, waiting, before, alive, CHUNK)) is not None:
        check(layout, seats, before, alive, seeds)
        alive = np.zeros(seats.cells.shape, bool)
        for group, lane in np.argwhere(seats.cells != slots.EMPTY).tolist():
            cell = int(seats.cells[group, lane])
            assert seats.steps[group] == CHUNK * lived[cell]
            lived[cell] += 1
            alive[group, lane] = CHUNK * lived[cell] < horizons[cell] and lived[cell] != deaths.get(cell)
        history.append(seats)
        before = seats
    return history, lived


def check(layout, seats, before, alive, seeds):
    """Every lane sits once, with its own seed, and every living lane of the chunk before is still there."""
    sitting = seats.cells[seats.cells != slots.EMPTY].tolist()
    assert len(set(sitting)) == len(sitting)
    for group, lane in np.argwhere(seats.cells != slots.EMPTY).tolist():
        assert seeds[seats.cells[group, lane]] == seats.seeds[group]
        if seats.source[group, lane] != slots.EMPTY:
            assert before.cells.ravel()[seats.source[group, lane]] == seats.cells[group, lane]
            assert alive.ravel()[seats.source[group, lane]]
    if before is not None:
        assert set(before.cells[alive].tolist()) == set(seats.cells[seats.source != slots.EMPTY].tolist())


def test_everyone_runs_to_the_end():
    layout = plan.Layout(groups=4, width=3, devices=2)
    seeds = [cell % 5 for cell in range(40)]
    horizons = [CHUNK * (1 + cell % 3) for cell in range(40)]
    _, lived = play(layout, seeds, horizons)
    assert lived == {cell: 1 + cell % 3 for cell in range(40)}


def test_random_lives(rng):
    for _ in range(30):
        width, devices = rng.integers(1, 5), rng.integers(1, 4)
        layout = plan.Layout(groups=int(devices * rng.integers(1, 4)), width=int(width), devices=int(devices))
        count = int(rng.integers(1, 60))
        seeds = rng.integers(0, 4, count).tolist()
        horizons = (CHUNK * rng.integers(1, 6, count)).tolist()
        deaths = {int(cell): int(rng.integers(1, 6)) for cell in rng.integers(0, count, count // 3)}
        _, lived = play(layout, seeds, horizons, deaths)
        assert lived == {c: min(horizons[c] // CHUNK, deaths.get(c, 10**9)) for c in range(count)}


def test_without_deaths_nobody_moves():
    layout = plan.Layout(groups=2, width=4, devices=1)
    history, _ = play(layout, [0] * 8, [5 * CHUNK] * 8)
    assert len(history) == 5
    assert all(seats.stays for seats in history[1:])


def test_the_dead_make_room():
    """Half of 16 lanes die after a chunk; the others close ranks, and the next 8 begin at once."""
    layout = plan.Layout(groups=4, width=4, devices=1)
    deaths = dict.fromkeys(range(0, 16, 2), 1)
    history, _ = play(layout, [0] * 24, [4 * CHUNK] * 24, deaths)
    assert len(history) == 5  # 7 without refill: the last 8 would begin after the first have ended
    assert sorted(history[1].cells.ravel().tolist()) == sorted([*range(1, 16, 2), *range(16, 24)])
    assert history[1].begins.sum() == 8


def test_lanes_close_ranks_only_where_a_group_falls_free():
    layout = plan.Layout(groups=2, width=4, devices=1)
    history, _ = play(layout, [0] * 8, [3 * CHUNK] * 8, {0: 1, 5: 1, 6: 1})
    assert history[1].stays
    np.testing.assert_array_equal(history[1].cells, [[-1, 1, 2, 3], [4, -1, -1, 7]])


def test_groups_that_are_left_are_divided_among_devices():
    layout = plan.Layout(groups=4, width=1, devices=2)
    history, _ = play(layout, [0] * 4, [3 * CHUNK] * 4, {2: 1, 3: 1})
    assert (history[1].cells[:2] != slots.EMPTY).sum() == (history[1].cells[2:] != slots.EMPTY).sum() == 1


@pytest.mark.parametrize("devices", [1, 2, 4])
def test_few_groups_are_divided_among_devices(devices):
    layout = plan.Layout(groups=8, width=1, devices=devices)
    history, _ = play(layout, [0] * 4, [CHUNK] * 4)
    used = (history[0].cells != slots.EMPTY).reshape(devices, -1).sum(axis=1)
    assert used.tolist() == [4 // devices] * devices


def test_lanes_that_have_begun_elsewhere_sit_apart():
    """Lanes with 20 steps behind them share batches with each other, not with those that begin."""
    waiting = slots.Waiting(range(4), np.zeros(4, int), np.array([0, 20, 0, 20]))
    seats = slots.seat(plan.Layout(groups=2, width=4, devices=1), waiting, None, None, CHUNK)
    assert seats.cells.tolist() == [[0, 2, -1, -1], [1, 3, -1, -1]]
    assert seats.steps.tolist() == [0, 20]
