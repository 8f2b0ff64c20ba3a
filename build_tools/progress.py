"""Runs a long command and says how far it is.

    python build_tools/progress.py --log build.log "building the release" -- cargo build --release

The command's output goes to the log. Every ten seconds a line tells the time that has passed and
the last line of the output. The whole log is printed if the command fails.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

INTERVAL_SECONDS = 10.0
POLL_SECONDS = 0.1


def last_line(log: Path) -> str:
    """The last line of the log that says something."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "started")


def run(command: list[str], name: str, log: Path) -> int:
    """Run the command to its end; its status."""
    start = time.monotonic()
    next_report = start + INTERVAL_SECONDS
    print(f"{name}; the log is {log}", flush=True)
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    while process.poll() is None:
        time.sleep(POLL_SECONDS)
        if time.monotonic() >= next_report:
            next_report += INTERVAL_SECONDS
            print(f"  {time.monotonic() - start:4.0f} s  {last_line(log)}", flush=True)
    if process.returncode:
        sys.stdout.write(log.read_text(encoding="utf-8", errors="replace"))
    print(f"  {time.monotonic() - start:4.0f} s  {'failed' if process.returncode else 'done'}")
    return process.returncode


def main() -> int:
    """Parse the arguments and run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--log", type=Path, required=True, help="where the output goes")
    parser.add_argument("name", help="what is being done, in words")
    parser.add_argument("command", nargs="+", help="the command, after --")
    options = parser.parse_args()
    return run(options.command, options.name, options.log)


if __name__ == "__main__":
    sys.exit(main())
