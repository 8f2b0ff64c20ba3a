"""What the README shows works, and its first program is as short as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_of_the_readme_runs(number: int, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAMS[number]]
    process = subprocess.run(
        command, cwd=tmp_path, stdout=subprocess.PIPE, timeout=60, text=True, check=True
    )
    if number == 0:
        assert process.stdout == "one coffee\n"


def test_the_first_program_has_less_than_fifteen_lines() -> None:
    assert 0 < len(PROGRAMS[0].splitlines()) < 15


def test_every_path_that_the_documents_name_exists() -> None:
    for document in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "benches/README.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for name in re.findall(r"`((?:core|python|tests|docs|examples|benches)/[\w./-]+)`", text):
            assert (ROOT / name).exists(), f"{document} names {name}"


def test_the_architecture_fits_in_one_sitting() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 200
