"""Rows of Kinesis: records that are put, pages that are read, and polls that find nothing."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benches.wire import rows
from benches.wire.scenes import NUMBER, request
from benches.wire.servers import Server, Unproven, echo, ours

CONNECTIONS = 16
DURABLE_CONNECTIONS = 64
PAGE = 500
STREAM = "bench"
PROOF = 2_000
"""Records that are looked for in the stream before a row of puts is measured."""
PROOF_SECONDS = 60.0
PEERS = ("moto", "ministack")
"""The peers that have streams too."""
ITSELF = "itself"
PUT, READ, POLL = "PutRecord", "GetRecords", "empty poll"


@dataclass(frozen=True)
class StreamRow:
    """One row, and how many times as fast as the null echo, or as `base`, it shall be at least."""

    name: str
    kind: str
    records: int
    """Records of one request or of one answer."""
    body_bytes: int
    answer_bytes: int
    at_least: float
    stored: int = 0
    """Records that are in the stream before."""
    from_the_end: bool = False
    base: str | None = None
    is_for_peers: bool = True
    is_long: bool = False
    connections: int = CONNECTIONS
    is_on_disk: bool = False


def measured() -> list[StreamRow]:
    """The rows of this file."""
    put = StreamRow("PutRecord 100 B", PUT, 1, 100, 130, 0.3)
    page = StreamRow("GetRecords head of 20,000", READ, PAGE, 100, 160_000, 0.3, 20_000)
    poll = StreamRow("empty poll at 20,000", POLL, 1, 100, 350, 0.4, 20_000)
    long = {"stored": 220_000, "is_for_peers": False, "is_long": True}
    return [
        put,
        StreamRow(
            "PutRecord 100 B on disk",
            PUT,
            1,
            100,
            0,
            0.5,
            base=put.name,
            is_for_peers=False,
            connections=DURABLE_CONNECTIONS,
            is_on_disk=True,
        ),
        StreamRow("PutRecords 500 x 100 B", PUT, PAGE, 100, 57_000, 0.3),
        StreamRow("PutRecords 500 x 1 KiB", PUT, PAGE, 1_024, 57_000, 0.35),
        page,
        StreamRow(
            "GetRecords tail of 220,000",
            READ,
            PAGE,
            100,
            0,
            1 / 1.2,
            from_the_end=True,
            base=page.name,
            **long,
        ),
        poll,
        StreamRow("empty poll at 220,000", POLL, 1, 100, 0, 1 / 1.2, base=poll.name, **long),
    ]


def contests(load: rows.Load, peers: Sequence[Server], only: str, is_quick: bool) -> list[rows.Row]:
    """All rows whose name holds `only`."""
    found = []
    known = {one.name: one for one in measured()}
    for one in measured():
        name = f"{one.name}, {one.connections} connections"
        if only in name and not (is_quick and one.is_long):
            base = None if one.base is None else known[one.base]
            found += _contest(load, one, base, name, peers if one.is_for_peers else ())
    return found


def _contest(
    load: rows.Load, one: StreamRow, base: StreamRow | None, name: str, peers: Sequence[Server]
) -> list[rows.Row]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=Path.cwd() / "target")))
        data = ("--data", str(folder / "data")) if one.is_on_disk else ()
        mine = stack.enter_context(ours(*data))
        of_server = {mine.name: one}
        others: list[Server] = []
        if base is None:
            others.append(stack.enter_context(echo(load.binary, one.answer_bytes)))
        else:
            before = stack.enter_context(ours())
            before.name = f"{ITSELF}: {base.name}"
            of_server[before.name] = base
            others.append(before)
        for peer in peers:
            peer.renew()
            of_server[peer.name] = one
            others.append(peer)
        posted: dict[str, Path] = {}
        unproven: list[rows.Row] = []
        for server in (mine, *others[:]):
            if server.name not in of_server:
                continue
            posted[server.name] = folder / str(len(posted))
            try:
                _set_up(load, of_server[server.name], server, posted[server.name])
            except Unproven as error:
                if server not in peers:
                    raise
                others.remove(server)
                unproven.append(rows.without(name, server, error))
        # The echo answers the same request with bytes that mean nothing.
        file = posted[mine.name]

        def turn(server: Server) -> tuple[float, float]:
            wanted = _accepted(one) if server.name in of_server else ""
            given: list[object] = [
                one.connections,
                load.seconds,
                posted.get(server.name, file),
                wanted,
            ]
            if one.kind == PUT:
                return load.run("post", server, *given)
            return load.run("read", server, *given, one.records)

        found = rows.contest(name, load.rounds, turn, mine, others)
        for row in found:
            row.goal = None if row.peer in {peer.name for peer in peers} else one.at_least
        for row in (*found, *unproven):
            print(rows.show(row), flush=True)
        return found + unproven


def _accepted(row: StreamRow) -> str:
    """What an answer contains once for each record."""
    return '"Records":[]' if row.kind == POLL else '"SequenceNumber"'


def _set_up(load: rows.Load, row: StreamRow, server: Server, file: Path) -> None:
    """Makes the stream with what it holds, and writes down the request of a row."""
    server.ask_kinesis("CreateStream", {"StreamName": STREAM, "ShardCount": 1})
    if row.kind == PUT:
        file.write_bytes(_put(row.records, row.body_bytes))
        load.run("post", server, CONNECTIONS, PROOF_SECONDS, file, _accepted(row), PROOF)
        _prove(server)
        return
    filling = file.with_suffix(".fill")
    filling.write_bytes(_put(PAGE, row.body_bytes))
    load.run("post", server, CONNECTIONS, PROOF_SECONDS, filling, '"SequenceNumber"', row.stored)
    file.write_bytes(_read(row, server))


def _put(records: int, body_bytes: int) -> bytes:
    """A put of records whose data, in Base64, begins with their number."""
    length = (body_bytes + 2) // 3 * 4
    entry = {"Data": NUMBER + "A" * (length - len(NUMBER)), "PartitionKey": "k"}
    body: dict[str, object] = {"StreamName": STREAM}
    body |= entry if records == 1 else {"Records": [entry] * records}
    return _request("PutRecord" if records == 1 else "PutRecords", body)


def _read(row: StreamRow, server: Server) -> bytes:
    shard = server.ask_kinesis("ListShards", {"StreamName": STREAM})["Shards"][0]["ShardId"]
    asked = {"StreamName": STREAM, "ShardId": shard}
    if row.kind == POLL:
        asked["ShardIteratorType"] = "LATEST"
    elif row.from_the_end:
        asked |= {
            "ShardIteratorType": "AT_SEQUENCE_NUMBER",
            "StartingSequenceNumber": _near_the_end(server, shard),
        }
    else:
        asked["ShardIteratorType"] = "TRIM_HORIZON"
    iterator = server.ask_kinesis("GetShardIterator", asked)["ShardIterator"]
    return _request("GetRecords", {"ShardIterator": iterator, "Limit": PAGE})


def _pages(server: Server, shard: str) -> list[list[Any]]:
    """All records of the stream, page by page."""
    asked = {"StreamName": STREAM, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = server.ask_kinesis("GetShardIterator", asked)["ShardIterator"]
    found = []
    while True:
        page = server.ask_kinesis("GetRecords", {"ShardIterator": iterator, "Limit": 10_000})
        if not page["Records"]:
            return found
        found.append(page["Records"])
        iterator = page["NextShardIterator"]


def _near_the_end(server: Server, shard: str) -> str:
    records = [record for page in _pages(server, shard) for record in page]
    return str(records[-PAGE]["SequenceNumber"])


def _prove(server: Server) -> None:
    """Fails unless the stream holds each of the first records exactly once."""
    shard = server.ask_kinesis("ListShards", {"StreamName": STREAM})["Shards"][0]["ShardId"]
    data = (record["Data"] for page in _pages(server, shard) for record in page)
    found = Counter(int(text[: len(NUMBER)]) for text in data)
    if found != Counter(range(PROOF)):
        raise Unproven(f"{server.name}: the stream does not hold what was put")


def _request(operation: str, body: dict[str, object]) -> bytes:
    head = (
        "Content-Type: application/x-amz-json-1.1\r\n"
        f"X-Amz-Target: Kinesis_20131202.{operation}\r\n"
    )
    return request("kinesis", head, json.dumps(body))
