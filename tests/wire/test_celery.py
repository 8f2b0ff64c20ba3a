"""celery, over kombu's SQS transport, against `trunkline serve`."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("celery")
pytest.importorskip("boto3")

APP = r"""
import os
from celery import Celery

address = os.environ["AWS_ENDPOINT_URL"]
app = Celery("shop", broker="sqs://test:test@" + address.split("://")[1])
app.conf.update(
    broker_transport_options={
        "region": "us-east-1",
        "is_secure": False,
        "visibility_timeout": 30,
        "polling_interval": 0.1,
        "wait_time_seconds": 1,
    },
    task_default_queue="shop",
    task_acks_late=True,
    broker_connection_retry_on_startup=True,
    worker_enable_remote_control=False,
)


@app.task(bind=True, max_retries=2, default_retry_delay=0)
def total(self, items, path):
    if "again" in items and not self.request.retries:
        raise self.retry(countdown=0)
    with open(path, "a", encoding="utf-8") as done:
        print(len(items), file=done)
"""


def environment(url, folder):
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    known = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
    }
    return plain | known


def wait_for(path, count, process, seconds=180):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= count:
            return sorted(lines)
        assert process.poll() is None, "the worker ended"
        time.sleep(0.05)
    raise AssertionError(f"{len(lines)} of {count} tasks ran within {seconds} s")


def test_a_celery_app_sends_works_and_retries(tmp_path, server, engine):
    (tmp_path / "shop.py").write_text(APP)
    done = tmp_path / "done"
    env = environment(server.url, tmp_path)
    send = (
        "import shop\n"
        f"for n in range(1, 10): shop.total.delay(['a'] * n, {str(done)!r})\n"
        f"shop.total.delay(['again'] * 10, {str(done)!r})\n"
    )
    subprocess.run([sys.executable, "-c", send], env=env, cwd=tmp_path, check=True, timeout=180)
    assert engine.queue("shop").statistics().total == 10
    body = json.loads(base64.b64decode(engine.queue("shop").peek(1)[0].body))
    assert body["headers"]["task"] == "shop.total"

    command = [sys.executable, "-m", "celery", "-A", "shop", "worker", "--pool", "solo"]
    command += ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, env=env, cwd=tmp_path, stdout=log, stderr=log) as worker,
    ):
        try:
            assert wait_for(done, 10, worker) == sorted(map(str, range(1, 11)))
        except AssertionError:
            print((tmp_path / "log").read_text())
            raise
        finally:
            worker.send_signal(signal.SIGTERM)
            try:
                worker.wait(60)
            except subprocess.TimeoutExpired:
                worker.kill()
    assert engine.queue("shop").statistics().total == 0
