"""The command: choose rows, run them, print the table, keep a record."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

import trunkline
from trunkline.bench import (
    asynchronous,
    data,
    deep,
    durable,
    losses,
    machines,
    memory,
    routing,
    startup,
    streams,
    tracing,
)
from trunkline.bench.contest import Contest, Figure, Unit, run

ROUNDS = 7
ROUNDS_MIN = 5
DEPTH = 1_000_000
DEPTH_QUICK = 20_000
MANY_SHARE = 10
HEADING = ("row", "peer", "trunkline", "peer's", "ratio", "spread", "goal", "payload", "durability")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`; the status to exit with.

    The status is 0 also when a goal is missed: a figure is a fact about a machine, not a test.
    """
    options = _parser().parse_args(arguments)
    depth = options.depth or (DEPTH_QUICK if options.quick else DEPTH)
    rows = _rows(Path(options.folder), depth)
    if options.list:
        print(*(row.name for row in rows), sep="\n")
        return 0
    chosen = [
        row for row in rows if any(row.name.startswith(only) for only in options.only or [""])
    ]
    if not chosen:
        print(f"trunkline bench: no row starts with {' or '.join(options.only)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    absent: set[str] = set()
    for row in chosen:
        print(f"… {row.name}", file=sys.stderr, flush=True)
        new, missing = _run_apart(row.name, options.folder, depth, max(options.rounds, ROUNDS_MIN))
        figures += new
        absent.update(missing)
    print(machine())
    print(table(figures))
    for line in losses.lines(figures):
        print(line)
    for name in sorted(absent):
        print(f"left out: {name} is not installed")
    if options.json:
        record = {"machine": machine(), "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        rows_of_record = [asdict(figure) for figure in figures]
        Path(options.json).write_text(
            json.dumps({**record, "figures": rows_of_record}, indent=1) + "\n", encoding="utf-8"
        )
    return 0


def _run_apart(name: str, folder: str, depth: int, rounds: int) -> tuple[list[Figure], list[str]]:
    """Run one row in a process of its own: the memory that earlier rows have scattered would
    decide the rows behind them.
    """
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=fresh) as process:
        return process.submit(_run_named, name, folder, depth, rounds).result()


def _run_named(name: str, folder: str, depth: int, rounds: int) -> tuple[list[Figure], list[str]]:
    (row,) = (row for row in _rows(Path(folder), depth) if row.name == name)
    return run(row, rounds)


def _rows(folder: Path, depth: int) -> list[Contest]:
    return [
        *memory.contests(),
        *asynchronous.contests(),
        *durable.contests(folder),
        *deep.contests(folder, depth),
        *routing.contests(folder, depth // MANY_SHARE),
        *streams.contests(folder, depth),
        *data.contests(folder),
        *machines.contests(folder),
        *tracing.contests(),
        *startup.contests(),
    ]


def machine() -> str:
    """One line that says what the figures are from."""
    return (
        f"trunkline {trunkline.__version__}, {platform.python_implementation()} "
        f"{platform.python_version()} ({platform.python_compiler()}), "
        f"{platform.system()} {platform.release()} {platform.machine()}"
    )


def table(figures: Sequence[Figure]) -> str:
    """The figures as text. Ratio: how many times as fast as the peer; more is better for us."""
    rows = [HEADING] + [
        (
            figure.title,
            figure.peer,
            _amount(figure.ours, figure.unit),
            _amount(figure.theirs, figure.unit),
            f"{figure.ratio:.2f}x",
            f"{figure.ratio_low:.2f}-{figure.ratio_high:.2f}",
            _goal(figure),
            figure.payload,
            figure.durability,
        )
        for figure in figures
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _goal(figure: Figure) -> str:
    if figure.at_least is None:
        return "-"
    return f">= {figure.at_least:g}x {'met' if figure.met else 'MISSED'}"


def _amount(figure: float, unit: Unit) -> str:
    if unit == "B":
        return f"{figure:,.1f} B"
    for larger, size in (("ms", 1e6), ("us", 1e3)):
        if figure >= size:
            return f"{figure / size:.2f} {larger}"
    return f"{figure:.0f} ns"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trunkline bench",
        description="Measure this machine beside the queues that are installed. A time is that of "
        "one message; a ratio says how many times as fast as the peer.",
    )
    parser.add_argument("--list", action="store_true", help="list the rows and end")
    parser.add_argument(
        "--only", action="append", metavar="ROW", help="run rows that start with this; repeatable"
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=ROUNDS,
        help=f"rounds, at least {ROUNDS_MIN} (default {ROUNDS})",
    )
    parser.add_argument(
        "--depth",
        type=int,
        help="messages of the deep queue, records of the deep stream, KiB of sealed records, ten "
        f"times the rules of the large sets (default {DEPTH:,}; with --quick {DEPTH_QUICK:,})",
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: the rows run, the figures say less"
    )
    parser.add_argument(
        "--folder", default=".", help="where durable rows write; choose the disk (default: here)"
    )
    parser.add_argument("--json", metavar="FILE", help="also write the figures to this file")
    return parser
