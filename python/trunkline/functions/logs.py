"""The log of a function: what it logs during an invocation, in Lambda's lines, in CloudWatch Logs.

A line that a function logs through :mod:`logging` belongs to the invocation in whose context it was
logged. So functions that run at once do not mix their lines.
"""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from threading import Lock
from uuid import uuid4

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.logs.storage import LogGroup
    from trunkline.functions.invocation import Invocation, LogLines, Outcome
    from trunkline.functions.names import FunctionName

TAIL_BYTES_MAX = 4_096
"""How much of the log an invocation may be answered with: Lambda's bound."""

_lines: ContextVar[LogLines | None] = ContextVar("trunkline_function_log", default=None)
_installing = Lock()


class _Capture(logging.Handler):
    """Hands what is logged during an invocation to the log of the function."""

    def emit(self, record: logging.LogRecord) -> None:
        lines = _lines.get()
        if lines is None:
            return
        try:
            lines.keep(self.format(record))
        except Exception:
            self.handleError(record)


class _Prints:
    """Standard output: what is printed during an invocation is in the log of the function, too."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        lines = _lines.get()
        if lines is not None:
            for line in text.splitlines():
                if line:
                    lines.keep(line)
        return int(self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def capture_prints() -> None:
    """Has what functions print kept in their logs. For a program of ours: it replaces stdout."""
    if not isinstance(sys.stdout, _Prints):
        sys.stdout = _Prints(sys.stdout)


_capture = _Capture()
_capture.setFormatter(logging.Formatter("[%(levelname)s]\t%(name)s\t%(message)s"))


def capture(lines: LogLines | None) -> None:
    """Has what is logged from now on, in this context, added to `lines`."""
    if lines is None:
        return
    _lines.set(lines)
    root = logging.getLogger()
    if _capture not in root.handlers:
        with _installing:
            root.addHandler(_capture)


class FunctionLog:
    """The log group of one function, which is created with the first line."""

    def __init__(self, core: CoreEngine, name: FunctionName) -> None:
        self._core = core
        self._name = name
        self._lock = Lock()
        self.stream: str = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid4().hex}"
        """The log stream, as that of one execution environment."""

    def write(self, invocation: Invocation, outcome: Outcome, as_json: bool = False) -> str:
        """Keeps the lines of an invocation; returns the end of them."""
        now = int(self._core.now() * 1_000)
        lines = _json_lines(invocation, outcome, now) if as_json else _lines_of(invocation, outcome)
        with self._lock:
            group = self._group(invocation.log_group)
            stream = group.find_stream(self.stream)
            if stream is None:
                group.put_stream(self.stream)
                stream = group.find_stream(self.stream)
            if stream is not None:
                group.put(stream, [(now, line) for line in lines])
        text = "".join(f"{line}\n" for line in lines).encode()
        return text[-TAIL_BYTES_MAX:].decode("utf-8", "ignore")

    def _group(self, group: str) -> LogGroup:
        from trunkline.aws.logs.groups import create_log_group
        from trunkline.aws.logs.storage import LogGroup
        from trunkline.aws.operation import Call
        from trunkline.aws.store import Store

        name = self._name
        call = Call(Store(self._core), name.account, name.region, None, "", "")
        found = LogGroup.find(call, group)
        if found is None:
            create_log_group(call, log_group_name=group)
            found = LogGroup.find(call, group)
        if found is None:
            raise LookupError(f"the log group {group} was removed while a line was written")
        return found


def _lines_of(invocation: Invocation, outcome: Outcome) -> list[str]:
    id, spent = invocation.request_id, outcome.milliseconds
    return [
        f"START RequestId: {id} Version: {invocation.version}",
        *(invocation.lines or ()),
        *_error_lines(outcome),
        f"END RequestId: {id}",
        f"REPORT RequestId: {id}\tDuration: {spent:.2f} ms\t"
        f"Billed Duration: {int(spent) + 1} ms\tMemory Size: {invocation.memory} MB",
    ]


def _json_lines(invocation: Invocation, outcome: Outcome, now: int) -> list[str]:
    """The same in the form of Lambda's logs in JSON; what the function wrote stays as it is."""
    id, spent = invocation.request_id, outcome.milliseconds
    time = f"{datetime.fromtimestamp(now / 1_000, UTC):%Y-%m-%dT%H:%M:%S}.{now % 1_000:03}Z"

    def platform(kind: str, **record: Any) -> str:
        told = {"time": time, "type": f"platform.{kind}", "record": {"requestId": id, **record}}
        return json.dumps(told)

    error = []
    if outcome.error is not None:
        named = outcome.error_fields()
        names = ("errorType", "errorMessage", "stackTrace")
        fields = {name: named[name] for name in names if name in named}
        error = [json.dumps({"timestamp": time, "level": "ERROR", "requestId": id, **fields})]
    metrics = {
        "durationMs": round(spent, 3),
        "billedDurationMs": int(spent) + 1,
        "memorySizeMB": invocation.memory,
    }
    status = "success" if outcome.error is None else "error"
    return [
        platform("start", version=invocation.version),
        *(invocation.lines or ()),
        *error,
        platform("report", metrics=metrics, status=status),
    ]


def _error_lines(outcome: Outcome) -> list[str]:
    if outcome.error is None:
        return []
    told = outcome.error_fields()
    text = f"[ERROR] {told.get('errorType')}: {told.get('errorMessage')}"
    frames = told.get("stackTrace") or told.get("trace")
    if not isinstance(frames, list) or not frames:
        return [text]
    return ["\n".join([text, "Traceback (most recent call last):", *map(str, frames)])]
