"""Record transformation by a function: Firehose's event, and what the function answers."""

from __future__ import annotations

import base64
import binascii
import json

from trunkline.aws.calls import Failed, Request, send
from trunkline.aws.firehose.delivery.items import Failure, Item, groups
from trunkline.aws.limits import FIREHOSE_LAMBDA_BYTES_MAX, FIREHOSE_LAMBDA_RETRIES, MIB
from trunkline.functions.names import read_arn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.firehose.documents import Document
    from trunkline.aws.invoker import ServiceInvoker

_KIND = "processing-failed"


class Transformation:
    """Hands records to one function in batches."""

    def __init__(
        self, clients: ServiceInvoker, document: Document, parameters: dict[str, str]
    ) -> None:
        self._clients = clients
        self._document = document
        self._arn = parameters["LambdaArn"]
        self._retries = int(float(parameters.get("NumberOfRetries", FIREHOSE_LAMBDA_RETRIES)))
        self._size = int(float(parameters.get("BufferSizeInMBs", 1)) * MIB)

    def apply(
        self, items: Sequence[Item], arn: str, now: float
    ) -> tuple[list[Item], list[Failure]]:
        """The records as the function gives them, and those that it did not process."""
        done: list[Item] = []
        failures: list[Failure] = []
        for batch in groups(items, self._size):
            taken, failed = self._batch(batch, arn, now)
            done += taken
            failures += failed
        return done, failures

    def _batch(
        self, items: Sequence[Item], arn: str, now: float
    ) -> tuple[list[Item], list[Failure]]:
        answer, code, message = self._invoke(self._event(items, arn))
        if answer is None:
            attempts = self._retries + 1
            return [], [self._failure(item, code, message, attempts, now) for item in items]
        objects = [one for one in answer if isinstance(one, dict)]
        # A recordId of another type than a text may be no key of a dict, and names no record.
        results = {one["recordId"]: one for one in objects if isinstance(one.get("recordId"), str)}
        done, failures = [], []
        for place, item in enumerate(items):
            found = results.get(str(place))
            try:
                taken = _result(item, found)
            except _Refused as refused:
                failures.append(self._failure(item, refused.code, str(refused), 1, now))
                continue
            if taken is not None:
                done.append(taken)
        return done, failures

    def _failure(self, item: Item, code: str, message: str, attempts: int, now: float) -> Failure:
        return Failure(_KIND, item, code, message, attempts, now, {"lambdaArn": self._arn})

    def _event(self, items: Sequence[Item], arn: str) -> dict[str, Any]:
        source = self._document["source"].get("arn")
        event: dict[str, Any] = {
            "invocationId": f"{items[0].source.sequence}-{len(items)}",
            "deliveryStreamArn": arn,
            "region": self._document["region"],
        }
        if source is not None:
            event["sourceKinesisStreamArn"] = source
        event["records"] = [
            _told(place, item, with_source=source is not None) for place, item in enumerate(items)
        ]
        return event

    def _invoke(self, event: dict[str, Any]) -> tuple[list[Any] | None, str, str]:
        """The records of an answer; or None, and what was wrong at the last attempt."""
        read = read_arn(self._arn)
        region = self._document["region"] if read is None else read[0].region
        params = {"FunctionName": self._arn, "Payload": json.dumps(event).encode()}
        request = Request("lambda", "Invoke", region, params)
        code = message = ""
        for _ in range(self._retries + 1):
            try:
                answer = send(self._clients, request, self._document["account"])
            except Failed as failed:
                code, message = "Lambda.InvokeFailed", str(failed)
                continue
            text = answer["Payload"]
            if "FunctionError" in answer:
                code, message = "Lambda.FunctionError", text.decode("utf-8", "replace")
                continue
            if len(text) > FIREHOSE_LAMBDA_BYTES_MAX:
                code, message = "Lambda.ResponseTooLarge", f"The answer has {len(text)} bytes."
                continue
            try:
                records = json.loads(text)["records"]
            except (ValueError, KeyError, TypeError, RecursionError):
                records = None
            if isinstance(records, list):
                return records, "", ""
            code, message = "Lambda.JsonProcessingException", "The answer has no list of records."
        return None, code, message


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _result(item: Item, found: dict[str, Any] | None) -> Item | None:
    """What became of one record; None for one that was dropped."""
    if found is None:
        raise _Refused("Lambda.MissingRecordId", "The answer lacks the record.")
    result = found.get("result")
    if result == "Dropped":
        return None
    if result == "ProcessingFailed":
        raise _Refused("Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record")
    if result != "Ok":
        raise _Refused("Lambda.InvalidResult", f"The result {json.dumps(result)[:40]} is none.")
    try:
        data = base64.b64decode(found["data"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise _Refused("Lambda.DataDecodingFailed", "The data is not in Base64.") from None
    metadata = found.get("metadata")
    keys = metadata.get("partitionKeys") if isinstance(metadata, dict) else None
    if not isinstance(keys, dict):
        keys = {}
    # A key that is null, empty or no scalar is missing, as one that a query finds.
    named = {
        f"partitionKeyFromLambda:{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in keys.items()
        if value not in (None, "") and not isinstance(value, dict | list)
    }
    return Item(data, item.source, {**item.keys, **named})


def _told(place: int, item: Item, *, with_source: bool) -> dict[str, Any]:
    record = item.source
    told: dict[str, Any] = {
        "recordId": str(place),
        "approximateArrivalTimestamp": int(record.timestamp * 1_000),
        "data": base64.b64encode(item.data).decode(),
    }
    if with_source:
        told["kinesisRecordMetadata"] = {
            "sequenceNumber": record.sequence,
            "subsequenceNumber": 0,
            "partitionKey": record.key,
            "shardId": record.shard,
            "approximateArrivalTimestamp": int(record.timestamp * 1_000),
        }
    return told
