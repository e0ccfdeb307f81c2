"""Our bands: quantiles of every line of the tables over 200 seeds, stored with the environment that they come from."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from experiments.lecture import studies, tables
from jaxdl import provenance

STORED = Path(__file__).parent / "results" / "bands-200.json"
SEEDS = 200


class Band(NamedTuple):
    """Of one line: 5 % quantile, median, 95 % quantile over the seeds of the stored run."""

    low: float
    median: float
    high: float


def describe(found: studies.Studies, names: tuple[str, ...] = tuple(tables.TABLES)) -> dict[str, Any]:
    """Everything of the tables as plain data, for ``--json``."""
    measured = [
        {
            "id": line.setting.id,
            "row": line.setting.row,
            "setting": line.setting.text,
            "printed": line.setting.printed,
            "median": line.median,
            "band": list(line.band),
            "printed_inside": line.inside,
            "errors_median": line.errors,
            "misclassified": line.wrong,
        }
        for line in tables.lines(found, names)
    ]
    judged = [{"text": o.text, "medians": list(o.values), "true": o.true} for o in tables.orderings(found, names)]
    return {
        "seeds": int(found.descent.sizes["seed"]),
        "quantiles": list(tables.QUANTILES),
        "seconds": round(found.seconds, 1),
        "environment": provenance.environment(),
        "lines": measured,
        "orderings": judged,
    }


def read(path: Path = STORED) -> dict[str, Band]:
    """The stored bands by id of the line.

    Raises:
      FileNotFoundError: nothing is stored there.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    return {line["id"]: Band(line["band"][0], line["median"], line["band"][1]) for line in content["lines"]}


def write(content: dict[str, Any], path: Path) -> None:
    """Writes what :func:`describe` made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
