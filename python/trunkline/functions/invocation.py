"""One invocation: what a function is given, and what came of it."""

from __future__ import annotations

import json
import time
import traceback
from uuid import uuid4

from trunkline._dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from trunkline.functions.names import FunctionName

RESPONSE_BYTES_MAX = 6_291_556
"""The largest response of a function: Lambda's bound."""


LOG_LINES_MAX = 10_000
"""How many lines of one invocation are kept."""
LOG_LINE_CHARS_MAX = 262_144
"""The longest piece of a line that is kept: the largest event of CloudWatch Logs."""
LOG_CHARS_MAX = 4_194_304
"""How much of the log of one invocation is kept."""


class LogLines(list[str]):
    """What one invocation wrote to its log, as much as is kept of it."""

    _chars = 0

    def keep(self, line: str) -> None:
        """Adds a line, unless the invocation has written too much."""
        line = line[:LOG_LINE_CHARS_MAX]
        if len(self) < LOG_LINES_MAX and self._chars + len(line) <= LOG_CHARS_MAX:
            self._chars += len(line)
            self.append(line)


@dataclass(slots=True)
class Invocation:
    """A call of a function."""

    function: FunctionName
    payload: bytes
    timeout: int
    """Milliseconds."""
    memory: int
    version: str = "$LATEST"
    qualifier: str | None = None
    """The version or alias by which the function was called."""
    request_id: str = field(default_factory=lambda: str(uuid4()))
    client_context: str | None = None
    log_stream: str = ""
    log_group: str = ""
    started: float = 0.0
    """When it began, on the monotonic clock of the machine."""
    lines: LogLines | None = None
    """What the function wrote to its log; None if nothing keeps it."""

    @property
    def arn(self) -> str:
        """The ARN by which the function was called."""
        arn = self.function.arn
        return arn if self.qualifier is None else f"{arn}:{self.qualifier}"

    def remaining(self) -> float:
        """The milliseconds until it times out."""
        passed = (time.monotonic() - self.started) * 1_000
        return max(0.0, self.timeout - passed)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an invocation."""

    payload: bytes
    error: str | None = None
    """``"Unhandled"`` of a function that failed: then the payload tells how."""
    milliseconds: float = 0.0
    log: str = ""

    def error_fields(self) -> dict[str, Any]:
        """The members of the payload of a failure; empty if it has none."""
        try:
            told = json.loads(self.payload)
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}


def failure(error_type: str, message: str, **members: Any) -> Outcome:
    """A failure in Lambda's shape.

    >>> failure("ValueError", "no").payload
    b'{"errorMessage": "no", "errorType": "ValueError"}'
    """
    told = {"errorMessage": message, "errorType": error_type, **members}
    return Outcome(json.dumps(told).encode(), "Unhandled")


def of_exception(invocation: Invocation, error: BaseException, skip: int) -> Outcome:
    """The failure of an exception. The `skip` outermost frames are not the function's."""
    frames: TracebackType | None = error.__traceback__
    for _ in range(skip):
        frames = frames and frames.tb_next
    return failure(
        type(error).__name__,
        text_of(error),
        requestId=invocation.request_id,
        stackTrace=traceback.format_list(traceback.extract_tb(frames)),
    )


def timed_out(invocation: Invocation) -> Outcome:
    """The failure of a function that took too long."""
    seconds = invocation.timeout / 1_000
    text = f"RequestId: {invocation.request_id} Error: Task timed out after {seconds:.2f} seconds"
    return failure("Sandbox.Timedout", text)


def of_result(invocation: Invocation, result: object) -> Outcome:
    """The outcome of what a function returned."""
    try:
        payload = json.dumps(result, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return failure(
            "Runtime.MarshalError",
            f"Unable to marshal response: {text_of(error)}",
            requestId=invocation.request_id,
            stackTrace=[],
        )
    if len(payload) > RESPONSE_BYTES_MAX:
        return failure(
            "Function.ResponseSizeTooLarge",
            "Response payload size exceeded maximum allowed payload size "
            f"({RESPONSE_BYTES_MAX} bytes).",
        )
    return Outcome(payload)


def event_of(payload: bytes) -> Any:
    """The event of a payload: JSON; text that is none stands for itself."""
    if not payload:
        return {}
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")


def text_of(error: BaseException) -> str:
    """What an exception says of itself, as text that UTF-8 can write."""
    try:
        text = str(error)
    except Exception:
        return "it cannot be shown"
    return text.encode("utf-8", "backslashreplace").decode()
