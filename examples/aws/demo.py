"""The part of `make demo` that speaks AWS: boto3 against `trunkline serve`, and in the process.

    python examples/aws/demo.py

Starts a server on a folder, runs the programs beside this file against it with nothing but the
usual variables of AWS in the environment, stops it, and runs the same programs in the process.
The process exits with an error when any of them fails or says something else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
EXPECTED = {
    "orders.py": "25 orders: 8 by phone, 8 by shop, 9 by web\n",
    "checkout.py": "24 sends, 12 steps handled, 4 of 4 carts in order\n",
    "redrive.py": "2 handled, 2 dead letters, 2 moved back, 2 handled then\n",
    "order_events.py": "3 events put, 1 received: Order Paid 2\n",
    "order_topic.py": 'kitchen: {"total": 200}, {"total": 5}\n'
    'billing: {"total": 200}\n'
    'audit: {"total": 200}, {"total": 200}, {"total": 5}\n',
    "order_saga.py": "tea SUCCEEDED, coffee FAILED by Rejected, 2 undone\n",
}
# Slow machines need long to start an interpreter and boto3.
SECONDS_MAX = 60


def run(name: str, environment: dict[str, str], expected: str) -> float:
    """Runs a program and checks what it prints; says how long that took."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(HERE / name)],
        env=environment,
        stdout=subprocess.PIPE,
        timeout=SECONDS_MAX,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - started
    if done.stdout != expected:
        raise SystemExit(f"{name} said {done.stdout!r}, not {expected!r}")
    return seconds


def environment(**added: str) -> dict[str, str]:
    """The environment without any configuration of AWS but this."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # No profile of the user's may speak up, and nothing may be asked of a network.
    nowhere = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return plain | nowhere | added


def against_the_server(folder: str) -> None:
    """A server in a process of its own, and boto3 in others."""
    command = [sys.executable, "-m", "trunkline", "serve", "--port", "0", "--log", "json"]
    started = time.perf_counter()
    command += ["--data", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            up_ms = (time.perf_counter() - started) * 1_000
            print(f"9. boto3 against trunkline serve, up after {up_ms:.0f} ms, durable")
            run_all(url)
            server.terminate()
            if server.wait(SECONDS_MAX) != 0:
                raise SystemExit("the server did not stop in order")
        finally:
            server.kill()


def run_all(url: str) -> None:
    """Every program, with what a user would set and nothing else."""
    known = environment(
        AWS_ENDPOINT_URL=url,
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION="us-east-1",
    )
    for name, expected in EXPECTED.items():
        seconds = run(name, known, expected)
        print(f"   {name:<15} {seconds:5.1f} s   {expected.strip()}")


def main() -> None:
    """Both ways, one after the other."""
    with tempfile.TemporaryDirectory(prefix="trunkline-aws-") as folder:
        against_the_server(folder)
    print("10. the same programs against an engine in the process")
    seconds = run("in_process.py", environment(), "".join(EXPECTED.values()))
    print(f"   {'all of them':<15} {seconds:5.1f} s   the same answers")


if __name__ == "__main__":
    main()
