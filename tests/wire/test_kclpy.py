"""The Python KCL against a server: `make wire-kcl` brings it.

Java's MultiLangDaemon reads the stream and keeps the leases, in moto's DynamoDB; a Python process
of `amazon_kclpy` for each shard gets the records over a pipe.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from test_kcl import PATIENCE, clicks, is_in_order, put, store, until

PACKAGE = os.environ.get("TRUNKLINE_KCLPY")
"""The folder with the package `amazon_kclpy` and the daemon's jars, from `make wire-kcl`."""
PROCESSOR = Path(__file__).parent / "sdks" / "kcl" / "processor.py"
MAIN = "software.amazon.kinesis.multilang.MultiLangDaemon"

pytestmark = pytest.mark.skipif(
    PACKAGE is None, reason="the Python KCL is not there; `make wire-kcl` brings it"
)

__all__ = ["clicks", "store"]


class Daemon:
    """A daemon with its processes, and what these said."""

    def __init__(self, folder: Path, kinesis: str, dynamodb: str) -> None:
        self.said = folder / "said"
        self.said.touch()
        self._log = (folder / "log").open("wb")
        properties = {
            "executableName": f"{sys.executable} {PROCESSOR} {self.said}",
            "streamName": "clicks",
            "applicationName": "python-counter",
            "AwsCredentialsProvider": "DefaultCredentialsProvider",
            "processingLanguage": "python/3",
            "initialPositionInStream": "TRIM_HORIZON",
            "regionName": "us-east-1",
            "metricsLevel": "NONE",
            "retrievalMode": "POLLING",
            "idleTimeBetweenReadsInMillis": "250",
            "shardSyncIntervalMillis": "2000",
            "shutdownGraceMillis": "30000",
        }
        file = folder / "daemon.properties"
        file.write_text("".join(f"{name} = {value}\n" for name, value in properties.items()))
        environment = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_KINESIS": kinesis,
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb,
            "AWS_ENDPOINT_URL_CLOUDWATCH": dynamodb,
            "PYTHONPATH": str(PACKAGE),
        }
        jars = f"{PACKAGE}/amazon_kclpy/jars/*"
        self._process = subprocess.Popen(
            ["java", "-Xmx256m", "-cp", jars, MAIN, "--properties-file", str(file)],
            env={**os.environ, **environment},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            # Its processes end with it.
            start_new_session=True,
        )

    def heard(self, word: str) -> list[list[str]]:
        """What followed a word, each time that it was said."""
        lines = [line.split() for line in self.said.read_text().splitlines()]
        return [line[1:] for line in lines if line and line[0] == word]

    @property
    def data(self) -> list[str]:
        return [words[2] for words in self.heard("record")]

    def has(self, data: list[str]) -> None:
        until(lambda: set(data) <= set(self.data), self.told)

    def told(self) -> str:
        """The end of what the daemon and its processes wrote."""
        log = Path(self._log.name).read_text(errors="replace")
        return self.said.read_text()[-2_000:] + log[-6_000:]

    def stop(self) -> None:
        """Ends the daemon in order: its processes checkpoint."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=PATIENCE)

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()


@pytest.fixture
def start(server, store, tmp_path):
    started: list[Daemon] = []

    def started_one() -> Daemon:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Daemon(folder, server.url, store))
        return started[-1]

    yield started_one
    for daemon in started:
        daemon.kill()


def test_a_python_worker_goes_on_at_its_checkpoint_and_follows_a_split(start, clicks):
    first = put(clicks, 0, 300)
    daemon = start()
    daemon.has(first)
    daemon.stop()
    assert set(daemon.data) == set(first)
    assert {words[0] for words in daemon.heard("begins")} == {s.id for s in clicks.shards()}

    parents = [shard.id for shard in clicks.shards()]
    second = put(clicks, 300, 400)
    low, high = clicks.split(parents[0])
    third = put(clicks, 400, 600)
    again = start()
    again.has(second + third)
    until(lambda: again.heard("ended") == [[parents[0]]], again.told)
    again.stop()
    assert set(again.data) == {*second, *third}
    assert {words[0] for words in again.heard("begins")} == {*parents, low, high}
    assert is_in_order(daemon.heard("record") + again.heard("record"))
    assert not daemon.heard("failed")
    assert not again.heard("failed")
