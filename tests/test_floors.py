"""The plan of the house, proved by reading imports: who may import whom, optax for its protocol only, matplotlib in one
room, and nothing heavy behind ``import jaxdl``."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import jaxdl

FLOORS = (
    ("typing", "checks", "hoisting", "tree", "configuration", "provenance", "rules", "memory"),
    ("transforms", "schedules", "losses", "models", "data", "labels", "grids", "finite_differences"),
    (
        "optimizers",
        "problems",
        "store",
        "journal",
        "checkpoint",
        "tables",
        "blocks",
        "ledger",
        "statistics",
        "observers",
        "observation",
        "curvature",
    ),
    (
        "recording",
        "stepping",
        "training",
        "early_stopping",
        "verdict",
        "ranking",
        "second_order",
        "landscape",
        "conformance",
        "conventions",
        "groups",
    ),
    ("sweeps", "comparison"),
    ("plots",),
    ("cli",),
)
"""The rooms by floor. A room imports lower floors, rooms that stand before it on its own, and itself."""

ROOMS = [room for floor in FLOORS for room in floor]
PROTOCOL = {
    "GradientTransformation",
    "GradientTransformationExtraArgs",
    "EmptyState",
    "chain",
    "apply_updates",
    "with_extra_args_support",
}
HEAVY = ("matplotlib", "xarray", "zarr", "sklearn", "scipy", "flax", "tyro", "rich")
"""What costs a good part of a second to import and is not needed by every user."""

PACKAGE = Path(jaxdl.__file__).parent


# --- the checker ------------------------------------------------------------------------------------------------------


def imported(source: str) -> list[str]:
    """Every name that is imported anywhere in the source, in full: ``from a import b`` is ``a.b``."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]
    return names


def room_violations(room: str, source: str) -> list[str]:
    """Imports of jaxdl that the floors forbid to ``room``."""
    allowed = ROOMS[: ROOMS.index(room) + 1]
    ours = [name for name in imported(source) if name.split(".")[0] in ("jaxdl", "")]
    return [name for name in ours if name.startswith(".") or [*name.split("."), ""][1] not in allowed]


def optax_violations(source: str) -> list[str]:
    """Uses of optax beyond its protocol: attributes of the module, and names or submodules imported from it."""
    taken = [name for name in imported(source) if name.startswith("optax.")]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "optax":
            taken.append(f"optax.{node.attr}")
    renamed = [a.name for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Import) for a in n.names if a.asname]
    return [name for name in taken if name.removeprefix("optax.") not in PROTOCOL] + [
        n for n in renamed if n == "optax"
    ]


@pytest.mark.parametrize(
    ("room", "source", "found"),
    [
        ("transforms", "from jaxdl import tree, checks", []),
        ("transforms", "from jaxdl.transforms.scheduled import scheduled", []),
        ("checks", "from jaxdl.typing import Params", []),
        ("comparison", "from jaxdl.sweeps import plan", []),
        ("tree", "from jaxdl.transforms import adam", ["jaxdl.transforms.adam"]),
        ("typing", "from jaxdl import checks", ["jaxdl.checks"]),
        ("sweeps", "import jaxdl.comparison", ["jaxdl.comparison"]),
        ("training", "def f():\n    from jaxdl import tree, plots", ["jaxdl.plots"]),
        ("losses", "import jaxdl", ["jaxdl"]),
        ("cli", "from jaxdl import sgd", ["jaxdl.sgd"]),
        ("optimizers", "from .transforms import adam", [".transforms.adam"]),
        ("optimizers", "from . import problems", ["..problems"]),
    ],
)
def test_checker_of_rooms_finds_what_it_should(room, source, found):
    assert room_violations(room, source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import optax\noptax.chain(optax.EmptyState())", []),
        ("from optax import GradientTransformation", []),
        ("import optax\noptax.adam(1)", ["optax.adam"]),
        ("from optax import trace", ["optax.trace"]),
        ("import optax.tree_utils", ["optax.tree_utils"]),
        ("from optax._src import base", ["optax._src.base"]),
        ("import optax\nf = optax.tree.map", ["optax.tree"]),
        ("import optax as ox\nox.adam(1)", ["optax"]),
    ],
)
def test_checker_of_optax_finds_what_it_should(source, found):
    assert optax_violations(source) == found


# --- the house --------------------------------------------------------------------------------------------------------

FILES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
BY_ITSELF = Path("__init__.py")
"""The public names: it imports from everywhere."""

every_file = pytest.mark.parametrize("file", [file for file in FILES if file != BY_ITSELF], ids=str)


def _source(file: Path) -> str:
    return (PACKAGE / file).read_text(encoding="utf-8")


def _room(file: Path) -> str:
    return file.parts[0].removesuffix(".py")


@every_file
def test_room_stands_on_a_floor_and_imports_downwards(file):
    assert _room(file) in ROOMS, f"give jaxdl/{file} a floor in FLOORS"
    assert room_violations(_room(file), _source(file)) == []


@pytest.mark.parametrize("file", FILES, ids=str)
def test_only_the_protocol_is_taken_from_optax(file):
    assert optax_violations(_source(file)) == []


@pytest.mark.parametrize("file", [file for file in FILES if _room(file) != "plots"], ids=str)
def test_only_plots_imports_matplotlib(file):
    assert not [name for name in imported(_source(file)) if name.split(".")[0] in ("matplotlib", "pylab")]


def test_plots_does_import_matplotlib():
    assert any(
        name.startswith("matplotlib") for file in FILES if _room(file) == "plots" for name in imported(_source(file))
    )


def _loaded_by(statement: str) -> set[str]:
    """Top-level packages in ``sys.modules`` after a statement in a fresh process."""
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_jaxdl_loads_nothing_heavy():
    assert _loaded_by("import jaxdl") & set(HEAVY) == set()


def test_heavy_imports_would_be_seen():
    assert "matplotlib" in _loaded_by("import jaxdl, jaxdl.plots")
