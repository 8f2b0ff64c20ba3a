"""`make bench-patterns`: rule sets beside the quamina crate and event-ruler; a record of it.

    python -m benches.patterns.run [--lines N] [--only NAME] [--note TEXT]

Writes benches/records/DATE-COMMIT-patterns.json and .md. event-ruler takes part where a JVM and
Maven are present.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from statistics import median
from typing import Any

from benches.run import RECORDS, ROOT, machine

HERE = ROOT / "benches" / "patterns"
OURS = ("plain", "trusted", "validated")
PEERS = ("quamina", "event-ruler")

HEAD = """\
Microseconds an event of about 850 bytes, one thread; medians of five rounds in turns. A ratio says
how many times as fast as the peer the column `plain` is: no key twice, none with a dot, so reading
ends early, as quamina's does. `trusted` passes over all of the event, `validated` looks at every
byte. A dash is a peer that refuses such rules, or was not asked: it panics, or takes minutes.

| rules | plain | trusted | validated | quamina | ruler | to quamina | to ruler | built, s |
|---|---|---|---|---|---|---|---|---|"""


def binary() -> Path:
    """The benchmark, built."""
    command = ["cargo", "build", "--release", "--quiet"]
    subprocess.run([*command, "--manifest-path", str(HERE / "Cargo.toml")], check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target"))
    return target / "release" / "trunkline-pattern-bench"


def java() -> str | None:
    """The class path of event-ruler and its driver; none without a JVM and Maven."""
    if not all(map(shutil.which, ("java", "javac", "mvn"))):
        return None
    folder = HERE / "target" / "java"
    folder.mkdir(parents=True, exist_ok=True)
    copy = ["mvn", "--quiet", "--batch-mode", "dependency:copy-dependencies"]
    subprocess.run([*copy, f"-DoutputDirectory={folder}"], cwd=HERE / "java", check=True)
    classes = f"{folder}/*"
    compile_ = ["javac", "-nowarn", "-cp", classes, "-d", str(folder), "Peer.java"]
    subprocess.run(compile_, cwd=HERE / "java", check=True, stderr=subprocess.DEVNULL)
    return f"{folder}:{classes}"


def shown(row: dict[str, Any]) -> str:
    """A row of the table."""
    cells = [row["row"]]
    for name in (*OURS, *PEERS):
        cells.append(f"{median(row[name]['us']):.2f}" if name in row else "-")
    for peer in PEERS:
        cells.append(ratio(row, peer))
    built = [row[name]["built"] for name in ("plain", *PEERS) if name in row]
    cells.append(" / ".join(f"{seconds:.2f}" for seconds in built))
    matched = {row[name]["matched"] for name in (*OURS, *PEERS) if name in row}
    if len(matched) > 1:
        cells[0] += f" (matches differ: {sorted(matched)})"
    return "| " + " | ".join(cells) + " |"


def ratio(row: dict[str, Any], peer: str) -> str:
    """How many times as fast as a peer, with the spread of the rounds."""
    if peer not in row:
        return "-"
    turns = zip(row[peer]["us"], row["plain"]["us"], strict=True)
    ratios = sorted(theirs / ours for theirs, ours in turns)
    return f"{median(ratios):.1f}x ({ratios[0]:.1f} to {ratios[-1]:.1f})"


def main() -> None:
    """Runs every row and writes the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", default="213068", help="lines that are measured")
    parser.add_argument("--only", default="", help="rows whose name has this")
    parser.add_argument("--note", default="", help="what a reader of the record should know")
    options = parser.parse_args()
    program, classes = str(binary()), java()
    arguments = ["--lines", options.lines, "--only", options.only]
    if classes:
        arguments += ["--java", classes]
    load = os.getloadavg()[0]
    print(HEAD)
    rows = []
    with subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            rows.append(json.loads(line))
            print(shown(rows[-1]), flush=True)
    writing = subprocess.run([program, "writing"], stdout=subprocess.PIPE, text=True, check=True)
    written = [json.loads(line) for line in writing.stdout.splitlines()]
    print(writing.stdout)
    record = {
        "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": machine(),
        "note": options.note,
        "lines": int(options.lines),
        "load": [round(load, 1), round(os.getloadavg()[0], 1)],
        "rows": rows,
        "writing": written,
    }
    write(record)


def write(record: dict[str, Any]) -> None:
    """The record as data and as a page."""
    name = f"{record['at'][:10]}-{record['machine']['commit']}-patterns"
    RECORDS.mkdir(exist_ok=True)
    (RECORDS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    page = [f"# Patterns, {record['at']}", ""]
    page += [f"- {key}: {value}" for key, value in record["machine"].items() if value]
    page += [
        f"- lines: {record['lines']:,}",
        "- load before and after: {}, {}".format(*record["load"]),
    ]
    page += [f"- {record['note']}"] if record["note"] else []
    page += ["", HEAD, *map(shown, record["rows"]), "", WRITING]
    for row in record["writing"]:
        keys = ("bytes_a_rule", "add_us_p50", "add_us_p99", "add_us_max")
        page.append(f"| {row['writing']} | " + " | ".join(str(row[key]) for key in keys) + " |")
    (RECORDS / f"{name}.md").write_text("\n".join(page) + "\n")


WRITING = """\
A set of 1,000,000 exact rules, each its own, with one reader on the other core: memory of a rule,
and microseconds to add one rule more.

| rules | bytes | p50 | p99 | max |
|---|---|---|---|---|"""


if __name__ == "__main__":
    main()
