"""Runs a Python handler in a process of its own: fetches invocations from the Lambda runtime API.

It is started with this file's path and imports nothing of Trunkline.
"""

from __future__ import annotations

import http.client
import importlib
import json
import logging
import os
import sys
import threading
import time
import traceback
from typing import Any

_API = "/2018-06-01/runtime"
END_OF_LOG = "\x00end of log\x00"
"""Written to the log when an invocation has ended, so that its lines are told from the next's."""


class Context:
    """The context of one invocation."""

    def __init__(self, headers: Any) -> None:
        env = os.environ
        self.aws_request_id: str = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn: str = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name: str = env["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version: str = env["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb: str = env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name: str = env["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name: str = env["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity: None = None
        self.client_context: _ClientContext | None = _client_context(
            headers.get("Lambda-Runtime-Client-Context")
        )
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until the invocation times out."""
        return max(0, self._deadline - int(time.time() * 1_000))

    def log(self, message: object) -> None:
        """Writes a line to the log."""
        sys.stdout.write(f"{message}\n")


class _ClientContext:
    def __init__(self, told: dict[str, Any]) -> None:
        self.custom: Any = told.get("custom")
        self.env: Any = told.get("env")
        self.client: Any = told.get("client")


def _client_context(text: str | None) -> _ClientContext | None:
    return None if not text else _ClientContext(json.loads(text))


def failure(error: BaseException, request: str, skip: int) -> dict[str, Any]:
    """An exception in Lambda's shape, without the outermost frames, which are ours."""
    frames = error.__traceback__
    for _ in range(skip):
        frames = frames and frames.tb_next
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request,
        # As on AWS, where the code is; the folder here is a new one each time.
        "stackTrace": [
            line.replace(f'"{os.environ["LAMBDA_TASK_ROOT"]}/', '"/var/task/')
            for line in traceback.format_list(traceback.extract_tb(frames))
        ],
    }


def _end_with_parent() -> None:
    """The server holds the other end of our input, also when it is killed."""
    while sys.stdin.buffer.read(4_096):
        pass
    os._exit(1)


def _load(name: str) -> Any:
    module, _, function = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module.replace("/", ".")), function)
    except ModuleNotFoundError as error:
        raise ImportError(f"Unable to import module '{module}': {error}") from None
    except AttributeError:
        raise AttributeError(f"Handler '{function}' missing on module '{module}'") from None


def _call(handler: Any, payload: bytes, context: Context) -> tuple[str, bytes]:
    try:
        result = handler(json.loads(payload or b"{}"), context)
    except BaseException as error:
        told = failure(error, context.aws_request_id, 1)
        return "error", json.dumps(told).encode()
    try:
        return "response", json.dumps(result, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        told = {
            "errorMessage": f"Unable to marshal response: {error}",
            "errorType": "Runtime.MarshalError",
            "requestId": context.aws_request_id,
            "stackTrace": [],
        }
        return "error", json.dumps(told).encode()


def _post(api: http.client.HTTPConnection, path: str, body: bytes) -> None:
    print(END_OF_LOG)
    sys.stdout.flush()
    sys.stderr.flush()
    api.request("POST", f"{_API}/{path}", body, {"Content-Type": "application/json"})
    api.getresponse().read()


def main() -> None:
    """Answers invocations until the process is ended."""
    # A line of the log is told from the next by its end, also when it is written in parts.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # The folder of this file is no place for the modules of functions.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    logging.basicConfig(stream=sys.stdout, format="[%(levelname)s]\t%(message)s")
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = _load(os.environ["_HANDLER"])
    except BaseException as error:
        told = failure(error, "", 2)
        if isinstance(error, ImportError):
            told["errorType"] = "Runtime.ImportModuleError"
        elif isinstance(error, AttributeError):
            told["errorType"] = "Runtime.HandlerNotFound"
        _post(api, "init/error", json.dumps(told).encode())
        sys.exit(1)
    while True:
        api.request("GET", f"{_API}/invocation/next")
        answer = api.getresponse()
        payload = answer.read()
        context = Context(answer.headers)
        how, body = _call(handler, payload, context)
        _post(api, f"invocation/{context.aws_request_id}/{how}", body)


if __name__ == "__main__":
    main()
