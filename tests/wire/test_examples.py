"""The programs of boto3 users under examples/aws run, against a server and in the process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import trunkline
from trunkline.server import Server

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


def test_a_program_runs_twice_in_a_row_on_one_server() -> None:
    # AWS refuses the name of a queue that was deleted less than a minute ago; the server does not.
    with trunkline.open() as engine, Server(engine, port=0) as server:
        known = {name: value for name, value in os.environ.items() if name[:4] != "AWS_"} | {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        for name in ("orders", "checkout", "redrive"):
            command = [sys.executable, str(EXAMPLES / "aws" / f"{name}.py")]
            runs = [
                subprocess.run(command, env=known, capture_output=True, timeout=240, check=False)
                for _ in range(2)
            ]
            assert [(one.returncode, one.stderr) for one in runs] == [(0, b"")] * 2, name
            assert runs[0].stdout == runs[1].stdout, name


def test_every_program_is_listed() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`aws/(\w+\.py)`", text))
    assert listed == {path.name for path in (EXAMPLES / "aws").glob("*.py")}
