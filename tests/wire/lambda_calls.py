"""What the tests of Lambda share: archives of code, and calls."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/functions"
ECHO = """
import os, sys, time

def handler(event, context):
    print("got", event)
    if "fail" in event:
        raise ValueError(event["fail"])
    if "exit" in event:
        os._exit(3)
    time.sleep(event.get("sleep", 0))
    return {"event": event, "left": context.get_remaining_time_in_millis() > 0,
            "pid": os.getpid(), "stage": os.environ.get("STAGE")}
"""


def archive(**files: str) -> bytes:
    """A ZIP archive; a name has two underscores for its dot."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as out:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name.replace("__", "."))
            entry.external_attr = 0o755 << 16
            out.writestr(entry, text)
    return data.getvalue()


def create(client: Any, name: str = "echo", **options: Any) -> Any:
    given = {
        "Runtime": "python3.12",
        "Role": ROLE,
        "Handler": "handler.handler",
        "Code": {"ZipFile": archive(handler__py=ECHO)},
        "Timeout": 20,
    }
    return client.create_function(FunctionName=name, **given | options)


def call(client: Any, event: Any = None, name: str = "echo", **options: Any) -> Any:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event or {}), **options)
    return answer, json.loads(answer["Payload"].read() or "null")


def refused(verb: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        verb(**arguments)
    told = error.value.response["Error"]
    return told["Code"], told["Message"]
