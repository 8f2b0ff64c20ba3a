"""Rows of APIs: requests to routes that the core serves without Python."""

from __future__ import annotations

import json
import tempfile
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benches.wire import rows
from benches.wire.scenes import BODY
from benches.wire.servers import QUEUE, Server, Unproven, echo, ours, signed

CONNECTIONS = 16
PROOF = 2_000
PROOF_SECONDS = 60.0
UNLIMITED = 1_000_000
ANSWER_BYTES = 250


@dataclass(frozen=True)
class ApiRow:
    """One row, and how many times as fast as the null echo it shall be at least."""

    name: str
    path: str
    accepted: str
    """What an answer contains once."""
    subtype: str
    parameters: dict[str, str]
    at_least: float


def measured() -> list[ApiRow]:
    """The rows of this file. Routes of REST APIs are no rows: their accounts have a bound of 10,000
    requests a second, as on AWS."""
    where = f"{CONNECTIONS} connections"
    queue = {"QueueUrl": f"http://localhost/000000000000/{QUEUE}", "MessageBody": "$request.body"}
    stream = {
        "StreamName": QUEUE,
        "Data": "$request.body",
        "PartitionKey": "$context.requestId",
    }
    return [
        ApiRow(
            f"API route to a queue, {where}", "orders", "MessageId", "SQS-SendMessage", queue, 0.3
        ),
        ApiRow(
            f"API route to a stream, {where}",
            "clicks",
            "SequenceNumber",
            "Kinesis-PutRecord",
            stream,
            0.3,
        ),
    ]


def contests(load: rows.Load, only: str) -> list[rows.Row]:
    """All rows whose name holds `only`."""
    return [found for row in measured() if only in row.name for found in _contest(load, row)]


def _contest(load: rows.Load, row: ApiRow) -> list[rows.Row]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mine = stack.enter_context(ours())
        null = stack.enter_context(echo(load.binary, ANSWER_BYTES))
        request = folder / "request"
        request.write_bytes(_set_up(mine, row))
        _prove(load, row, mine, request)

        def turn(server: Server) -> tuple[float, float]:
            wanted = row.accepted if server is mine else ""
            return load.run("post", server, CONNECTIONS, load.seconds, request, wanted)

        found = rows.contest(row.name, load.rounds, turn, mine, [null])
        for one in found:
            one.goal = row.at_least
            print(rows.show(one), flush=True)
        return found


def _set_up(server: Server, row: ApiRow) -> bytes:
    """Makes what the route leads to, and the API; the request of a row."""
    server.call("CreateQueue", {"QueueName": QUEUE})
    server.ask_kinesis("CreateStream", {"StreamName": QUEUE, "ShardCount": 1})
    head = (
        f"POST {_api(server, row)}/{row.path} HTTP/1.1\r\nHost: {server.address}\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(BODY)}\r\n\r\n"
    )
    return (head + BODY).encode()


def _ask(server: Server, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = signed("apigateway") | {"Content-Type": "application/json"}
    url = f"http://{server.address}{path}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        read: dict[str, Any] = json.loads(answer.read() or b"{}")
        return read


def _api(server: Server, row: ApiRow) -> str:
    """Makes an HTTP API whose route takes any number of requests; its path."""
    api = _ask(server, "/v2/apis", {"name": QUEUE, "protocolType": "HTTP"})["apiId"]
    limits = {"throttlingBurstLimit": UNLIMITED, "throttlingRateLimit": UNLIMITED}
    stage = {"stageName": "$default", "autoDeploy": True, "defaultRouteSettings": limits}
    _ask(server, f"/v2/apis/{api}/stages", stage)
    integration = {
        "integrationType": "AWS_PROXY",
        "integrationSubtype": row.subtype,
        "payloadFormatVersion": "1.0",
        "requestParameters": row.parameters,
    }
    made = _ask(server, f"/v2/apis/{api}/integrations", integration)["integrationId"]
    route = {"routeKey": f"POST /{row.path}", "target": f"integrations/{made}"}
    _ask(server, f"/v2/apis/{api}/routes", route)
    return f"/_aws/execute-api/{api}"


def _prove(load: rows.Load, row: ApiRow, server: Server, request: Path) -> None:
    """Fails unless a message of each request that was answered for is in the queue."""
    load.run("post", server, CONNECTIONS, PROOF_SECONDS, request, row.accepted, PROOF)
    if row.path != "orders":
        return  # Each answer has the number of its record.
    url = server.call("GetQueueUrl", {"QueueName": QUEUE})["QueueUrl"]
    asked = {"QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"]}
    count = server.call("GetQueueAttributes", asked)["Attributes"]["ApproximateNumberOfMessages"]
    if int(count) != PROOF:
        raise Unproven(f"{server.name}, {row.name}: {count} messages instead of {PROOF}")
