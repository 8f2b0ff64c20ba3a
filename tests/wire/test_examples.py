"""The programs of boto3 users under examples/aws run, against a server and in the process."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("boto3")

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_programs_say_the_same_against_a_server_and_in_the_process() -> None:
    # The demonstration checks what every program prints, and that the server ends with status 0.
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / "aws" / "demo.py")],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "25 orders: 8 by phone, 8 by shop, 9 by web" in done.stdout
    assert "all of them" in done.stdout


def test_every_program_is_listed() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`aws/(\w+\.py)`", text))
    assert listed == {path.name for path in (EXAMPLES / "aws").glob("*.py")}
