"""The official SDKs of other languages against a server: `make wire-sdks` brings and builds them.

Both programs take the same steps and print what they saw, so one test knows what is right.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess

import pytest

PROGRAMS = {"node": "TRUNKLINE_SDK_NODE", "go": "TRUNKLINE_SDK_GO"}
"""The variables that hold the command of each program."""

EXPECTED = {
    "fanOut": [["one book", "one tea"], ["one book", "one tea"], ["one book"]],
    "publishForEachProtocol": {
        "Type": "Notification",
        "Subject": "today",
        "Message": "to queues",
        "MessageAttributes": {"price": {"Type": "Number", "Value": "12.5"}},
    },
    "putEvents": {"FailedEntryCount": 0, "found": [["shop", "OrderPlaced", {"order": 1}]]},
    "stream": {"FailedRecordCount": 0, "data": ["a", "b", "c"]},
    "machine": {"status": "SUCCEEDED", "output": '"hot"'},
    "bucket": {"body": "one", "by": "me", "keys": ["a/1"]},
}
ERRORS = {
    "node": ["QueueDoesNotExist", "NotFoundException", "NoSuchKey"],
    "go": ["QueueDoesNotExist", "NotFound", "NoSuchKey"],
}


@pytest.mark.parametrize("language", PROGRAMS)
def test_an_sdk_is_told_nothing_but_four_variables(language, server, tmp_path):
    command = os.environ.get(PROGRAMS[language])
    if command is None:
        pytest.skip("the SDKs of other languages are not there; `make wire-sdks` brings them")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    done = subprocess.run(
        shlex.split(command), env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {**EXPECTED, "errors": ERRORS[language]}
