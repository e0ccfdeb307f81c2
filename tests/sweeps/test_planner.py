"""The planner: memory known before anything runs, measured only where it pays, remembered, and overruled."""

import jax
import numpy as np
import pytest

import jaxdl
from jaxdl import memory
from jaxdl.sweeps import decisions, definition, engine, plan, planner, programs
from jaxdl.sweeps.memory import fitted, needed
from jaxdl.sweeps.plan import Layout, Shape
from tests.problems_for_tests import bowl, regression

pytestmark = pytest.mark.slow  # minutes, most of them compilation

RATES = np.geomspace(1e-3, 0.3, 24)


def defined(problem=None, seeds=2, steps=20, points=RATES, factory=jaxdl.sgd, **options):
    return definition.define(problem or bowl(), factory, {"learning_rate": points}, seeds, steps, 5, **options)


def results(chosen):
    part, teams, _ = chosen.build(0)
    return engine.execute(part.study, teams, part.optimizer, part.cells)


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "jaxdl" / "plans"


@pytest.fixture
def timed(monkeypatch, cache):
    """Every study is worth measuring; layouts with the narrowest groups win. Gives the layouts that were timed."""
    layouts = []

    def seconds(built):
        layouts.append(built.part.study.layout)
        return 1.0 + built.part.study.layout.width

    monkeypatch.setattr(jax, "local_device_count", lambda: 1)  # a quarter of the programs to compile
    monkeypatch.setattr(planner, "PAYS", 0.0)
    monkeypatch.setattr(planner, "seconds", seconds)
    monkeypatch.setattr(plan, "shapes", lambda written, points, room: [Shape(12, False), Shape(3, True)])
    return layouts


# --- memory -----------------------------------------------------------------------------------------------------------


def bytes_of(layout, problem):
    part = defined(problem, factory=jaxdl.adam, layout=layout).parts[0]
    return needed(part.study, programs.build(part.study, part.factories, part.lane)[0], part.optimizer)


@pytest.mark.parametrize("in_turn", [True, False])
def test_memory_is_affine_in_groups_and_in_lanes(in_turn):
    two, three, seven = (bytes_of(Layout(groups, 8, 1, in_turn), bowl()) for groups in (2, 3, 7))
    assert memory.Affine.through((2, two), (3, three)).at(7) == pytest.approx(seven, rel=0.1)
    two, four, many = (bytes_of(Layout(1, width, 1, in_turn), bowl()) for width in (2, 4, 24))
    assert memory.Affine.through((2, two), (4, four)).at(24) == pytest.approx(many, rel=0.1)


def test_the_data_and_the_records_of_whole_runs_are_part_of_the_need():
    data = sum(array.nbytes for split in regression().data.values() for array in split)
    layout = Layout(1, 8, 1, True)
    assert bytes_of(layout, regression()) > data
    part = defined(regression(), layout=layout).parts[0]
    long = part._replace(study=part.study._replace(steps=200_000, chunk_records=1))
    built = programs.build(long.study, long.factories, long.lane)[0]
    records = 3 * 8 * (200_000 // 5 + 1)  # train, val and test loss
    assert needed(long.study, built, long.optimizer) >= 3 * 8 * records


def test_lanes_are_given_up_until_the_budget_is_kept(monkeypatch):
    monkeypatch.setattr(jax, "local_device_count", lambda: 1)
    free = planner.choose(defined(regression()))
    budget = free.plan.bytes // 3
    tight = planner.choose(defined(regression(), memory=budget))
    assert tight.plan.bytes <= budget
    assert 1 < tight.plan.layout.lanes < free.plan.layout.lanes
    for name, values in results(tight).metrics.items():
        np.testing.assert_allclose(values, results(free).metrics[name], rtol=1e-11)


def test_groups_are_given_up_before_width():
    each = {Layout(groups, 8, 1, True): 100 + 10 * groups for groups in range(1, 100)}
    assert fitted(Layout(50, 8, 1, True), each.__getitem__, 150) == Layout(5, 8, 1, True)
    assert fitted(Layout(50, 8, 1, True), each.__getitem__, 460, teams=3) == Layout(5, 8, 1, True)
    assert fitted(Layout(50, 8, 1, True), each.__getitem__, 119) == Layout(1, 8, 1, True)

    def grown(layout):
        return 100 + 10 * layout.lanes

    assert fitted(Layout(50, 8, 1, True), grown, 150) == Layout(1, 5, 1, True)
    assert fitted(Layout(50, 8, 1, True), grown, 119) == Layout(1, 1, 1, True)
    assert fitted(Layout(50, 1, 1, True), grown, 160) == Layout(6, 1, 1, True)
    with pytest.raises(ValueError, match="takes 220 bytes; got a budget of 200"):
        fitted(Layout(50, 8, 1, True), grown, 200, teams=2)


def test_a_promise_that_is_not_kept_costs_more_lanes(monkeypatch):
    """Bytes that jump where they should grow evenly: the layout is halved until it fits."""
    monkeypatch.setattr(planner, "needed", lambda study, *_: 10 if study.layout.lanes <= 4 else 2**60)
    assert planner.choose(defined(seeds=3)).plan.layout.lanes == 3


def test_too_little_memory_for_one_lane_is_one_sentence_with_both_numbers():
    with pytest.raises(ValueError, match=r"at least one lane on .* takes \d+ bytes; got a budget of 50\."):
        planner.choose(defined(seeds=1, points=[0.1], memory=50))
    with pytest.raises(ValueError, match="memory must be a whole number of at least 1, got 0"):
        jaxdl.sweep(bowl(), jaxdl.sgd, {"learning_rate": [0.1]}, seeds=1, steps=2, memory=0)


def test_free_memory_is_what_the_machine_and_the_container_leave(monkeypatch, tmp_path):
    assert 2**20 < memory.free() < 2**50
    monkeypatch.setattr(memory, "CONTROL_GROUP", tmp_path)
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("2000\n")
    assert memory.free() == 3000
    assert memory.budget(None) == 1500
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free() > 2**20


# --- measuring --------------------------------------------------------------------------------------------------------


def test_a_short_study_takes_the_first_shape_and_compiles_nothing_else(monkeypatch, timed):
    monkeypatch.setattr(planner, "PAYS", 60.0)
    compiled = []
    monkeypatch.setattr(programs, "build", counting(programs.build, compiled))
    chosen = planner.choose(defined())
    assert timed == []
    assert len(compiled) == 1
    assert not chosen.plan.timed
    assert chosen.plan.layout.width == 12


def counting(function, calls):
    def counted(*arguments, **options):
        calls.append(arguments)
        return function(*arguments, **options)

    return counted


def test_the_fastest_wins_and_its_programs_are_those_that_were_timed(monkeypatch, timed):
    compiled = []
    monkeypatch.setattr(programs, "build", counting(programs.build, compiled))
    chosen = planner.choose(defined())
    assert {layout.width for layout in timed} == {12, 3}
    assert chosen.plan.layout.width == 3
    assert chosen.plan.timed
    results(chosen)
    assert len(compiled) == 2
    assert {part.study.layout for part in chosen.definition.parts} == {chosen.plan.layout}


def test_a_decision_is_made_once(timed, cache):
    first = planner.choose(defined())
    asked = len(timed)
    assert len(list(cache.iterdir())) == 1
    again = planner.choose(defined(points=2 * RATES))
    assert len(timed) == asked > 0
    assert again.plan.layout == first.plan.layout
    assert again.plan.lane_step == first.plan.lane_step
    assert again.plan.timed


def test_another_study_is_another_decision():
    def kept(room=100, **changes):
        made = defined(**changes)
        return decisions.path(made.work, made.demand, room)

    usual = kept()
    assert kept(points=2 * RATES) == kept(points=np.r_[RATES, 1.0]) == usual
    others = [{"factory": jaxdl.adam}, {"seeds": 9}, {"points": RATES[:5]}, {"problem": regression()}, {"room": 1}]
    assert len({usual, *(kept(**changes) for changes in others)}) == 6


def test_a_damaged_decision_is_none(timed, cache):
    planner.choose(defined())
    asked = len(timed)
    (file,) = cache.iterdir()
    file.write_text(file.read_text().replace('"width": 3', '"width": 4'))
    assert decisions.read(file) is None
    file.write_bytes(file.read_bytes()[:40])
    assert decisions.read(file) is None
    planner.choose(defined())
    assert len(timed) == 2 * asked
    assert decisions.read(file).shape == Shape(3, True)


def test_a_cache_that_cannot_be_written_is_no_error(timed, cache):
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    assert planner.choose(defined()).plan.timed


def test_what_the_caller_wants_is_done(timed):
    mine = Layout(3, 5, 1, in_turn=True)
    chosen = planner.choose(defined(layout=mine))
    assert timed == []
    assert chosen.plan.layout == chosen.build(0).part.study.layout == mine
    assert planner.choose(defined(exact=True)).plan.layout.exact
    with pytest.raises(ValueError, match=r"3 groups x 5 lanes in turn on 1 device\(s\) must fit into 400 bytes"):
        planner.choose(defined(layout=mine, memory=400))


def test_exact_lanes_for_which_there_is_no_memory_run_fewer_at_a_time():
    whole = planner.choose(defined(exact=True)).plan
    fewer = planner.choose(defined(exact=True, memory=whole.bytes - 1)).plan
    assert fewer.layout.exact
    assert 1 <= fewer.layout.groups < whole.layout.groups
    assert fewer.bytes < whole.bytes


@pytest.mark.parametrize("steps", [20, 7])
def test_timing_is_of_a_round_of_full_groups_on_all_teams(monkeypatch, steps):
    """A clock that ticks once a border: a round of chunks takes as many ticks as there are teams."""
    clock = iter(range(1000))
    monkeypatch.setattr(planner.time, "perf_counter", lambda: float(next(clock)))
    layout = Layout(1, 3, 1, in_turn=True)
    made = defined(seeds=5, steps=steps, layout=layout)
    part = made.parts[0]
    part = part._replace(study=part.study._replace(chunk_records=1))
    assert made.teams == 4
    built = planner.Built(part, programs.build(part.study, part.factories, part.lane, made.teams), 0)
    groups = 5 * 24 // 3
    assert planner.seconds(built) == 4 * (groups / 4) * -(-steps // 5)
    assert planner.lane_step(built, 96.0) == 96.0 / (120 * steps)
    assert results(planner.Choice(made, None, {0: built}, 0)).metrics["val_loss"].shape == (120, -(-steps // 5) + 1)


def test_measured_for_true(monkeypatch, cache):
    monkeypatch.setattr(jax, "local_device_count", lambda: 2)
    monkeypatch.setattr(planner, "PAYS", 0.0)
    chosen = planner.choose(defined())
    assert chosen.plan.timed
    assert 0 < chosen.plan.seconds < 60
    prior = planner.choose(defined(layout=Layout(2, 4, 1, in_turn=True)))
    for name, values in results(chosen).metrics.items():
        np.testing.assert_allclose(values, results(prior).metrics[name], rtol=1e-11)


def test_every_part_of_a_study_gets_the_layout(timed):
    grid = {"learning_rate": RATES, "nesterov": [True, False]}
    made = definition.define(bowl(), jaxdl.momentum, grid, 2, 20, 5)
    chosen = planner.choose(made)
    assert len(made.parts) == 2
    assert {chosen.build(i).part.study.layout for i in range(2)} == {chosen.plan.layout}
