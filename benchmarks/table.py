"""Markdown tables of stored measurements: ``python -m benchmarks.table benchmarks/results/*.json``."""

import json
import sys
from pathlib import Path
from typing import Any

PACKAGES = ("jaxdl", "jax", "optax", "torch", "keras")


def markdown(stored: dict[str, Any]) -> str:
    """The measurement as a Markdown table, its environment above it."""
    made = ROWS[stored["benchmark"]](stored["rows"])
    lines = [made[0], ["---"] * len(made[0]), *made[1:]]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    where = stored["environment"]
    versions = ", ".join(f"{name} {where[name]}" for name in PACKAGES if where.get(name))
    settings = ", ".join(f"{name} {value}" for name, value in stored["settings"].items())
    machine = f"{where['cpu_model']}, {where['cpu_cores']} cores"
    return f"`{stored['benchmark']}` · {settings} · {machine} · {versions}\n\n{table}\n"


def _sweep_rows(rows: list[dict[str, Any]]) -> list[list[str]]:
    times = list(rows[0]["ms_per_run"])
    ratios = list(rows[0]["ratios"])
    head = ["lanes", *(f"{name} ms" for name in times), *(f"{name} / sweep" for name in ratios), "compile sweep s"]
    body = [
        [
            str(row["lanes"]),
            *(f"{row['ms_per_run'][name]:.2f}" for name in times),
            *(f"{row['ratios'][name]:.2f}" for name in ratios),
            f"{row['compile_s']['sweep']:.1f}",
        ]
        for row in rows
    ]
    return [head, *body]


def _update_rows(rows: list[dict[str, Any]]) -> list[list[str]]:
    times = list(rows[0]["ms"])
    head = ["rule", "leaves", *(f"{name} ms" for name in times), "jaxdl GB/s", "copy GB/s", "jaxdl / optax"]
    body = [
        [
            row["rule"],
            str(row["leaves"]),
            *(f"{row['ms'][name]:.1f}" for name in times),
            f"{row['gigabytes_per_s']['jaxdl']:.1f}",
            f"{row['gigabytes_per_s']['copy']:.1f}",
            f"{1 / row['ratios']['optax']:.3f}",
        ]
        for row in rows
    ]
    return [head, *body]


def _layout_rows(rows: list[dict[str, Any]]) -> list[list[str]]:
    times = list(rows[0]["ms_per_run"])
    head = ["problem", "lanes", *(f"{name} ms" for name in times), "planner / best", "plan"]
    body = [
        [
            row["problem"],
            str(row["lanes"]),
            *(f"{row['ms_per_run'][name]:.3g}" for name in times),
            f"{row['planner_over_best']:.2f}",
            row["layout"],
        ]
        for row in rows
    ]
    return [head, *body]


def _memory_rows(rows: list[dict[str, Any]]) -> list[list[str]]:
    head = ["lanes", "peak above import MB", "by compiling MB", "planned MB", "seconds", "plan"]
    numbers = ("peak_mb", "compiled_mb", "planned_mb", "seconds")
    return [head, *([str(row["lanes"]), *(f"{row[name]:.0f}" for name in numbers), row["plan"]] for row in rows)]


def _compile_rows(rows: list[dict[str, Any]]) -> list[list[str]]:
    head = ["study", "build s", "of which tracing", "of which compiling", "compiling / first", "programs in the cache"]
    numbers = ("build_s", "trace_s", "compile_s", "compile_of_first")
    return [
        head,
        *([row["study"], *(f"{row[name]:.2f}" for name in numbers), str(row["cache_entries"])] for row in rows),
    ]


def _conformance_rows(rows: list[dict[str, Any]]) -> list[list[str]]:
    table: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        names = ["jaxdl", row["framework"]] if row["kind"] == "ours" else row["frameworks"]
        table.setdefault((" – ".join(names), row["optimizer"]), {})[row["rate"]] = f"{row['difference']:.1g}"
    body = [[who, f"`{what}`", found["constant"], found["decaying"]] for (who, what), found in table.items()]
    return [["compared", "optimizer", "constant rate", "decaying rate"], *body]


def _update_compile_rows(rows: list[dict[str, Any]]) -> list[list[str]]:
    head = ["rule", "leaves", "jaxdl s", "optax s", "jaxdl / optax"]
    numbers = [(row["compile_s"]["jaxdl"], row["compile_s"]["optax"]) for row in rows]
    return [
        head,
        *(
            [row["rule"], str(row["leaves"]), f"{ours:.2f}", f"{theirs:.2f}", f"{ours / theirs:.2f}"]
            for row, (ours, theirs) in zip(rows, numbers, strict=True)
        ),
    ]


def _landscape_rows(rows: list[dict[str, Any]]) -> list[list[str]]:
    found = {row["what"]: row for row in rows}
    surface, pairs, shares = found["surface"], found["eigenpairs"], found["surface"]["share_of_time"]
    body = [[f"surface, {name}", f"{ms:.3f} ms a point"] for name, ms in surface["ms_per_point"].items()]
    body += [[f"ratio {name}", f"{ratio:.1f}"] for name, ratio in surface["ratios"].items()]
    body += [["surface, peak of memory", f"{found['memory']['peak_mb']:.0f} MB"]]
    body += [[f"{name}'s matrix products alone, of its time", f"{share:.0%}"] for name, share in shares.items()]
    body += [[f"H·v, {name}", f"{ms:.2f} ms"] for name, ms in found["hvp"]["ms"].items()]
    body += [
        [
            f"top 5 eigenpairs to a residual of {pairs['residual']:g}, {name}",
            "not reached" if ms is None else f"{ms:.0f} ms",
        ]
        for name, ms in pairs["ms"].items()
    ]
    body += [["edge of stability, median λ·η/2", f"{found['edge']['median_of_sharpness_over_bound']:.3f}"]]
    return [["what", "measured"], *body]


ROWS = {
    "landscape_speed": _landscape_rows,
    "compile_time": _compile_rows,
    "conformance": _conformance_rows,
    "update_compile": _update_compile_rows,
    "sweep_speed": _sweep_rows,
    "update_speed": _update_rows,
    "layouts": _layout_rows,
    "layouts_memory": _memory_rows,
}
"""Benchmark to what makes a table of its rows, the head first."""


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(markdown(json.loads(Path(name).read_text())))
