"""Servers of streams that a Python program would use instead: Redis and NATS, in batches of 500.

Each is started for its row alone, from PATH, on this machine.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any

from trunkline.bench.contest import NotInstalled, Run
from trunkline.bench.peers import scratch

BATCH = 500
START_SECONDS = 10


@contextmanager
def redis(body: bytes, records: int, base: Path | None = None) -> Iterator[Run]:
    """XADD in pipelines of 500: in memory, or with `base` on a disk, synced before each answer."""
    try:
        import redis as client
    except ImportError:
        raise NotInstalled("the package redis") from None
    server = _server("redis-server")
    with scratch(base or Path.cwd()) as folder:
        place = str((folder / "redis").resolve())
        command = [server, "--port", "0", "--unixsocket", place, "--save", ""]
        command += ["--dir", str(folder.resolve()), "--appendonly", "yes" if base else "no"]
        with _running([*command, "--appendfsync", "always"]):
            connection = client.Redis(unix_socket_path=place)
            _wait_for(connection.ping, client.ConnectionError)

            def run() -> float:
                started = perf_counter()
                for _ in range(records // BATCH):
                    pipeline = connection.pipeline(transaction=False)
                    for _ in range(BATCH):
                        pipeline.xadd("bench", {"user-1": body})
                    pipeline.execute()
                seconds = (perf_counter() - started) / records
                connection.delete("bench")
                return seconds

            yield run


@contextmanager
def nats(body: bytes, records: int, base: Path) -> Iterator[Run]:
    """Publishes of 500 at a time into a JetStream on a disk, each synced, all answered."""
    import asyncio

    try:
        import nats as client
    except ImportError:
        raise NotInstalled("the package nats-py") from None
    server = _server("nats-server")
    with scratch(base) as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        settings = folder / "nats.conf"
        kept = f'store_dir: "{folder.resolve()}", sync_interval: always'
        settings.write_text(f"port: {port}\njetstream {{ {kept} }}\n", encoding="utf-8")
        with _running([server, "-c", str(settings)]), asyncio.Runner() as runner:
            where = ("127.0.0.1", port)
            _wait_for(lambda: socket.create_connection(where).close(), ConnectionError)
            connection = runner.run(client.connect(f"nats://127.0.0.1:{port}"))
            stream = connection.jetstream()
            runner.run(stream.add_stream(name="bench", subjects=["bench"]))

            async def publish() -> None:
                for _ in range(records // BATCH):
                    await asyncio.gather(*(stream.publish("bench", body) for _ in range(BATCH)))

            def run() -> float:
                started = perf_counter()
                runner.run(publish())
                seconds = (perf_counter() - started) / records
                runner.run(stream.purge_stream("bench"))
                return seconds

            yield run
            runner.run(connection.close())


def _server(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NotInstalled(f"{name}, which is looked for in PATH,")
    return found


@contextmanager
def _running(command: Sequence[str]) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(START_SECONDS)
        process.kill()
        process.wait()


def _wait_for(ping: Callable[[], Any], refused: type[Exception]) -> None:
    end = monotonic() + START_SECONDS
    while True:
        try:
            ping()
        except refused:
            if monotonic() > end:
                raise
            sleep(0.05)
        else:
            return
