"""What the tests of event sources share: a function that notes its events, and a mapping to it."""

from __future__ import annotations

import time
from base64 import b64decode
from typing import Any

QUEUE = "arn:aws:sqs:us-east-1:000000000000:orders"
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/clicks"


class Recorder:
    """A function that notes its events, and does what the next of `does` says."""

    def __init__(self, *does: Any) -> None:
        self.events: list[Any] = []
        self.does = list(does)

    def __call__(self, event: Any, context: Any) -> Any:
        self.events.append(event)
        action = self.does.pop(0) if self.does else None
        return action(event) if callable(action) else action

    def bodies(self) -> list[list[str]]:
        return [[record["body"] for record in event["Records"]] for event in self.events]

    def data(self) -> list[list[str]]:
        return [
            [b64decode(record["kinesis"]["data"]).decode() for record in event["Records"]]
            for event in self.events
        ]


def until(holds: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.005)


def flat(batches: list[list[str]]) -> list[str]:
    return [one for batch in batches for one in batch]


def fail(_: Any) -> Any:
    raise ValueError("no tea left")


def mapped(engine: Any, client: Any, recorder: Any, source: str = QUEUE, **options: Any) -> str:
    engine.function("tea", recorder, timeout=10)
    made = client.create_event_source_mapping(FunctionName="tea", EventSourceArn=source, **options)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    return str(made["UUID"])
