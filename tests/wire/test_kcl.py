"""The Java Kinesis Client Library against a server: `make wire-kcl` brings and builds it.

The library keeps its leases in DynamoDB; moto's server stands in for it. Everything of Kinesis is
answered by Trunkline. The library's metrics for CloudWatch are off.
"""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable
from urllib.request import Request, urlopen

import pytest

JARS = os.environ.get("TRUNKLINE_KCL")
"""The class path of the worker, from `make wire-kcl`."""

pytestmark = pytest.mark.skipif(
    JARS is None, reason="the Kinesis Client Library is not there; `make wire-kcl` brings it"
)
PATIENCE = 300.0
"""How many seconds a worker may take: it waits for leases, and for a random time at its start."""


class Worker:
    """A process of the library, and what it said so far."""

    def __init__(self, kinesis: str, store: str, name: str, mode: str) -> None:
        self.name = name
        self.said: list[list[str]] = []
        self._lines: queue.Queue[str] = queue.Queue()
        self._process = subprocess.Popen(
            [
                "java",
                "-Xmx256m",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp",
                str(JARS),
                *("Worker", kinesis, store, "clicks", "counter", name, mode),
            ],
            env={
                **os.environ,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_REGION": "us-east-1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def look(self) -> None:
        while not self._lines.empty():
            self.said.append(self._lines.get().split())

    def heard(self, word: str) -> list[list[str]]:
        """What followed a word, each time that it was said."""
        self.look()
        return [line[1:] for line in self.said if line[0] == word]

    @property
    def data(self) -> list[str]:
        return [words[2] for words in self.heard("record")]

    def stop(self) -> None:
        """Ends the worker in order: it hands its leases over and checkpoints."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(timeout=PATIENCE) == 0
        self._reader.join(timeout=PATIENCE)
        assert self.heard("stopped") == [["true"]]

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def until(is_so: Callable[[], bool], what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, what()
        time.sleep(0.05)


@pytest.fixture
def store():
    moto_server = pytest.importorskip("moto.server")
    # It would tell of every request.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    stand_in = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    stand_in.start()
    host, port = stand_in.get_host_and_port()
    url = f"http://{host}:{port}"
    # What an earlier server of the process held is in this one too.
    urlopen(Request(f"{url}/moto-api/reset", method="POST")).close()
    yield url
    stand_in.stop()


@pytest.fixture
def start(server, store):
    started: list[Worker] = []

    def started_one(name: str, mode: str) -> Worker:
        started.append(Worker(server.url, store, name, mode))
        return started[-1]

    yield started_one
    for worker in started:
        worker.kill()


@pytest.fixture
def clicks(engine):
    return engine.stream("clicks", shards=3)


def put(stream, begin: int, end: int) -> list[str]:
    """Puts numbered records of 17 users; gives back their data."""
    clicks = [f"click-{at}" for at in range(begin, end)]
    stream.put_batch([(f"user-{at % 17}", click) for at, click in enumerate(clicks)])
    return clicks


def wait_for(worker: Worker, data: list[str]) -> None:
    until(lambda: set(data) <= set(worker.data), lambda: worker.said)


def is_in_order(records: list[list[str]]) -> bool:
    """Tells whether each key's records came first in the order of their sequence numbers."""
    seen: dict[str, list[int]] = {}
    for _shard, key, _data, number in records:
        numbers = seen.setdefault(key, [])
        if int(number) not in numbers:
            numbers.append(int(number))
    return all(numbers == sorted(numbers) for numbers in seen.values())


@pytest.mark.parametrize("mode", ["polling", "fan-out"])
def test_a_worker_goes_on_at_its_checkpoint_and_follows_a_split_and_a_merge(start, clicks, mode):
    first = put(clicks, 0, 500)
    worker = start("one", mode)
    wait_for(worker, first)
    worker.stop()
    assert set(worker.data) == set(first)
    assert {words[0] for words in worker.heard("begins")} == {s.id for s in clicks.shards()}

    second = put(clicks, 500, 800)
    parents = [shard.id for shard in clicks.shards()]
    low, high = clicks.split(parents[0])
    merged = clicks.merge(parents[1], parents[2])
    third = put(clicks, 800, 1_100)
    again = start("two", mode)
    wait_for(again, second + third)
    until(lambda: len(again.heard("ended")) == 3, lambda: again.said)
    fourth = put(clicks, 1_100, 1_200)
    wait_for(again, fourth)
    again.stop()
    # What was checkpointed does not come again; the library may repeat what was not.
    assert set(again.data) == {*second, *third, *fourth}
    assert {words[0] for words in again.heard("ended")} == set(parents)
    assert {words[0] for words in again.heard("begins")} == {*parents, low, high, merged}
    assert is_in_order(worker.heard("record") + again.heard("record"))
    assert not worker.heard("failed")
    assert not again.heard("failed")


def test_a_second_worker_takes_over_from_a_killed_one(start, clicks):
    first = put(clicks, 0, 200)
    killed = start("one", "polling")
    wait_for(killed, first)
    # moto fails where two workers make their tables at once: the second one comes later.
    stays = start("two", "polling")
    second = put(clicks, 200, 300)
    until(
        lambda: {*first, *second} <= {*killed.data, *stays.data},
        lambda: (killed.said, stays.said),
    )
    killed.kill()
    third = put(clicks, 300, 500)
    wait_for(stays, third)
    assert {words[0] for words in stays.heard("begins")} == {s.id for s in clicks.shards()}
