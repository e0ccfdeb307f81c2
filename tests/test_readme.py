"""Every Python example of the README runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_readme_has_examples():
    assert len(EXAMPLES) >= 3


LONG = ("warmed_up", "curvature.track", "sign_momentum")
"""What marks the examples that take most: two grids and a search; curvature along a run; a comparison."""


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(code, marks=[pytest.mark.slow] if any(word in code for word in LONG) else [], id=str(i))
        for i, code in enumerate(EXAMPLES)
    ],
)
def test_the_example_runs(code, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_files_it_links_to_are_there():
    root = Path(__file__).parent.parent
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    targets = [t for t in re.findall(r"\]\(([^)#]+)\)", prose) if "://" not in t]
    assert targets
    assert [target for target in targets if not (root / target).exists()] == []
