"""What the README shows works, and its first program is as short as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MACHINES = ROOT / "docs" / "state-machines.md"
NOUNS = [ROOT / "docs" / f"{noun}.md" for noun in ("analytics", "buckets", "firehose")]
GUIDES = [*sorted((ROOT / "docs" / "guides").glob("*.md")), *NOUNS]


def programs(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def shown_tests(text: str) -> list[tuple[str, str]]:
    return re.findall(r"```python (test_\w+\.py)\n(.*?)```", text, re.DOTALL)


PROGRAMS = programs(README)
IN_GUIDES = [
    pytest.param(program, id=f"{guide.stem}-{number}")
    for guide in GUIDES
    for number, program in enumerate(programs(guide.read_text(encoding="utf-8")))
]


def needs_modules(program: str) -> None:
    needed = {"duckdb": "analytics"}
    for module in ("boto3", "celery", "duckdb", "pandas", "pyarrow"):
        name = needed.get(module, module)
        named = f"import {name}" in program or f"from {name}" in program
        if named and find_spec(module) is None:
            pytest.skip(f"{module} is not installed; the extra dev brings it")


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_of_the_readme_runs_twice_in_a_row(number: int, tmp_path: Path) -> None:
    needs_modules(PROGRAMS[number])
    command = [sys.executable, "-W", "error", "-c", PROGRAMS[number]]
    for _ in range(2):
        process = subprocess.run(
            command, cwd=tmp_path, stdout=subprocess.PIPE, timeout=60, text=True, check=True
        )
        if number == 0:
            assert process.stdout == "one coffee\n"


@pytest.mark.parametrize("program", IN_GUIDES)
def test_a_program_of_a_guide_runs(program: str, tmp_path: Path) -> None:
    needs_modules(program)
    # Warnings of libraries are not ours to mend.
    command = [sys.executable, "-c", program]
    subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, timeout=60, check=True)


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 200


def test_a_guide_is_short() -> None:
    assert len(GUIDES) >= 7
    for guide in GUIDES:
        assert len(guide.read_text(encoding="utf-8").splitlines()) < 100, guide.name


def test_the_tests_of_the_readme_and_of_the_guides_pass(tmp_path: Path) -> None:
    pages = (page.read_text(encoding="utf-8") for page in (ROOT / "README.md", MACHINES, *GUIDES))
    shown = [test for page in pages for test in shown_tests(page)]
    assert len(shown) >= 2
    for name, program in shown:
        needs_modules(program)
        (tmp_path / name).write_text(program, encoding="utf-8")
    # A checkout that is not installed has no entry points, so the plugin is named.
    is_installed = any(point.name == "trunkline" for point in entry_points(group="pytest11"))
    plugin = [] if is_installed else ["-p", "trunkline.aws.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin]
    done = subprocess.run(
        [*command, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_first_program_has_less_than_fifteen_lines() -> None:
    assert 0 < len(PROGRAMS[0].splitlines()) < 15


def test_the_programs_of_the_tour_have_less_than_twenty_lines() -> None:
    tour = programs((ROOT / "docs" / "guides" / "tour.md").read_text(encoding="utf-8"))
    for noun in ("topic", "bus", "schedule", "stream", "reader"):
        shown = [program for program in (*tour, *PROGRAMS) if f".{noun}(" in program]
        assert shown, noun
        for program in shown:
            assert len(program.splitlines()) < 20, program


def test_every_path_that_the_documents_name_exists() -> None:
    named = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "benches/README.md")
    for document in (*named, *(guide.relative_to(ROOT) for guide in GUIDES)):
        text = (ROOT / document).read_text(encoding="utf-8")
        for name in re.findall(r"`((?:core|python|tests|docs|examples|benches)/[\w./-]+)`", text):
            assert (ROOT / name).exists(), f"{document} names {name}"


def test_the_architecture_fits_in_one_sitting() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 300
