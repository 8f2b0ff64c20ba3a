"""The server's side of `trunkline.aws` imports no botocore: a plain installation serves."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys

class Refuses:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("botocore", "boto3", "aiobotocore"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Refuses())
import trunkline.server
from importlib import import_module
from trunkline.aws.services import SERVICES
for service in SERVICES:
    service.operations()
    if service.runner is not None:
        import_module(service.runner[2])
"""


def test_every_service_can_be_imported_without_botocore():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)


TASK = """
import sys
import trunkline

engine = trunkline.open()
engine.queue("orders")
call = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues", "End": True}
machine = engine.machine("list", {"StartAt": "A", "States": {"A": call}})
[url] = machine.run()["QueueUrls"]
assert url.endswith("/orders"), url
assert "botocore" not in sys.modules
"""


def test_a_task_calls_a_service_without_botocore():
    subprocess.run([sys.executable, "-c", TASK], check=True)
