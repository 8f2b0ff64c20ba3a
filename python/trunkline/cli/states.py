"""``trunkline states``: check a definition of a state machine, run it with mocks, or draw it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from trunkline import states
from trunkline.errors import TrunklineError
from trunkline.machines.responses import MalformedResponses, NoResponse, mock_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GOOD, FAILED, BAD_INPUT = 0, 1, 2

CHECK = """
Check a definition in the Amazon States Language; print what is found, a finding a line.

Exit status: 0 if a state machine may have the definition, 1 if not, 2 if FILE could not be read.
"""
RUN = """
Run a definition in memory, on a clock that skips what is waited for; print how it ended, as JSON.
Tasks are mocked. The file of --mock has for each state, or resource, what its task gives: in the
form of Step Functions Local, {"Charge": {"0": {"Throw": {"Error": "Busy"}}, "1-3": {"Return": 7}}},
or {"Charge": {"Return": 7}} for all attempts.

Exit status: 0 if the execution succeeded, 1 if it failed, 2 for input that could not be used.
"""
GRAPH = """
Draw a definition as SVG, its states in layers. With an execution, they are coloured by what it did:
--history takes the answer of GetExecutionHistory; --at names a folder, which is only read, or a
server, with --execution MACHINE:NAME.

Exit status: 0, or 2 for input that could not be used.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes.

    >>> parser = argparse.ArgumentParser()
    >>> add_arguments(parser)
    >>> parser.parse_args(["check", "machine.json", "--json"]).file
    'machine.json'
    """
    commands = parser.add_subparsers(required=True, metavar="command")
    raw = argparse.RawDescriptionHelpFormatter
    check = commands.add_parser(
        "check", help="check a definition", description=CHECK, formatter_class=raw
    )
    check.add_argument("file", metavar="FILE", help="a file with the definition, or -")
    check.add_argument("--express", action="store_true", help="check it for an express machine")
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    check.set_defaults(run=_check)
    run = commands.add_parser("run", help="run a definition", description=RUN, formatter_class=raw)
    run.add_argument("file", metavar="FILE", help="a file with the definition, or -")
    run.add_argument("--input", default="{}", metavar="JSON|@FILE", help="the input (default: {})")
    run.add_argument("--mock", metavar="FILE", help="a file with what tasks give")
    run.add_argument("--history", action="store_true", help="print the events too")
    run.set_defaults(run=_run)
    graph = commands.add_parser(
        "graph", help="draw a definition", description=GRAPH, formatter_class=raw
    )
    graph.add_argument("file", metavar="FILE", help="a file with the definition, or -")
    graph.add_argument("--svg", metavar="OUT", default="-", help="where it is drawn (default: -)")
    graph.add_argument("--history", metavar="FILE", help="the history of an execution, as JSON")
    graph.add_argument("--at", "--data", metavar="FOLDER|URL", help="where the execution is")
    graph.add_argument("--token", help="the admin token of the server")
    graph.add_argument("--execution", metavar="MACHINE:NAME", help="an execution there")
    graph.set_defaults(run=_graph)


def _check(options: argparse.Namespace) -> int:
    try:
        text = _read(options.file)
    except (OSError, UnicodeDecodeError) as error:
        return _complain(str(error))
    found = states.check(text, express=options.express)
    is_bad = any(finding.severity == "ERROR" for finding in found)
    if options.json:
        diagnostics = [dataclasses.asdict(finding) for finding in found]
        print(json.dumps({"result": "FAIL" if is_bad else "OK", "diagnostics": diagnostics}))
    else:
        for finding in found:
            place = f" {finding.location}" if finding.location else ""
            told = f"{finding.severity.lower()} {finding.code}: {finding.message}"
            print(f"{options.file}:{place} {told}")
    return FAILED if is_bad else GOOD


def _run(options: argparse.Namespace) -> int:
    try:
        definition = _read(options.file)
        given = options.input
        input = _json(_read(given[1:]) if given.startswith("@") else given, "--input")
        mocks = {} if options.mock is None else _mocks(options.mock)
        result = states.test(definition, input, mocks=mocks)
    except (OSError, UnicodeDecodeError, MalformedResponses, NoResponse, TrunklineError) as error:
        return _complain(str(error))
    told: dict[str, Any] = {"status": result.status}
    if result.status == "SUCCEEDED":
        told["output"] = result.output
    else:
        told |= {"error": result.error, "cause": result.cause}
    told |= {"path": result.path, "seconds": result.seconds}
    if options.history:
        told["history"] = result.history
    print(json.dumps(told, ensure_ascii=False))
    return GOOD if result.status == "SUCCEEDED" else FAILED


def _graph(options: argparse.Namespace) -> int:
    try:
        if (options.at is None) != (options.execution is None):
            raise MalformedResponses("--at and --execution go together.")
        text = states.graph(_read(options.file), history=_history(options))
        if options.svg == "-":
            print(text, end="")
        else:
            Path(options.svg).write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError, MalformedResponses, TrunklineError) as error:
        return _complain(str(error))
    return GOOD


def _history(options: argparse.Namespace) -> list[dict[str, Any]] | None:
    if options.history is not None:
        told = _json(_read(options.history), options.history)
        events = told.get("events") if isinstance(told, dict) else told
        if not isinstance(events, list) or not all(isinstance(one, dict) for one in events):
            raise MalformedResponses(f"{options.history} holds no events of a history.")
        return events
    if options.at is None:
        return None
    machine, _, name = options.execution.partition(":")
    from trunkline.cli.backend import open_at

    with open_at(options) as at:
        found: list[dict[str, Any]] = at.call("execution", machine=machine, name=name)["history"]
        return found


def _mocks(file: str) -> dict[str, Any]:
    told = _json(_read(file), file)
    if not isinstance(told, dict):
        raise MalformedResponses(f"{file} holds no JSON object with the names of states.")
    return {name: mock_of(name, responses) for name, responses in told.items()}


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedResponses(f"{name} is no JSON: {error}") from None


def _read(name: str) -> str:
    return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")


def _complain(text: str) -> int:
    print(f"trunkline: {text}", file=sys.stderr)
    return BAD_INPUT
