"""The engine, bit for bit: what a lane computes depends on nothing but its own cell and the width of the program.

Most tests share one program: eight lanes of a small network, in groups of four.
"""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxdl
from jaxdl.sweeps import engine, lanes, plan, programs, slots
from jaxdl.sweeps.runs import Cells
from tests.problems_for_tests import regression

STEPS = 24
WIDTH = 4
NET = jaxdl.problems.get("digits-mlp", hidden=(6,), batch_size=16)
CALM = [0.02, 0.05, 0.1, 0.2, 0.4]
SEEDS = [0] * 5 + [1] * 5
NEVER = 1e9
FATAL = {"at once": 0.0, "in the first chunk": 4.0, "in the third": 13.0}
"""Steps at which a run's rate becomes NaN: its parameters are lost with that step, its loss is bad at the next."""


def mortal(recipe):
    """``recipe`` with a learning rate that is NaN from step ``fatal`` on."""

    def factory(learning_rate, fatal):
        return recipe(lambda count: jnp.where(count.astype(fatal.dtype) < fatal, learning_rate, jnp.nan))

    return factory


def study_of(groups=2, width=WIDTH, in_turn=True, chunk_records=2, problem=NET, **fields):
    layout = plan.Layout(groups, width, 1, in_turn)
    return lanes.Study(problem, STEPS, 3, layout, chunk_records=chunk_records, **fields)


def cells_of(rates, seeds, fatal=None):
    count = len(rates)
    factory = {"learning_rate": np.asarray(rates), "fatal": np.full(count, NEVER) if fatal is None else fatal}
    return Cells(factory, {}, np.asarray(seeds), np.full(count, STEPS), np.arange(count, dtype=np.uint32))


def build(study, recipe=jaxdl.sgd, teams=1):
    return programs.build(study, {"it": mortal(recipe)}, cells_of([0.1], [0]).lane(study, np.array(0)), teams)


def execute(study, built, rates, seeds, fatal=None):
    return engine.execute(study, built, "it", cells_of(rates, seeds, fatal))


def assert_same(found, expected, which=slice(None), of=slice(None)):
    """Rows ``which`` of ``found`` are rows ``of`` of ``expected``, bit for bit."""
    assert list(found.metrics) == list(expected.metrics)
    for name, values in expected.metrics.items():
        np.testing.assert_array_equal(found.metrics[name][which], values[of], err_msg=name, strict=True)
    np.testing.assert_array_equal(found.diverged_at[which], expected.diverged_at[of])


@pytest.fixture(scope="module")
def study():
    return study_of()


@pytest.fixture(scope="module")
def built(study):
    return build(study)


@pytest.fixture(scope="module")
def calm(study, built):
    """Ten runs, five rates with each of two seeds, among one another."""
    return execute(study, built, CALM * 2, SEEDS)


def test_the_runs_differ_and_train(calm):
    final = calm.metrics["val_loss"][:, -1]
    assert len(np.unique(final)) == 10
    assert (final < calm.metrics["val_loss"][:, 0]).all()
    assert (calm.diverged_at == -1).all()


# --- neighbours and seats ---------------------------------------------------------------------------------------------


def test_a_lane_alone_is_the_lane_among_others(study, built, calm):
    for cell in (2, 8):
        alone = execute(study, built, [CALM[cell % 5]], [cell // 5])
        assert_same(alone, calm, of=slice(cell, cell + 1))


@pytest.mark.parametrize("step", FATAL.values(), ids=FATAL.keys())
def test_neighbours_that_diverge_change_nothing(study, built, calm, step):
    rates = [CALM[0], 0.1, CALM[1], 0.1, 0.1, CALM[2]]
    fatal = np.array([NEVER, step, NEVER, step, step, NEVER])
    among = execute(study, built, rates, [0] * 6, fatal)
    assert_same(among, calm, which=[0, 2, 5], of=slice(0, 3))
    np.testing.assert_array_equal(among.diverged_at, np.where(fatal < NEVER, step + 1, -1))
    assert np.isnan(among.metrics["val_loss"][[1, 3, 4], -1]).all()


def test_neighbours_that_explode_change_nothing(study, built, calm):
    among = execute(study, built, [1e30, CALM[0], -1e30, CALM[1]], [0] * 4)
    assert_same(among, calm, which=[1, 3], of=slice(0, 2))
    assert (among.diverged_at[[0, 2]] >= 0).all()


def test_seats_change_nothing(study, built, calm, rng):
    for _ in range(3):
        order = rng.permutation(10)
        rates, seeds = np.array(CALM * 2)[order], np.repeat([0, 1], 5)[order]
        assert_same(execute(study, built, rates, seeds), calm, of=order)


def test_seeds_that_share_the_call_change_nothing(study, built, calm):
    """Groups of many seeds, each with one or two lanes: the rest of every group is empty."""
    seeds = [7, 1, 3, 0, 9, 1, 4]
    rates = [0.3, CALM[3], 0.2, CALM[4], 0.1, CALM[0], 0.05]
    assert_same(execute(study, built, rates, seeds), calm, which=[1, 3, 5], of=[8, 4, 5])


# --- deaths and refill ------------------------------------------------------------------------------------------------


def deaths_among_the_living(rng):
    """34 runs of two seeds, of which 24 diverge; the arguments of ``cells_of``, and where the runs of ``calm`` are."""
    rates, seeds = np.array(CALM * 2 + [0.1] * 24), np.concatenate([SEEDS, np.tile([0, 0, 0, 1], 6)])
    fatal = np.concatenate([np.full(10, NEVER), np.repeat(list(FATAL.values()), [12, 8, 4])])
    order = rng.permutation(len(rates))
    return (rates[order], seeds[order], fatal[order]), np.argsort(order)[:10]


def test_refill_changes_nothing(study, built, calm, rng):
    runs, living = deaths_among_the_living(rng)
    found = execute(study, built, *runs)
    assert_same(found, calm, which=living)
    np.testing.assert_array_equal(found.diverged_at, np.where(runs[2] < NEVER, runs[2] + 1, -1))


def test_refill_saves_chunks_and_moves_lanes(study, built, rng):
    """Without it the test above would show nothing."""
    runs, _ = deaths_among_the_living(rng)
    borders = list(engine.run(study, built, "it", cells_of(*runs)))
    per_run = STEPS // study.chunk_steps
    assert len(borders) < -(-len(runs[0]) // (2 * WIDTH)) * per_run
    seats = [border.flight.slots for border in borders]
    here = np.arange(2 * WIDTH).reshape(2, WIDTH)
    assert any(((s.source >= 0) & (s.source != here)).any() for s in seats), "no lane was moved"
    assert any(s.begins.any() and (s.source >= 0).any() for s in seats), "no lane began beside lanes that went on"
    finished = np.concatenate([border.finished for border in borders])
    assert sorted(finished.tolist()) == list(range(len(runs[0])))


def test_a_dead_run_is_the_same_wherever_it_dies(study, built, rng):
    runs, _ = deaths_among_the_living(rng)
    found = execute(study, built, *runs)
    for cell in (0, 7, 20, 33):
        alone = execute(study, built, *(column[[cell]] for column in runs))
        assert_same(alone, found, of=slice(cell, cell + 1))


# --- engines that are wrong -------------------------------------------------------------------------------------------


def _with_move(built, source_of):
    """Programs whose lanes come from ``source_of(source, own slots)``."""
    here = np.arange(2 * WIDTH, dtype=np.int32).reshape(2, WIDTH)
    lanes_of = built[0].lanes["it"]
    move = lambda state, new, source: lanes_of.move(state, new, source_of(source, here))  # noqa: E731
    return [built[0]._replace(lanes={"it": lanes_of._replace(move=move)})]


def _forgets_moves(monkeypatch, built):
    return _with_move(built, lambda source, here: np.where(source >= 0, here, source))


def _begins_from_the_dead(monkeypatch, built):
    return _with_move(built, lambda source, here: np.where(source >= 0, source, here))


def _moves_to_the_neighbour(monkeypatch, built):
    return _with_move(built, lambda source, here: np.where(source >= 0, np.roll(source, 1, axis=1), source))


def _mutate_seats(monkeypatch, **changes):
    seat = slots.seat

    def wrong(*args):
        seats = seat(*args)
        return seats and seats._replace(**{name: change(seats) for name, change in changes.items()})

    monkeypatch.setattr(slots, "seat", wrong)


def _takes_the_other_groups_seed(monkeypatch, built):
    _mutate_seats(monkeypatch, seeds=lambda seats: np.roll(seats.seeds, 1))
    return built


def _leaves_records_behind(monkeypatch, built):
    monkeypatch.setattr(engine, "_host_moved", lambda study, seats, before: _unmoved(seats, before))
    return built


def _unmoved(seats, before):
    if before is None:
        return {}, np.full(seats.cells.shape, -1, np.int32)
    return {name: values.copy() for name, values in before.records.items()}, before.diverged_at.copy()


MUTANTS = (
    _forgets_moves,
    _begins_from_the_dead,
    _moves_to_the_neighbour,
    _takes_the_other_groups_seed,
    _leaves_records_behind,
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__.strip("_"))
def test_a_wrong_engine_is_found_out(study, built, calm, mutant, monkeypatch, rng):
    runs, living = deaths_among_the_living(rng)
    wrong = mutant(monkeypatch, built)
    with pytest.raises((AssertionError, ValueError, IndexError)):
        assert_same(execute(study, wrong, *runs), calm, which=living)


# --- cuts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk_records", [1, 3, *(pytest.param(n, marks=pytest.mark.slow) for n in (8, None))])
def test_cuts_change_nothing(calm, chunk_records):
    cut = study_of(chunk_records=chunk_records)
    found = execute(cut, build(cut), [0.1, *CALM * 2], [0, *SEEDS], np.array([5.0] + [NEVER] * 10))
    assert_same(found, calm, which=slice(1, None))
    assert found.diverged_at[0] == 6


@pytest.mark.parametrize("groups", [1, 5])
def test_the_number_of_groups_changes_nothing(calm, groups):
    other = study_of(groups=groups)
    assert_same(execute(other, build(other), CALM * 2, SEEDS), calm)


def test_groups_together_are_indifferent_too(rng):
    """Mapped together, where programs of other shapes may round differently, lanes still do not meet."""
    together = study_of(in_turn=False)
    built = build(together)
    calm = execute(together, built, CALM * 2, SEEDS)
    runs, living = deaths_among_the_living(rng)
    assert_same(execute(together, built, *runs), calm, which=living)


@pytest.mark.parametrize("recipe", [jaxdl.momentum, jaxdl.adam], ids=["momentum", "adam"])
def test_optimizers_with_a_memory_are_refilled_like_others(recipe, rng):
    """A lane that took over the velocity or the count of a dead one would show it here."""
    study = study_of(problem=regression())
    built = build(study, recipe)
    (rates, seeds, fatal), living = deaths_among_the_living(rng)
    found = execute(study, built, rates / 10, seeds, fatal)
    for cell in living[:4].tolist():
        alone = execute(study, built, rates[[cell]] / 10, seeds[[cell]], fatal[[cell]])
        assert_same(alone, found, of=slice(cell, cell + 1))


# --- devices ----------------------------------------------------------------------------------------------------------


def test_teams_of_devices_change_nothing(study, calm, rng):
    runs, living = deaths_among_the_living(rng)
    assert_same(execute(study, build(study, teams=3), *runs), calm, which=living)


def test_a_team_of_two_devices_agrees(calm):
    """One program for several devices is another program: the same to rounding only."""
    study = study_of()._replace(layout=plan.Layout(2, WIDTH, 2, in_turn=True))
    found = execute(study, build(study), CALM * 2, SEEDS)
    np.testing.assert_allclose(found.metrics["val_loss"], calm.metrics["val_loss"], rtol=1e-5)


# --- progress ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deadly", [False, True], ids=["all live", "some die"])
def test_runs_that_are_told_sum_to_the_runs(study, built, deadly, rng):
    runs = deaths_among_the_living(rng)[0] if deadly else (CALM * 2, SEEDS)
    told = []
    engine.execute(study, built, "it", cells_of(*runs), told.append)
    assert sum(told) == len(runs[0])
    assert min(told) >= 0
    assert len(told) > 3
