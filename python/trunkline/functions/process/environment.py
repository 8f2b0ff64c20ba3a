"""One execution environment: a process with the code of a function, which is used again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Lock, Thread

from trunkline._dataclasses import dataclass, field
from trunkline.functions.invocation import (
    LOG_LINE_CHARS_MAX,
    RESPONSE_BYTES_MAX,
    Outcome,
    failure,
    timed_out,
)
from trunkline.functions.process.api import Ended, RuntimeApi
from trunkline.functions.process.bootstrap import END_OF_LOG
from trunkline.functions.process.supervisor import end_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.functions.invocation import Invocation, LogLines

INIT_SECONDS = 10.0
"""How long a runtime may take to load its code: Lambda's bound."""

END_SECONDS = 3.0
"""How long the supervisor of a process may take to end it, with all that it started."""

LOG_SECONDS = 0.5
"""How long the end of a log is waited for; a runtime that marks no end has so little time."""

_HERE = Path(__file__).parent


class UnsupportedRuntimeError(Exception):
    """The runtime of a function is none that runs here."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a process runs: unpacked code and its surroundings."""

    folder: Path
    runtime: str
    handler: str
    memory: int
    variables: dict[str, str] = field(default_factory=dict)
    layers: tuple[Path, ...] = ()


class Environment:
    """A process that answers one invocation after another."""

    def __init__(self, code: Code, invocation: Invocation) -> None:
        command = command_of(code)
        self._api = RuntimeApi()
        self._lock = Lock()
        self._lines: LogLines | None = None
        self._end_of_log = Event()
        self._marks_end = any(Path(part).name.startswith("bootstrap.") for part in command)
        try:
            self._process = subprocess.Popen(
                command,
                cwd=code.folder,
                env=self._surroundings(code, invocation),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError:
            self._api.close()
            raise
        self.used_at: float = time.monotonic()
        Thread(target=self._read_log, name="trunkline-function-log", daemon=True).start()

    def _surroundings(self, code: Code, invocation: Invocation) -> dict[str, str]:
        name = invocation.function
        layers = [str(layer / "python") for layer in code.layers]
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join([str(code.folder), *layers]),
            "NODE_PATH": os.pathsep.join(str(one / "nodejs/node_modules") for one in code.layers),
            **code.variables,
            "AWS_REGION": name.region,
            "AWS_DEFAULT_REGION": name.region,
            "AWS_ACCESS_KEY_ID": name.account,
            "AWS_SECRET_ACCESS_KEY": "function",
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": name.name,
            "AWS_LAMBDA_FUNCTION_VERSION": invocation.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(code.memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": invocation.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": invocation.log_stream,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{code.runtime}",
            "LAMBDA_TASK_ROOT": str(code.folder),
            "LAMBDA_RUNTIME_DIR": str(_HERE),
            "_HANDLER": code.handler,
        }

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def invoke(self, invocation: Invocation) -> tuple[Outcome, bool]:
        """The outcome of an invocation, and whether the process may be used again."""
        with self._lock:
            self._lines = invocation.lines
        self._end_of_log.clear()
        ended = self._start()
        if ended is None:
            invocation.started = time.monotonic()
            self._api.give(self._headers(invocation), invocation.payload or b"{}")
            ended = self._wait(invocation.timeout / 1_000)
        outcome, is_usable = self._outcome(invocation, ended)
        if self._marks_end or not is_usable:
            self._end_of_log.wait(LOG_SECONDS)
        else:
            time.sleep(0.01)
        with self._lock:
            self._lines = None
        self.used_at = time.monotonic()
        return outcome, is_usable

    def _start(self) -> Ended | None:
        """Waits until the code is loaded; how that failed, if it did."""
        until = time.monotonic() + INIT_SECONDS
        while not self._api.asked.wait(0.05):
            if not self._api.ended.empty():
                return self._api.ended.get()
            if not self.is_alive():
                return Ended("exit", b"")
            if time.monotonic() > until:
                return Ended("late", b"")
        return None

    def _headers(self, invocation: Invocation) -> dict[str, str]:
        deadline = int(time.time() * 1_000) + invocation.timeout
        trace = f"Root=1-{int(time.time()):08x}-{invocation.request_id.replace('-', '')[:24]}"
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
            "Lambda-Runtime-Trace-Id": f"{trace};Sampled=0",
        }
        if invocation.client_context is not None:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        return headers

    def _wait(self, seconds: float) -> Ended:
        from queue import Empty

        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            try:
                # A process that dies says nothing: it is looked at, too.
                return self._api.ended.get(timeout=max(0.0, min(left, 0.1)))
            except Empty:
                if not self.is_alive():
                    return Ended("exit", b"")
                if left <= 0:
                    return Ended("late", b"")

    def _outcome(self, invocation: Invocation, ended: Ended) -> tuple[Outcome, bool]:
        if ended.how == "late":
            self.kill()
            return timed_out(invocation), False
        if ended.how == "exit":
            status = self._process.wait()
            self.kill()
            text = f"RequestId: {invocation.request_id} Error: Runtime exited with error: "
            text += f"exit status {status}" if status >= 0 else f"signal: {_signal(-status)}"
            return failure("Runtime.ExitError", text), False
        if ended.how == "init":
            self.kill()
            return Outcome(ended.body, "Unhandled"), False
        if len(ended.body) > RESPONSE_BYTES_MAX:
            text = f"Response payload size exceeded maximum ({RESPONSE_BYTES_MAX} bytes)."
            return failure("Function.ResponseSizeTooLarge", text), True
        return Outcome(ended.body, None if ended.how == "response" else "Unhandled"), True

    def _read_log(self) -> None:
        log = self._process.stdout
        assert log is not None
        # A line without an end must not fill our memory: it is read in pieces.
        while raw := log.readline(LOG_LINE_CHARS_MAX):
            line = raw.decode("utf-8", "replace").rstrip("\n")
            # What was printed without a line's end stands before the mark.
            is_end = line.endswith(END_OF_LOG)
            line = line.removesuffix(END_OF_LOG)
            if line or not is_end:
                with self._lock:
                    if self._lines is not None:
                        self._lines.keep(line)
            if is_end:
                self._end_of_log.set()
        log.close()
        self._end_of_log.set()

    def kill(self) -> None:
        """Ends the process with all that it started."""
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            # The code has stopped its supervisor, for example.
            end_all(self._process.pid)
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._api.close()


def command_of(code: Code) -> list[str]:
    """The command that starts the runtime; raises UnsupportedRuntimeError."""
    kind = code.runtime
    # The limit is for data: what a runtime maps and never touches costs nothing.
    supervised = [sys.executable, "-I", "-S", str(_HERE / "supervisor.py")]
    limited = [*supervised, str(code.memory * 1_048_576)]
    if kind.startswith("python"):
        if find_spec("awslambdaric") is not None:
            return [*limited, sys.executable, "-m", "awslambdaric", code.handler]
        return [*limited, sys.executable, str(_HERE / "bootstrap.py")]
    if kind.startswith("nodejs"):
        node = shutil.which("node")
        if node is None:
            raise UnsupportedRuntimeError(f"The runtime {kind} needs node, which is not installed.")
        heap = f"--max-old-space-size={code.memory}"
        return [*supervised, "0", node, heap, str(_HERE / "bootstrap.cjs")]
    if kind.startswith("provided"):
        return [*limited, str(code.folder / "bootstrap")]
    raise UnsupportedRuntimeError(
        f"The runtime {kind} is not run here. There are: python, nodejs and provided."
    )


def _signal(number: int) -> str:
    names = {9: "killed", 11: "segmentation fault", 6: "aborted", 15: "terminated"}
    return names.get(number, str(number))
