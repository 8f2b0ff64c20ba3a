"""The servers that are measured: how each is started, found ready, weighed and stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 15.0
TICKS = os.sysconf("SC_CLK_TCK")
QUEUE = "bench"


def signed(service: str) -> dict[str, str]:
    """What names the service and the region of a request that is not checked."""
    scope = f"test/20260101/us-east-1/{service}/aws4_request"
    return {
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, "
        "SignedHeaders=host;x-amz-date, Signature=00",
    }


def free_port() -> int:
    """A port that no server listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Unproven(RuntimeError):
    """A server did not do the work of a row, so its rate would say nothing."""


@dataclass
class Server:
    """A server as a child process; `{port}` in its command is filled in.

    Between turns it is emptied: by a POST to the path `reset`, or, if it `deletes`, by removing the
    queue. The null echo holds nothing.
    """

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    reset: str = ""
    deletes: bool = False
    port: int = field(default_factory=free_port)
    started_in: float = 0.0

    def __enter__(self) -> Server:
        words = [word.format(port=self.port) for word in self.command]
        values = {name: value.format(port=self.port) for name, value in self.environment.items()}
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            words,
            env=os.environ | values,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._await_answer(begun)
        except BaseException:
            self.__exit__()
            raise
        self.started_in = time.perf_counter() - begun
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _await_answer(self, begun: float) -> None:
        while True:
            try:
                self.call("ListQueues", {})
                return
            except urllib.error.HTTPError:
                return
            except (OSError, ValueError):
                if self.process.poll() is not None:
                    raise RuntimeError(f"{self.name} ended before it answered") from None
                if time.perf_counter() - begun > START_SECONDS_MAX:
                    raise RuntimeError(f"{self.name} does not answer") from None
                time.sleep(0.002)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def call(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """One operation of SQS, answered."""
        return self._ask("sqs", f"AmazonSQS.{operation}", "1.0", body)

    def ask_events(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """One operation of EventBridge, answered."""
        return self._ask("events", f"AWSEvents.{operation}", "1.1", body)

    def ask_kinesis(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """One operation of Kinesis, answered."""
        return self._ask("kinesis", f"Kinesis_20131202.{operation}", "1.1", body)

    def ask_states(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """One operation of Step Functions, answered."""
        return self._ask("states", f"AWSStepFunctions.{operation}", "1.0", body)

    def _ask(self, service: str, target: str, version: str, body: dict[str, Any]) -> dict[str, Any]:
        kind = {"X-Amz-Target": target, "Content-Type": f"application/x-amz-json-{version}"}
        answer = self._post(json.dumps(body).encode(), signed(service) | kind)
        read: dict[str, Any] = json.loads(answer or b"{}")
        return read

    def ask_sns(self, operation: str, fields: dict[str, str], wanted: str) -> str:
        """One operation of SNS, and the text of an element of its answer."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        form = {"Action": operation, "Version": "2010-03-31"} | fields
        body = urllib.parse.urlencode(form).encode()
        answer = self._post(body, signed("sns") | kind).decode()
        _, _, rest = answer.partition(f"<{wanted}>")
        return rest.partition("<")[0]

    def _post(self, body: bytes, headers: dict[str, str]) -> bytes:
        request = urllib.request.Request(f"http://{self.address}/", body, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            read: bytes = answer.read()
            return read

    def renew(self) -> None:
        """Throws everything away: a queue may be purged once a minute only."""
        if self.reset:
            request = urllib.request.Request(f"http://{self.address}{self.reset}", b"")
            with urllib.request.urlopen(request, timeout=30) as answer:
                answer.read()
        if self.deletes:
            try:
                url = self.call("GetQueueUrl", {"QueueName": QUEUE})["QueueUrl"]
            except urllib.error.HTTPError:
                return  # There is no queue yet.
            self.call("DeleteQueue", {"QueueUrl": url})

    def cpu_seconds(self) -> float:
        """What the process has used of the processor so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mib(self) -> float:
        """What the process holds of the machine's memory."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0


def ours(*options: str) -> Server:
    """`trunkline serve`."""
    command = [sys.executable, "-m", "trunkline", "serve", "--port", "{port}", *options]
    return Server("trunkline", command, reset="/_trunkline/reset")


def echo(load: Path, answer_bytes: int) -> Server:
    """The null echo."""
    return Server("null echo", [str(load), "echo", "{port}", str(answer_bytes)])
