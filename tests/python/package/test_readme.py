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
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


TESTS = re.findall(r"```python (test_\w+\.py)\n(.*?)```", README, re.DOTALL)


def needs_boto3(program: str) -> None:
    if "import boto3" in program and find_spec("boto3") is None:
        pytest.skip("boto3 is not installed; the extra dev brings it")


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_of_the_readme_runs(number: int, tmp_path: Path) -> None:
    needs_boto3(PROGRAMS[number])
    command = [sys.executable, "-W", "error", "-c", PROGRAMS[number]]
    process = subprocess.run(
        command, cwd=tmp_path, stdout=subprocess.PIPE, timeout=60, text=True, check=True
    )
    if number == 0:
        assert process.stdout == "one coffee\n"


def test_a_test_of_the_readme_passes(tmp_path: Path) -> None:
    assert TESTS
    for name, program in TESTS:
        needs_boto3(program)
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


def test_every_path_that_the_documents_name_exists() -> None:
    for document in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "benches/README.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for name in re.findall(r"`((?:core|python|tests|docs|examples|benches)/[\w./-]+)`", text):
            assert (ROOT / name).exists(), f"{document} names {name}"


def test_the_architecture_fits_in_one_sitting() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 260
