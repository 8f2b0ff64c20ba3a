"""Each integration pattern is a program of less than 60 lines that prints what it promises."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAMS = sorted((ROOT / "examples" / "patterns").glob("*.py"))
LINES_MAX = 60


def promised(program: Path) -> str:
    """What the docstring of a program says that it prints."""
    told = ast.get_docstring(ast.parse(program.read_text(encoding="utf-8"))) or ""
    return textwrap.dedent(told.partition("prints::\n\n")[2]).strip()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_a_program_prints_what_it_promises(program: Path) -> None:
    if program.stem == "api_facade":
        pytest.importorskip("boto3")
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    assert promised(program)
    assert done.stdout.strip() == promised(program)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_a_program_is_short_and_has_a_drawing(program: Path) -> None:
    text = program.read_text(encoding="utf-8")
    assert len(text.splitlines()) < LINES_MAX
    drawing = (ast.get_docstring(ast.parse(text)) or "").partition("::\n\n")[2]
    assert re.search(r"[-|+][->|]", drawing)


def test_the_guide_names_every_program() -> None:
    guide = (ROOT / "docs" / "guides" / "integration-patterns.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+\.py)`", guide))
    assert named == {program.name for program in PROGRAMS}
    assert len(guide.splitlines()) < 100
