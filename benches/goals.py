"""`make bench-goals`: every row that has a goal, and whether it is met.

    python -m benches.goals [--depth N] [--rounds N] [--only PART] [--note TEXT]

PART is one of python, core, patterns, wire. The rows are those of `make bench`, `make
bench-patterns` and `make bench-wire`, held against the goals that stand beside them in the code.
Writes benches/records/DATE-COMMIT-goals.md. A goal that is missed does not fail the run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benches.patterns.run import binary as pattern_binary
from benches.run import RECORDS, ROOT, machine
from trunkline.bench.losses import reason

DEPTH = 10_000_000
PATTERN_LINES = 20_000
TIMES = re.compile(
    r"^(?P<row>.+?) +[\d.]+ ns  (?P<peer>.+?) +[\d.]+ ns  (?P<ratio>[\d.]+)x its time"
)
BYTES = re.compile(r"^(?P<row>disk, 1,000 x 1 KiB): .*: (?P<ratio>[\d.]+)x$")
CORE = {
    "memory: send, receive, delete, 100 B": 3.0,
    "memory: publish to one queue, raw": 1.5,
    "memory: publish to one queue, envelope": 1.5,
    "memory: publish to 1,000 queues, 1 KiB": 0.35,
    "disk, 1,000 x 1 KiB": 0.2,
}
"""Rows of the core, and their greatest time or size as a multiple of the peer's."""
PATTERNS = {"exact, three fields": 2.0}
"""Kinds of rules, and the greatest time of the largest set as a multiple of a small one."""
PATTERN_BASE = 100
HEAD = "| part | row | peer | ratio | goal | |\n|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Goal:
    """One row with a goal."""

    part: str
    row: str
    peer: str
    ratio: float
    wanted: float
    is_most: bool = False
    """Whether the ratio may be at most what is wanted, not at least."""
    why: str | None = None
    """Why it is missed where it is, if there is a physical reason."""

    @property
    def is_met(self) -> bool:
        """Whether the goal is met."""
        return self.ratio <= self.wanted if self.is_most else self.ratio >= self.wanted

    def shown(self) -> str:
        """A line of the table."""
        sign, verdict = ("<=" if self.is_most else ">="), ("met" if self.is_met else "MISSED")
        ratio, wanted = f"{self.ratio:.2f}x", f"{sign} {self.wanted:.2f}x"
        return f"| {self.part} | {self.row} | {self.peer} | {ratio} | {wanted} | {verdict} |"


def of_python(options: argparse.Namespace) -> Iterator[Goal]:
    """The rows of `trunkline bench`."""
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as folder:
        file = Path(folder) / "figures.json"
        command = [sys.executable, "-m", "trunkline", "bench", "--json", str(file)]
        command += ["--depth", str(options.depth), "--rounds", str(options.rounds)]
        subprocess.run([*command, "--folder", folder], check=True, stdout=subprocess.DEVNULL)
        for one in json.loads(file.read_text(encoding="utf-8"))["figures"]:
            if one["at_least"] is not None:
                title = f"{one['title']}, {one['payload']}, {one['durability']}"
                why = reason(one["contest"], one["peer"])
                yield Goal("python", title, one["peer"], one["ratio"], one["at_least"], why=why)


def of_core(_: argparse.Namespace) -> Iterator[Goal]:
    """The rows of the core's benchmarks that have a goal."""
    command = ["cargo", "bench", "--quiet", "-p", "trunkline-engine", "--bench", "queues", "--"]
    command += ["cycle", "publish", "fan_out"]
    printed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    for line in printed.stdout.splitlines():
        found = TIMES.match(line) or BYTES.match(line)
        if found and found["row"] in CORE:
            peer = found.groupdict().get("peer") or "a batch"
            row, ratio = found["row"], float(found["ratio"])
            yield Goal("core", row, peer, ratio, CORE[row], is_most=True)


def of_patterns(_: argparse.Namespace) -> Iterator[Goal]:
    """Rule sets of a million rules beside small ones of the same kind."""
    for kind, wanted in PATTERNS.items():
        command = [
            str(pattern_binary()),
            "--lines",
            str(PATTERN_LINES),
            "--only",
            kind,
            "--in-turns",
        ]
        printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        rows = map(json.loads, printed.splitlines())
        times = {row["rules"]: row["plain"]["us"] for row in rows}
        turns = zip(times[max(times)], times[PATTERN_BASE], strict=True)
        name, ratio = f"{max(times):,} rules, {kind}", median(most / few for most, few in turns)
        yield Goal("patterns", name, f"{PATTERN_BASE} rules", ratio, wanted, is_most=True)


def of_wire(options: argparse.Namespace) -> Iterator[Goal]:
    """The rows of SNS, EventBridge, Kinesis and Step Functions over the wire."""
    from benches.wire import executions, routing, rows, streams
    from benches.wire.peers import peers
    from benches.wire.run import binary

    load = rows.Load(binary(options.load), 1.0, max(options.rounds // 2, 3))
    there = [peer.server for peer in peers() if peer.name in routing.ROUTERS and peer.server]
    with ExitStack() as stack:
        started = [stack.enter_context(server) for server in there]
        for part in (routing, streams, executions):
            for row in part.contests(load, started, "", options.is_quick):
                if row.goal is not None:
                    yield Goal("wire", row.name, row.peer, row.ratio, row.goal)


PARTS = {"python": of_python, "core": of_core, "patterns": of_patterns, "wire": of_wire}


def main() -> None:
    """Measures the parts that are asked for, prints the table and writes it."""
    parser = argparse.ArgumentParser(prog="make bench-goals", description=__doc__)
    add = parser.add_argument
    add("--only", choices=PARTS, action="append", help="a part; repeatable")
    add("--depth", type=int, default=DEPTH, help=f"of `trunkline bench` (default {DEPTH:,})")
    add("--rounds", type=int, default=7, help="rounds of a row")
    add("--load", help="the load generator, if it is built already")
    add("--quick", dest="is_quick", action="store_true", help="leave out the longest rows")
    add("--note", default="nothing else ran on purpose")
    options = parser.parse_args()
    (ROOT / "target").mkdir(exist_ok=True)
    at, before = time.gmtime(), os.getloadavg()[0]
    print(HEAD)
    goals: list[Goal] = []
    for part in options.only or PARTS:
        for goal in PARTS[part](options):
            print(goal.shown(), flush=True)
            goals.append(goal)
        keep(goals, at, before, options.note)


def keep(goals: list[Goal], at: time.struct_time, before: float, note: str) -> None:
    """Writes the record of what was measured so far, so that a later part cannot lose it."""
    missed = [goal for goal in goals if not goal.is_met]
    counts = f"{len(goals) - len(missed)} of {len(goals)} goals are met, {len(missed)} are missed."
    facts = "\n".join(f"- {name}: {value}".rstrip() for name, value in machine().items())
    load = f"- load before and after: {before:.1f}, {os.getloadavg()[0]:.1f}"
    table = "\n".join([HEAD, *(goal.shown() for goal in goals)])
    whys = "".join(f"\n- {goal.row}, beside {goal.peer}: {goal.why}" for goal in missed if goal.why)
    reasons = f"\nMissed for a reason that stays:\n{whys}\n" if whys else ""
    title = f"# Goals, {time.strftime('%Y-%m-%d %H:%M UTC', at)}"
    name = f"{time.strftime('%Y-%m-%d', at)}-{machine()['commit']}-goals.md"
    page = f"{title}\n\n{facts}\n{load}\n- {note}\n\n{table}\n\n{counts}\n{reasons}"
    (RECORDS / name).write_text(page, encoding="utf-8")
    print(f"{counts} In benches/records/{name}", flush=True)


if __name__ == "__main__":
    main()
