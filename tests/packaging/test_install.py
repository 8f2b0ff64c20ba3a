"""The wheel works in an empty environment, and the sdist carries what a build needs.

`make wheel` builds both and names their folder in TRUNKLINE_DIST; without it nothing is tried.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

DIST = os.environ.get("TRUNKLINE_DIST")
pytestmark = pytest.mark.skipif(DIST is None, reason="`make wheel` builds what is tried here")

PROGRAM = """
import sys, trunkline
with trunkline.open(sys.argv[1]) as engine:
    engine.queue("q").send("hello")
with trunkline.open(sys.argv[1]) as engine:
    (message,) = engine.queue("q").receive()
    print(message.text(), trunkline.__file__)
"""


def built(pattern: str) -> Path:
    """The one file of this kind that was built."""
    (path,) = (Path(str(DIST)).resolve()).glob(pattern)
    return path


def python_of(environment: Path) -> str:
    return str(environment / "bin" / "python")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing in it but the wheel; no index is asked for anything."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(place, with_pip=True)
    command = [python_of(place), "-m", "pip", "install", "--quiet", "--no-index"]
    subprocess.run([*command, str(built("*.whl"))], check=True)
    return place


def test_the_wheel_works_in_an_empty_environment(environment: Path, tmp_path: Path) -> None:
    command = [python_of(environment), "-I", "-c", PROGRAM, str(tmp_path / "data")]
    answer = subprocess.run(
        command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    assert answer.startswith("hello ")
    assert str(environment) in answer


def test_the_wheel_brings_the_command(environment: Path, tmp_path: Path) -> None:
    command = [str(environment / "bin" / "trunkline"), "--version"]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert answer.startswith("trunkline 0.")


def test_importing_starts_no_thread_and_no_heavy_module(environment: Path) -> None:
    program = (
        "import sys, trunkline\n"
        "heavy = {'asyncio', 'threading', 'argparse', 'json', 'hashlib'} & set(sys.modules)\n"
        "import os; print(len(os.listdir('/proc/self/task')), sorted(heavy))\n"
    )
    if not Path("/proc/self/task").exists():
        pytest.skip("threads are counted through /proc")
    command = [python_of(environment), "-I", "-c", program]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert answer == "1 []\n"


def test_the_wheel_brings_the_c_library_and_its_header(environment: Path) -> None:
    program = (
        "import ctypes\n"
        "from trunkline import capi\n"
        "version = ctypes.CDLL(str(capi.library_path())).trunkline_version\n"
        "version.restype = ctypes.c_char_p\n"
        "print(version().decode(), (capi.include_dir() / 'trunkline.h').is_file())\n"
        "try: capi.load()\n"
        "except ModuleNotFoundError as error: print(error)\n"
    )
    command = [python_of(environment), "-I", "-c", program]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    version, remedy = answer.splitlines()
    assert version.endswith(" True")
    assert "install trunkline[capi]" in remedy


SERVING = """
import json, sys, urllib.request
import trunkline
from trunkline.server import Server

def call(server, target, body):
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"}
    request = urllib.request.Request(server.url, json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request))

with trunkline.open() as engine, Server(engine, port=0) as server:
    print(call(server, "AmazonSQS.CreateQueue", {"QueueName": "q"})["QueueUrl"][-2:])
    print(call(server, "AWSEvents.ListEventBuses", {})["EventBuses"][0]["Name"])
    print("botocore" in sys.modules)
"""


def test_the_wheel_serves_without_botocore(environment: Path) -> None:
    command = [python_of(environment), "-I", "-c", SERVING]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert answer.split() == ["/q", "default", "False"]


def test_the_wheel_has_a_model_of_each_served_service() -> None:
    from trunkline.aws.services import SERVICES

    folder = "trunkline/aws/_models/"
    with zipfile.ZipFile(built("*.whl")) as wheel:
        names = {name.removeprefix(folder) for name in wheel.namelist() if folder in name}
    served = {f"{service.name}.json.gz" for service in SERVICES}
    assert names == {*served, "LICENSE", "README"}


def test_the_wheel_carries_types_and_licence_and_no_tests() -> None:
    with zipfile.ZipFile(built("*.whl")) as wheel:
        names = wheel.namelist()
    assert "trunkline/py.typed" in names
    assert "trunkline/_core.pyi" in names
    assert any(name.endswith("LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "benches/"))]


def test_the_sdist_carries_what_a_build_needs() -> None:
    with tarfile.open(built("*.tar.gz")) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "Cargo.lock", "LICENSE", "README.md"} <= names
    assert "core/binding/src/lib.rs" in names
    assert "core/types/src/lib.rs" in names
    assert {"build_tools/trunkline_build.py", "core/capi/include/trunkline.h"} <= names


def test_the_tests_run_in_the_interpreter_that_the_wheel_is_for() -> None:
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert tag in built("*.whl").name or "abi3" in built("*.whl").name
