"""HTTP endpoints: the request that Firehose documents, and what its answer has to be."""

from __future__ import annotations

import base64
import json
from uuid import uuid4

from trunkline.aws.firehose.delivery.processing import gzipped
from trunkline.aws.limits import FIREHOSE_ENDPOINT_ANSWER_BYTES_MAX, FIREHOSE_ENDPOINT_MS
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.firehose.delivery.items import Item

_TOO_LARGE = 413


class EndpointError(Exception):
    """The endpoint did not take a request."""

    def __init__(self, code: str, message: str, *, is_final: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.is_final = is_final
        """Another attempt would have the same answer."""


class EndpointRequest:
    """A batch of records for an endpoint: the same request at each attempt, with one id."""

    def __init__(self, config: dict[str, Any], arn: str, items: Sequence[Item], now: float) -> None:
        endpoint, options = config["EndpointConfiguration"], config["RequestConfiguration"]
        self._url: str = endpoint["Url"]
        self.id: str = str(uuid4())
        told = {
            "requestId": self.id,
            "timestamp": int(now * 1_000),
            "records": [{"data": base64.b64encode(item.data).decode()} for item in items],
        }
        self._body = json.dumps(told, separators=(",", ":")).encode()
        self._headers = [
            ("content-type", "application/json"),
            ("user-agent", "Amazon Kinesis Data Firehose Agent/1.0"),
            ("x-amz-firehose-protocol-version", "1.0"),
            ("x-amz-firehose-request-id", self.id),
            ("x-amz-firehose-source-arn", arn),
        ]
        if endpoint.get("AccessKey"):
            self._headers.append(("x-amz-firehose-access-key", endpoint["AccessKey"]))
        common = {
            one["AttributeName"]: one["AttributeValue"]
            for one in options.get("CommonAttributes", ())
        }
        if common:
            text = json.dumps({"commonAttributes": common}, separators=(",", ":"))
            self._headers.append(("x-amz-firehose-common-attributes", text))
        if options["ContentEncoding"] == "GZIP":
            self._body = gzipped(self._body)
            self._headers.append(("content-encoding", "gzip"))

    def send(self, core: CoreEngine) -> None:
        """Makes one attempt; raises EndpointError unless the endpoint took the records."""
        try:
            status, content = core.outbox().request(
                self._url,
                method="POST",
                headers=self._headers,
                body=self._body,
                timeout=FIREHOSE_ENDPOINT_MS,
                response_bytes_max=FIREHOSE_ENDPOINT_ANSWER_BYTES_MAX,
            )
        except TrunklineError as error:
            core.check_open()
            raise EndpointError("HttpEndpoint.InvalidRequest", str(error), is_final=True) from None
        text = content.decode("utf-8", "replace")
        if status is None:
            raise EndpointError("HttpEndpoint.ConnectionFailed", text)
        answer = _object(text)
        if status != 200:
            said = answer.get("errorMessage") or text[:1_000]
            why = f"The endpoint answered with the status {status}: {said}"
            is_final = status == _TOO_LARGE
            raise EndpointError("HttpEndpoint.DestinationException", why, is_final=is_final)
        if answer.get("requestId") != self.id or not isinstance(answer.get("timestamp"), int):
            raise EndpointError(
                "HttpEndpoint.InvalidResponseFromDestination",
                "The answer must be a JSON object with the requestId of the request and a "
                f"timestamp; it is {text[:1_000]}",
            )


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
