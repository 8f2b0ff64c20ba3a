"""`kill -9` of a server whose function works on a queue and on a stream: nothing is lost.

The function notes what it has handled in a file that outlives the server. So a message that was
deleted, or a record that was passed, before it was handled is missing there. TRUNKLINE_KILLS says
how often the server is killed (`make sim` asks for more).
"""

from __future__ import annotations

import contextlib
import itertools
import os

import pytest
from source_calls import QUEUE, STREAM, until
from test_kill import client, exceptions, serve

KILLS = int(os.environ.get("TRUNKLINE_KILLS", "5"))
BATCH = 4
ACKNOWLEDGED = 3
"""So many sends of a round are acknowledged at least before its kill."""
HANDLED = 2
"""So much is handled in a round at least before its kill: the next batch is at work then."""

PROGRAM = """
import base64, os, time

FILE = {file!r}


def register(engine):
    engine.function("tea", handler, timeout=1, retries=0)


def handler(event, context):
    for record in event["Records"]:
        # Time for a kill in the middle of a batch.
        time.sleep(0.01)
        body = record.get("body")
        if body is None:
            body = base64.b64decode(record["kinesis"]["data"]).decode()
        with open(FILE, "a") as file:
            file.write(body + "\\n")
"""


class Source:
    """What is sent to a queue or to a stream, in numbers."""

    def __init__(self, kind):
        self.kind = kind
        self.arn = {"sqs": QUEUE, "kinesis": STREAM}[kind]
        self.sent, self.acknowledged = [], []
        self._numbers = itertools.count()

    def set_up(self, url):
        source, functions = client(self.kind, url), client("lambda", url)
        options = {"FunctionName": "tea", "EventSourceArn": self.arn, "BatchSize": BATCH}
        if self.kind == "sqs":
            source.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "1"})
        else:
            source.create_stream(StreamName="clicks", ShardCount=2)
            options |= {"StartingPosition": "TRIM_HORIZON", "MaximumRetryAttempts": -1}
        functions.create_event_source_mapping(**options)

    def send(self, url):
        """Sends a few together. What is not answered may be there, or not."""
        source = client(self.kind, url)
        bodies = [str(next(self._numbers)) for _ in range(BATCH * 2)]
        self.sent += bodies
        if self.kind == "sqs":
            place = source.get_queue_url(QueueName="orders")["QueueUrl"]
            entries = [{"Id": body, "MessageBody": body} for body in bodies]
            assert "Failed" not in source.send_message_batch(QueueUrl=place, Entries=entries)
        else:
            records = [{"Data": body, "PartitionKey": body} for body in bodies]
            answer = source.put_records(StreamName="clicks", Records=records)
            assert answer["FailedRecordCount"] == 0
        self.acknowledged += bodies


def handled(file):
    return file.read_text().split("\n")[:-1] if file.exists() else []


@pytest.mark.parametrize("kind", ["sqs", "kinesis"])
def test_what_was_acknowledged_is_handled(tmp_path, kind):
    source, file = Source(kind), tmp_path / "handled"
    program = tmp_path / "app.py"
    program.write_text(PROGRAM.format(file=str(file)))
    options = (tmp_path / "data", "--functions", program)
    with serve(*options) as (_, url):
        source.set_up(url)
    for _ in range(KILLS):
        with serve(*options) as (process, url):
            before = len(handled(file))
            for _ in range(ACKNOWLEDGED):
                source.send(url)
            until(lambda before=before: len(handled(file)) >= before + HANDLED, 60)
            process.kill()
            # The server is gone, or about to: this is answered only if it is kept.
            with contextlib.suppress(exceptions.HTTPClientError, exceptions.ConnectionError):
                source.send(url)
            process.wait()
    assert len(source.acknowledged) >= KILLS * ACKNOWLEDGED * BATCH * 2
    with serve(*options):
        until(lambda: set(handled(file)) >= set(source.acknowledged), 180)
    assert set(handled(file)) <= set(source.sent)
