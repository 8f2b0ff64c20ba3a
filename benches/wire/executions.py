"""Rows of Step Functions: executions from their start to their end, also while others wait."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benches.wire import rows
from benches.wire.scenes import NUMBER, request
from benches.wire.servers import Server, echo, ours

ROLE = "arn:aws:iam::000000000000:role/states"
PROOF = 2_000
"""Executions that are looked for before a row is measured."""
FILLING_SECONDS = 600.0
STARTED_BYTES, RAN_BYTES = 150, 640
"""Of an answer of StartExecution, and of StartSyncExecution."""
WAITING = {"Type": "Wait", "Seconds": 31_536_000, "End": True}
PASSES = "passes"


@dataclass(frozen=True)
class ExecutionRow:
    """One row, and how many times as fast as the null echo, or as the row without executions that
    wait, it shall be at least."""

    name: str
    connections: int
    at_least: float
    states: int = 1
    is_express: bool = False
    is_on_disk: bool = False
    waiting: int = 0
    peers: tuple[str, ...] = ("moto", "ministack")
    is_long: bool = False


def measured() -> list[ExecutionRow]:
    """The rows of this file."""
    start, run = "StartExecution", "StartSyncExecution"
    # moto has no express executions.
    express = ("ministack",)
    return [
        ExecutionRow(f"{start} 1 Pass, 16 connections", 16, 0.2),
        ExecutionRow(f"{start} 1 Pass on disk, 16 connections", 16, 0.1, 1, False, True),
        ExecutionRow(f"{start} 10 Pass, 16 connections", 16, 0.15, 10),
        ExecutionRow(f"{start} while 1,000 wait, 16 connections", 16, 1 / 1.1, waiting=1_000),
        ExecutionRow(
            f"{start} while 100,000 wait, 16 connections",
            16,
            1 / 1.1,
            waiting=100_000,
            is_long=True,
        ),
        ExecutionRow(f"{run} 1 Pass, 1 connection", 1, 0.3, 1, True, peers=express),
        ExecutionRow(f"{run} 1 Pass, 16 connections", 16, 0.2, 1, True, peers=express),
        ExecutionRow(f"{run} 10 Pass, 16 connections", 16, 0.12, 10, True, peers=express),
    ]


def contests(load: rows.Load, peers: Sequence[Server], only: str, is_quick: bool) -> list[rows.Row]:
    """All rows whose name holds `only`."""
    found = []
    for row in measured():
        if only in row.name and not (is_quick and row.is_long):
            able = () if row.waiting or row.is_on_disk else row.peers
            found += _contest(load, row, [peer for peer in peers if peer.name in able])
    return found


def _contest(load: rows.Load, row: ExecutionRow, peers: Sequence[Server]) -> list[rows.Row]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=Path.cwd() / "target")))
        data = ("--data", str(folder / "data")) if row.is_on_disk else ()
        mine = stack.enter_context(ours(*data))
        others: list[Server] = []
        if row.waiting:
            alone = stack.enter_context(ours())
            alone.name = "itself: none waits"
            others.append(alone)
        else:
            answer_bytes = RAN_BYTES if row.is_express else STARTED_BYTES
            others.append(stack.enter_context(echo(load.binary, answer_bytes)))
        for peer in peers:
            peer.renew()
            others.append(peer)
        posted: dict[str, Path] = {}
        for server in (mine, *others):
            if server.name != "null echo":
                posted[server.name] = file = folder / str(len(posted))
                file.write_bytes(_set_up(row, server, server in peers))
        _prove(load, row, mine, posted[mine.name])
        if row.waiting:
            _let_wait(load, row, mine, folder / "waiting")
        file = posted[mine.name]

        def turn(server: Server) -> tuple[float, float]:
            wanted = _accepted(row) if server.name in posted else ""
            request_file = posted.get(server.name, file)
            return load.run("post", server, row.connections, load.seconds, request_file, wanted)

        found = rows.contest(row.name, load.rounds, turn, mine, others)
        for one in found:
            one.goal = None if one.peer in {peer.name for peer in peers} else row.at_least
            print(rows.show(one), flush=True)
        return found


def _accepted(row: ExecutionRow) -> str:
    """What an answer contains once."""
    return '"SUCCEEDED"' if row.is_express else '"executionArn"'


def _passes(count: int) -> dict[str, object]:
    """States that pass their input on, one after the other."""
    states: dict[str, object] = {
        f"S{number}": {"Type": "Pass", "Next": f"S{number + 1}"} for number in range(count - 1)
    }
    states[f"S{count - 1}"] = {"Type": "Pass", "End": True}
    return {"StartAt": "S0", "States": states}


def _set_up(row: ExecutionRow, server: Server, is_peer: bool) -> bytes:
    """Makes the state machine, starts a first execution, and returns the request of a row."""
    kind = "EXPRESS" if row.is_express else "STANDARD"
    arn = _create(server, PASSES, _passes(row.states), kind)
    operation = "StartSyncExecution" if row.is_express else "StartExecution"
    if not is_peer:
        server.ask_states(operation, {"stateMachineArn": arn})
    return _start(operation, arn)


def _create(server: Server, name: str, definition: dict[str, object], kind: str) -> str:
    made = server.ask_states(
        "CreateStateMachine",
        {"name": name, "definition": json.dumps(definition), "roleArn": ROLE, "type": kind},
    )
    return str(made["stateMachineArn"])


def _start(operation: str, arn: str) -> bytes:
    body = {"stateMachineArn": arn, "input": json.dumps({"number": NUMBER})}
    head = (
        "Content-Type: application/x-amz-json-1.0\r\n"
        f"X-Amz-Target: AWSStepFunctions.{operation}\r\n"
    )
    return request("states", head, json.dumps(body))


def _prove(load: rows.Load, row: ExecutionRow, server: Server, file: Path) -> None:
    """Fails unless each execution that was answered for has succeeded."""
    load.run("post", server, row.connections, FILLING_SECONDS, file, _accepted(row), PROOF)
    if row.is_express:
        return  # Each answer told it.
    arn = f"arn:aws:states:us-east-1:000000000000:stateMachine:{PASSES}"
    count, asked = 0, {"stateMachineArn": arn, "statusFilter": "SUCCEEDED", "maxResults": 1_000}
    while True:
        page = server.ask_states("ListExecutions", asked)
        count += len(page["executions"])
        if "nextToken" not in page:
            break
        asked["nextToken"] = page["nextToken"]
    if count != PROOF + 1:
        raise RuntimeError(f"{server.name}: {count} executions succeeded instead of {PROOF + 1}")


def _let_wait(load: rows.Load, row: ExecutionRow, server: Server, file: Path) -> None:
    """Starts executions that wait for a year."""
    definition: dict[str, object] = {"StartAt": "Wait", "States": {"Wait": WAITING}}
    arn = _create(server, "waiting", definition, "STANDARD")
    server.ask_states("StartExecution", {"stateMachineArn": arn})
    file.write_bytes(_start("StartExecution", arn))
    load.run("post", server, 16, FILLING_SECONDS, file, '"executionArn"', row.waiting)
