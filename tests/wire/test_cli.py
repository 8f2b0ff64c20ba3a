"""The AWS CLI against a server. It pins a botocore of its own, so `make wire-cli` brings it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

AWS = os.environ.get("TRUNKLINE_AWS_CLI") or shutil.which("aws")

# The first version of the CLI knows an address of SQS by heart for each of the older regions, and
# there only `--endpoint-url` moves it. A younger region shows that the variable alone does.
REGION = "eu-central-2"

pytestmark = pytest.mark.skipif(
    AWS is None, reason="there is no AWS CLI; `make wire-cli` brings it"
)


@pytest.fixture
def aws(server, tmp_path):
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env = plain | {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_PAGER": "",
        "HOME": str(tmp_path),
    }

    def call(*arguments, fails=False):
        command = [AWS, "--output", "json", *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        # The first version of the CLI ends with 255 where the second does with 254.
        assert done.returncode in ((254, 255) if fails else (0,)), done.stderr
        return done.stderr if fails else json.loads(done.stdout or "{}")

    return call


def test_a_message_goes_through_the_command_line(aws):
    url = aws("sqs", "create-queue", "--queue-name", "q")["QueueUrl"]
    attributes = '{"k":{"DataType":"String","StringValue":"v"}}'
    queue = ("--queue-url", url)
    sent = aws(
        *("sqs", "send-message", *queue, "--message-body", "é"),
        *("--message-attributes", attributes),
    )
    got = aws("sqs", "receive-message", *queue, "--message-attribute-names", "All")["Messages"][0]
    assert (got["MessageId"], got["Body"]) == (sent["MessageId"], "é")
    assert got["MessageAttributes"]["k"]["StringValue"] == "v"
    aws("sqs", "delete-message", *queue, "--receipt-handle", got["ReceiptHandle"])
    assert aws("sqs", "list-queues")["QueueUrls"] == [url]
    assert aws("sts", "get-caller-identity")["Account"] == "000000000000"


def test_an_older_region_is_called_with_the_address_as_an_option(aws, server):
    where = ("--endpoint-url", server.url, "--region", "us-east-1")
    url = aws(*where, "sqs", "create-queue", "--queue-name", "q")["QueueUrl"]
    assert aws(*where, "sqs", "list-queues")["QueueUrls"] == [url]


def test_errors_are_those_of_aws(aws):
    error = aws("sqs", "get-queue-url", "--queue-name", "none", fails=True)
    assert "AWS.SimpleQueueService.NonExistentQueue" in error
