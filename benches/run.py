"""`make bench`: the Rust benches, the peers' benchmark and the verbs; a record of each.

    python benches/run.py [--quick] [--no-rust]

Writes benches/records/DATE-COMMIT-pyVERSION.json (all figures) and .md (the same to read). A
figure that misses its goal is reported and does not fail the run: see benches/README.md.
`--no-rust` leaves out the Rust benches, which are the same for every Python.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trunkline import bench
from trunkline.bench import command
from trunkline.bench.contest import Figure

ROOT = Path(__file__).parent.parent
RECORDS = ROOT / "benches" / "records"
DEPTH_FULL = 10_000_000
DEPTH_QUICK = 100_000


def output(*arguments: str) -> str:
    """What a command prints, or an empty text when it is missing."""
    try:
        return subprocess.run(
            arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def build() -> str:
    """Which build of the package is measured: the stamp that the Makefile left says it."""
    is_release = (Path(sys.prefix) / ".release").exists()
    return "release (fat LTO)" if is_release else "unknown: not made by `make release`"


def machine() -> dict[str, str]:
    """What the figures depend on besides the code."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else ""
    return {
        "cpu": model or platform.processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_version()} ({platform.python_compiler()})",
        "rust": output("rustc", "--version"),
        "build": build(),
        "commit": output("git", "rev-parse", "--short", "HEAD") or "unknown",
        "changed": output("git", "status", "--porcelain", "--", "core", "python") and "yes",
    }


def rust_benches() -> str:
    """The text that the Rust benches print. They know their peers and ratios themselves."""
    arguments = ["cargo", "bench", "--workspace", "--quiet"]
    process = subprocess.run(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return "\n".join(line for line in process.stdout.splitlines() if _is_figure(line))


def _is_figure(line: str) -> bool:
    """Whether a line is more than the test harness saying which tests it did not run."""
    noise = ("running ", "test ", "test result:")
    return bool(line.strip("i. ")) and not line.startswith(noise)


def peers(folder: Path, quick: bool) -> list[dict[str, Any]]:
    """The peers' benchmark, as users run it."""
    record = folder / "peers.json"
    depth = DEPTH_QUICK if quick else DEPTH_FULL
    rounds = "5" if quick else "9"
    # Durable rows must meet a real disk, and a temporary folder may be memory.
    arguments = ["--json", str(record), "--depth", str(depth), "--rounds", rounds]
    bench.main([*arguments, "--folder", str(ROOT / "target")])
    figures: list[dict[str, Any]] = json.loads(record.read_text())["figures"]
    return figures


def verbs(folder: Path) -> list[dict[str, Any]]:
    """The pytest-benchmark suite."""
    record = folder / "verbs.json"
    arguments = [sys.executable, "-m", "pytest", "-q", "benches/python", "--benchmark-only"]
    arguments += [f"--benchmark-json={record}", "--benchmark-columns=median,iqr,rounds"]
    subprocess.run(arguments, cwd=ROOT, check=True)
    return [
        {"name": one["name"], "median_ns": one["stats"]["median"] * 1e9}
        for one in json.loads(record.read_text())["benchmarks"]
    ]


def as_text(record: dict[str, Any]) -> str:
    """The record to read."""
    facts = "\n".join(f"- {name}: {value}" for name, value in record["machine"].items())
    figures = [Figure(**figure) for figure in record["peers"]]
    names = "\n".join(f"| {one['name']} | {one['median_ns']:,.0f} |" for one in record["verbs"])
    text = (
        f"# Figures of {record['at']}\n\n{facts}\n\n"
        "A time is that of one message. A ratio says how many times as fast as the peer.\n\n"
        f"## Beside peers\n\n```\n{command.table(figures)}\n```\n\n"
        f"## Rust\n\n```\n{record['rust']}\n```\n\n"
        f"## Verbs from Python\n\n| verb | median, ns |\n|---|---|\n{names}\n"
    )
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def main(arguments: Sequence[str]) -> None:
    quick = "--quick" in arguments
    at = time.gmtime()
    rust = "left out"
    if "--no-rust" not in arguments:
        print("Rust benches", flush=True)
        rust = rust_benches()
        print(rust, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        record = {
            "at": time.strftime("%Y-%m-%d %H:%M UTC", at),
            "machine": machine(),
            "rust": rust,
            "peers": peers(Path(folder), quick),
            "verbs": verbs(Path(folder)),
        }
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    name = f"{time.strftime('%Y-%m-%d', at)}-{record['machine']['commit']}-{python}"
    RECORDS.mkdir(exist_ok=True)
    (RECORDS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (RECORDS / f"{name}.md").write_text(as_text(record), encoding="utf-8")
    print(f"wrote benches/records/{name}.json and .md")


if __name__ == "__main__":
    main(sys.argv[1:])
