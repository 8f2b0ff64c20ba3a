"""The AWS CLI against a server. It pins a botocore of its own, so `make wire-cli` brings it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from source_calls import until

AWS = os.environ.get("TRUNKLINE_AWS_CLI") or shutil.which("aws")

# The first version of the CLI knows an address of SQS by heart for each of the older regions, and
# there only `--endpoint-url` moves it. A younger region shows that the variable alone does.
REGION = "eu-central-2"
OTHER_REGION = ("--create-bucket-configuration", f"LocationConstraint={REGION}")

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

    def call(*arguments, fails=False, is_json=True):
        command = [AWS, "--output", "json", *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        # The first version of the CLI ends with 255 where the second does with 254.
        assert done.returncode in ((254, 255) if fails else (0,)), done.stderr
        if fails or not is_json:
            return done.stderr
        return json.loads(done.stdout or "{}")

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


def queue_of(aws, name):
    url = aws("sqs", "create-queue", "--queue-name", name)["QueueUrl"]
    queue = ("--queue-url", url)
    asked = aws("sqs", "get-queue-attributes", *queue, "--attribute-names", "QueueArn")
    return queue, asked["Attributes"]["QueueArn"]


def test_a_topic_and_a_rule_deliver_what_the_command_line_sends(aws):
    queue, arn = queue_of(aws, "q")
    topic = ("--topic-arn", aws("sns", "create-topic", "--name", "orders")["TopicArn"])
    aws("sns", "subscribe", *topic, "--protocol", "sqs", "--notification-endpoint", arn)
    aws("sns", "publish", *topic, "--message", "one coffee")
    got = aws("sqs", "receive-message", *queue, "--wait-time-seconds", "5")
    assert json.loads(got["Messages"][0]["Body"])["Message"] == "one coffee"

    queue, arn = queue_of(aws, "placed")
    aws("events", "put-rule", "--name", "r", "--event-pattern", '{"source":["shop"]}')
    aws("events", "put-targets", "--rule", "r", "--targets", f"Id=1,Arn={arn}")
    entry = {"Source": "shop", "DetailType": "OrderPlaced", "Detail": '{"order":1}'}
    aws("events", "put-events", "--entries", json.dumps([entry]))
    got = aws("sqs", "receive-message", *queue, "--wait-time-seconds", "5")
    assert json.loads(got["Messages"][0]["Body"])["detail"] == {"order": 1}


def test_records_and_executions_go_through_the_command_line(aws):
    stream = ("--stream-name", "clicks")
    aws("kinesis", "create-stream", *stream, "--shard-count", "1")
    aws("kinesis", "wait", "stream-exists", *stream)
    # The second version of the CLI reads blobs as base64, the first one as text.
    aws("kinesis", "put-record", *stream, "--partition-key", "k", "--data", "Y2xpY2s=")
    shard = aws("kinesis", "list-shards", *stream)["Shards"][0]["ShardId"]
    position = ("--shard-id", shard, "--shard-iterator-type", "TRIM_HORIZON")
    found = aws("kinesis", "get-shard-iterator", *stream, *position)["ShardIterator"]
    records = aws("kinesis", "get-records", "--shard-iterator", found)["Records"]
    assert records[0]["Data"] in ("Y2xpY2s=", "WTJ4cFkycz0=")

    definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    machine = ("--name", "m", "--role-arn", "arn:aws:iam::000000000000:role/states")
    definition_given = ("--definition", json.dumps(definition))
    made = aws("stepfunctions", "create-state-machine", *machine, *definition_given)
    given = ("--state-machine-arn", made["stateMachineArn"], "--input", '{"a":1}')
    started = aws("stepfunctions", "start-execution", *given)
    execution = ("--execution-arn", started["executionArn"])
    until(lambda: aws("stepfunctions", "describe-execution", *execution)["status"] == "SUCCEEDED")


def test_files_go_to_a_bucket_and_back(aws, tmp_path):
    (tmp_path / "big").write_bytes(bytes(range(256)) * 40_000)
    aws("s3api", "create-bucket", "--bucket", "reports", *OTHER_REGION)
    aws("s3", "cp", str(tmp_path / "big"), "s3://reports/big", "--no-progress", is_json=False)
    aws("s3", "cp", "s3://reports/big", str(tmp_path / "copy"), "--no-progress", is_json=False)
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "big").read_bytes()
