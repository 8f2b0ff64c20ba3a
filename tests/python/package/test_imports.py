"""The command starts at once: what it imports before it answers is counted.

Modules are counted, not milliseconds: a test of time fails on a busy machine.
"""

import json
import subprocess
import sys

import pytest

REPORT = "; import json, sys; print('MODULES ' + json.dumps(sorted(sys.modules)))"
VERSION = """
import sys, trunkline.cli
sys.argv = ["trunkline", "--version"]
try:
    trunkline.cli.main()
except SystemExit:
    pass
"""
SERVE = """
import json, sys
import trunkline.cli, trunkline.server.command as command

class Stopping(command.Stopping):
    def wait(self, timeout=None):
        return True
command.Stopping = Stopping
announce = command._announce
def report(*arguments):
    announce(*arguments)
    print("MODULES " + json.dumps(sorted(sys.modules)))
command._announce = report
sys.argv = ["trunkline", "serve", "--port", "0"]
trunkline.cli.main()
"""
FIRST_REQUEST = """
import http.client
import trunkline
from trunkline.server import Server

signed = "Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"
headers = {
    "Authorization": f"AWS4-HMAC-SHA256 {signed}",
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Date": "20260101T000000Z",
    "X-Amz-Target": "AmazonSQS.ListQueues",
}
with trunkline.open() as engine, Server(engine, port=0) as server:
    client = http.client.HTTPConnection(*server.address)
    client.request("POST", "/", "{}", headers)
    assert client.getresponse().status == 200
"""
SLOW = {
    *("asyncio", "concurrent", "dataclasses", "email", "encodings.idna", "gzip", "http", "inspect"),
    *("logging", "pathlib", "queue", "shutil", "socket", "ssl", "subprocess", "threading"),
    *("tomllib", "typing", "unicodedata", "urllib", "uuid", "trunkline.queues.queue"),
    *("boto3", "botocore", "trunkline.aio", "trunkline.admin", "trunkline.remote"),
}
"""What costs more than all of our own modules, and is needed by single calls alone."""


def modules(program):
    """The modules that `program` has imported beyond those of the bare interpreter."""
    source = program + REPORT.lstrip("; ")
    ran = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=60
    )
    line = next(one for one in ran.stdout.splitlines() if one.startswith("MODULES "))
    return set(json.loads(line.removeprefix("MODULES ")))


@pytest.fixture(scope="module")
def bare():
    return modules("") | {"json", "json.decoder", "json.encoder", "json.scanner", "_json"}


def test_importing_the_package_imports_nothing_else(bare):
    assert modules("import trunkline\n") - bare <= {"trunkline", "__future__"}


def test_the_version_is_told_by_the_core_alone(bare):
    found = modules(VERSION) - bare
    ours = {name for name in found if name.startswith("trunkline")}
    assert ours == {"trunkline", "trunkline.cli", "trunkline._core"}
    assert len(found) <= 12


def test_a_server_listens_before_it_imports_what_single_calls_need(bare):
    found = modules(SERVE) - bare
    assert found & SLOW == set()
    assert "trunkline.server.command" in found
    # 70 with Python 3.11; 295 before modules were imported at their first use.
    assert len(found) <= 80


def test_the_first_request_imports_what_its_service_needs_alone(bare):
    found = modules(FIRST_REQUEST) - modules("import http.client\n")
    assert found & {"dataclasses", "gzip", "inspect", "logging", "pathlib", "uuid"} == set()
    assert "trunkline.aws.sqs.queues" in found
    ours = {name for name in found if name.startswith("trunkline.aws.")}
    assert {name for name in ours if name.count(".") > 2 and ".sqs." not in name} == set()


def test_what_is_imported_late_is_there():
    import trunkline
    import trunkline.aws

    for module in (trunkline, trunkline.aws):
        for name in module.__all__:
            assert getattr(module, name) is not None, name
        assert set(module.__all__) <= set(dir(module))
