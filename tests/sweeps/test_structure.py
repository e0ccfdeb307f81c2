"""What becomes a lane and what a program of its own, found by trying."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxdl
from jaxdl import grids
from jaxdl.sweeps.structure import destinations, structures
from tests.problems_for_tests import bowl, regression

INT, FLOAT = np.dtype("int32"), np.dtype("float64")
quadratic = partial(jaxdl.problems.get, "quadratic")


def found(axes, factories=None, problem=None):
    """Structures of a product, as tuples that compare."""
    factories = factories or {"sgd": jaxdl.sgd}
    all_of = structures(grids.product(axes), factories, problem or bowl())
    return [(one.optimizer, one.fixed, one.lanes, one.points.tolist()) for one in all_of]


# --- destinations -----------------------------------------------------------------------------------------------------


def test_values_go_where_their_names_say():
    point = {"optimizer": "mine", "peak": 0.1, "problem.dimension": 3, "problem.noise.scale": 4, "steps": 50}
    assert destinations(point, lambda peak: None) == (
        {"peak": 0.1},
        {"dimension": 3, "noise.scale": 4},
        50,
    )


def test_steps_go_to_a_factory_that_names_them_too():
    assert destinations({"steps": 50}, lambda steps: None).optimizer == {"steps": 50}
    assert destinations({"steps": 50}, lambda **anything: None).optimizer == {}
    assert destinations({"rate": 1}, lambda rate, steps=3: None) == ({"rate": 1}, {}, None)


# --- lanes ------------------------------------------------------------------------------------------------------------


def test_numbers_are_lanes_of_one_program_even_when_they_are_whole():
    axes = {"learning_rate": [1, 2], "momentum": [0.5, 0.9]}
    assert found(axes) == [("sgd", {}, {"learning_rate": FLOAT, "momentum": FLOAT}, [0, 1, 2, 3])]


def test_what_shapes_the_program_groups_the_points():
    axes = {"nesterov": [True, False], "learning_rate": [0.1, 0.2], "momentum": [None, 0.9]}
    lanes = {"learning_rate": FLOAT}
    assert found(axes) == [
        ("sgd", {"nesterov": True, "momentum": None}, lanes, [0, 2]),
        ("sgd", {"nesterov": True, "momentum": 0.9}, lanes, [1, 3]),
        ("sgd", {"nesterov": False, "momentum": None}, lanes, [4, 6]),
        ("sgd", {"nesterov": False, "momentum": 0.9}, lanes, [5, 7]),
    ]


def test_strings_tuples_and_functions_are_structural():
    def everywhere(params):
        return True

    def factory(kind, mask, widths, learning_rate):
        return optax.chain(jaxdl.add_decayed_weights(0.1, mask), jaxdl.sgd(learning_rate))

    axes = {"kind": ["a"], "mask": [None, everywhere], "widths": [(1, 2)], "learning_rate": [0.1]}
    assert [(fixed, points) for _, fixed, _, points in found(axes, {"mine": factory})] == [
        ({"kind": "a", "mask": None, "widths": (1, 2)}, [0]),
        ({"kind": "a", "mask": everywhere, "widths": (1, 2)}, [1]),
    ]


def test_true_is_not_one():
    points = [{"flag": True, "learning_rate": 0.1}, {"flag": 1, "learning_rate": 0.1}]
    grid = grids.points(points)
    fixed = [
        one.fixed["flag"] for one in structures(grid, {"mine": lambda flag, learning_rate: jaxdl.sgd(0.1)}, bowl())
    ]
    assert [type(value) for value in fixed] == [bool, int]


def test_whole_numbers_that_shape_the_program_are_structural():
    def repeated(learning_rate, times):
        return optax.chain(*[jaxdl.sgd(learning_rate) for _ in range(times)])

    axes = {"times": [1, 2], "learning_rate": [0.1, 0.2]}
    lanes = {"learning_rate": FLOAT}
    assert found(axes, {"repeated": repeated}) == [
        ("repeated", {"times": 1}, lanes, [0, 1]),
        ("repeated", {"times": 2}, lanes, [2, 3]),
    ]


def test_whole_numbers_that_index_are_lanes_of_integers():
    def picked(which):
        return jaxdl.sgd(jnp.array([0.1, 0.2, 0.3])[which])

    assert found({"which": [0, 2]}, {"picked": picked}) == [("picked", {}, {"which": INT}, [0, 1])]


def test_a_number_that_is_read_in_python_is_structural_wherever_it_is_read():
    def at_once(learning_rate, cut):
        return jaxdl.sgd(learning_rate if cut > 0.5 else 0.0)

    def at_the_update(learning_rate, cut):
        tx = jaxdl.sgd(learning_rate)
        return optax.GradientTransformation(tx.init, lambda g, s, p=None: tx.update(g, s, p) if cut > 0.5 else (g, s))

    for factory in (at_once, at_the_update):
        structure = found({"cut": [0.0, 1.0], "learning_rate": [0.1]}, {"mine": factory})
        assert [(fixed, set(lanes)) for _, fixed, lanes, _ in structure] == [
            ({"cut": 0.0}, {"learning_rate"}),
            ({"cut": 1.0}, {"learning_rate"}),
        ]


def test_a_lane_must_keep_the_dtype_of_the_state():
    """Traced as a real number, ``every`` would turn the integer that it is subtracted from into one."""

    def factory(every):
        def update(updates, state, params=None):
            with jax.numpy_dtype_promotion("standard"):
                return updates, state + every

        return optax.GradientTransformation(lambda params: jnp.zeros((), jnp.int32), update)

    assert found({"every": [1, 2]}, {"mine": factory}) == [("mine", {}, {"every": INT}, [0, 1])]


# --- the problem ------------------------------------------------------------------------------------------------------


def test_arguments_of_the_problem_are_tried_too():
    axes = {"learning_rate": [0.1], "problem.dimension": [2, 3], "problem.condition_number": [10, 100]}
    lanes = {"learning_rate": FLOAT, "problem.condition_number": FLOAT}
    assert found(axes, problem=quadratic) == [
        ("sgd", {"problem.dimension": 2}, lanes, [0, 1]),
        ("sgd", {"problem.dimension": 3}, lanes, [2, 3]),
    ]


def test_what_only_training_reads_is_found_as_well():
    """The factory of the digits passes its batch size on without looking at it; its dropout rate may be traced."""
    axes = {"problem.batch_size": [16, 32], "problem.dropout_rate": [0.0, 0.5], "problem.label_noise": [0.0, 0.1]}
    digits = partial(jaxdl.problems.get, "digits-mlp", hidden=(2,))
    lanes = dict.fromkeys(("learning_rate", "problem.dropout_rate", "problem.label_noise"), FLOAT)
    assert found({"learning_rate": [0.1], **axes}, problem=digits) == [
        ("sgd", {"problem.batch_size": 16}, lanes, [0, 1, 2, 3]),
        ("sgd", {"problem.batch_size": 32}, lanes, [4, 5, 6, 7]),
    ]


# --- several optimizers, horizons -------------------------------------------------------------------------------------


def test_optimizers_are_structures():
    grid = grids.across(grids.product({"learning_rate": [0.1, 0.2]}), "optimizer", ["sgd", "adam"])
    both = structures(grid, {"adam": jaxdl.adam, "sgd": jaxdl.sgd}, bowl())
    assert [(one.optimizer, one.fixed, one.points.tolist()) for one in both] == [
        ("sgd", {"optimizer": "sgd"}, [0, 1]),
        ("adam", {"optimizer": "adam"}, [2, 3]),
    ]


def test_each_optimizer_is_tried_by_itself():
    def repeated(learning_rate, count):
        return optax.chain(*[jaxdl.sgd(learning_rate)] * count)

    def scaled(learning_rate, count):
        return jaxdl.sgd(learning_rate * count)

    axes = {"learning_rate": [0.1], "count": [1, 2], "optimizer": ["repeated", "scaled"]}
    structure = found(axes, {"repeated": repeated, "scaled": scaled})
    assert [(fixed, points) for _, fixed, _, points in structure] == [
        ({"optimizer": "repeated", "count": 1}, [0]),
        ({"optimizer": "scaled"}, [1, 3]),
        ({"optimizer": "repeated", "count": 2}, [2]),
    ]


def test_each_optimizer_is_given_its_own_values_alone():
    def only(wanted):
        def factory(learning_rate):
            if not isinstance(learning_rate, jax.core.Tracer) and learning_rate != wanted:
                raise ValueError(f"wanted {wanted}")
            return jaxdl.sgd(learning_rate)

        return factory

    grid = grids.points([{"optimizer": name, "learning_rate": rate} for name, rate in (("a", 0.1), ("b", 0.2))])
    both = structures(grid, {"a": only(0.1), "b": only(0.2)}, bowl())
    assert [(one.optimizer, one.points.tolist()) for one in both] == [("a", [0]), ("b", [1])]


@pytest.mark.parametrize("steps", [[10, 20], [10.0, 20.0]])
def test_the_horizon_is_a_lane_of_whole_numbers_and_reaches_the_factory(steps):
    seen = []

    def factory(peak, steps):
        seen.append(steps)
        return jaxdl.sgd(jaxdl.schedules.warmup_cosine(0.0, peak, 5, steps))

    assert found({"peak": [0.1], "steps": steps}, {"mine": factory}) == [
        ("mine", {}, {"peak": FLOAT, "steps": INT}, [0, 1])
    ]
    assert [value for value in seen if isinstance(value, int)] == [10, 20]
    assert found({"learning_rate": [0.1], "steps": steps})[0][2]["steps"] == INT


def test_a_horizon_that_the_factory_reads_in_python_is_structural():
    def factory(steps):
        return jaxdl.sgd(0.1 if steps > 10 else 0.2)

    assert found({"steps": [10, 20]}, {"mine": factory}) == [
        ("mine", {"steps": 10}, {}, [0]),
        ("mine", {"steps": 20}, {}, [1]),
    ]


def test_a_schedule_is_swept_through_its_floats(key):
    """Peak, warm-up and a decay as long as the run, mapped over in one program, against a run of each."""

    def factory(peak, warmup_steps, steps):
        return jaxdl.sgd(jaxdl.schedules.warmup_cosine(0.0, peak, warmup_steps, steps))

    grid = grids.product({"peak": [0.05, 0.2], "warmup_steps": [0, 2, 5], "steps": [12, 20]})
    (one,) = structures(grid, {"mine": factory}, regression())
    assert one.lanes == {"peak": FLOAT, "warmup_steps": FLOAT, "steps": INT}

    def run(point):
        tx = factory(**destinations(point, factory).optimizer)
        return jaxdl.train(regression(), tx, key, 20, record_every=1)[1].metrics["train_loss"]

    mapped = jax.jit(jax.vmap(run))({name: grid.columns[name].astype(dtype) for name, dtype in one.lanes.items()})
    for index in (0, 5, 10):
        alone = run({name: column[index].item() for name, column in grid.columns.items()})
        np.testing.assert_allclose(mapped[index], alone, rtol=1e-11)
    assert len(np.unique(mapped[:, -1])) == grid.size


def test_an_argument_of_the_problem_is_swept_with_one_of_the_optimizer(key):
    grid = grids.product({"learning_rate": [0.1, 1.0], "problem.condition_number": [1, 100]})
    (one,) = structures(grid, {"sgd": jaxdl.sgd}, quadratic)

    def run(point):
        to = destinations(point, jaxdl.sgd)
        return jaxdl.train(quadratic(**to.problem), jaxdl.sgd(**to.optimizer), key, 5)[1].metrics["val_loss"]

    mapped = jax.jit(jax.vmap(run))({name: grid.columns[name].astype(dtype) for name, dtype in one.lanes.items()})
    alone = [run({name: column[index].item() for name, column in grid.columns.items()}) for index in range(grid.size)]
    np.testing.assert_allclose(mapped, alone, rtol=1e-6)
    assert len(np.unique(mapped[:, -1])) == grid.size


def test_the_values_are_not_in_the_answer_but_their_points_are():
    grid = grids.random({"learning_rate": (1e-3, 1.0)}, 500)
    (one,) = structures(grid, {"sgd": jaxdl.sgd}, bowl())
    np.testing.assert_array_equal(one.points, np.arange(500))
