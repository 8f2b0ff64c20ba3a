"""`make bench-wire`: the server beside the null echo and beside peers; a record of it.

    python -m benches.wire.run [--quick] [--peers moto,ElasticMQ] [--only "SendMessage,"]

Writes benches/records/DATE-COMMIT-wire.json and .md. Peers that are installed take part, and the
record names those that are not: `make bench-wire` installs moto's server and ministack,
`make wire-peers` those from Maven, npm and crates (see `peers.py`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benches.run import RECORDS, ROOT, machine
from benches.wire import apis, executions, routing, rows, sdk, streams
from benches.wire.peers import peers
from benches.wire.servers import Server, echo, ours

SEND_ANSWER_BYTES = 110
BATCH_ANSWER_BYTES = 1_240
DEPTHS = (0, 2_000, 10_000, 200_000)
HELD = 200_000
KINDS = (
    "SendMessage,",
    "SendMessage on disk",
    "SendMessageBatch",
    "receive + delete",
    "Publish, 1 queue",
    "PublishBatch",
    "Publish,",
    "PutEvents x1,",
    "PutEvents x10",
    "PutRecord 100",
    "PutRecords 500 x 100",
    "PutRecords 500 x 1 KiB",
    "GetRecords head",
    "GetRecords tail",
    "empty poll at",
    "StartExecution 1 Pass,",
    "StartExecution 1 Pass on disk",
    "StartExecution 10 Pass",
    "StartExecution while",
    "StartSyncExecution 1 Pass",
    "StartSyncExecution 10 Pass",
    "API route to a queue",
    "API route to a stream",
)
"""How the names of rows begin, in the order in which they are measured."""
POLLS = 5_000


def binary(given: str | None) -> Path:
    """The load generator, built when none is named."""
    if given:
        return Path(given)
    command = ["cargo", "build", "--release", "--quiet", "-p", "trunkline-wire"]
    subprocess.run([*command, "--example", "load"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "examples" / "load"


def chosen(options: argparse.Namespace) -> list[Server]:
    """The peers that take part."""
    names = None if options.peers is None else options.peers.split(",")
    installed = [peer.server for peer in peers() if names is None or peer.name in names]
    return [server for server in installed if server is not None]


def absent(options: argparse.Namespace) -> dict[str, str]:
    """The peers that take no part, and why."""
    there = {server.name for server in chosen(options)}
    missing = [peer for peer in peers() if peer.name not in there]
    return {
        peer.name: "not chosen" if peer.server else f"not installed: {peer.install}"
        for peer in missing
    }


def contests(load: rows.Load, options: argparse.Namespace, folder: Path) -> list[rows.Row]:
    """Every row that has a peer."""
    found: list[rows.Row] = []
    with ExitStack() as stack:
        start = stack.enter_context
        memory = start(ours())
        disk = start(ours("--data", str(folder / "data")))
        disk.name = "trunkline on disk"
        null_one, null_ten = (
            start(echo(load.binary, size)) for size in (SEND_ANSWER_BYTES, BATCH_ANSWER_BYTES)
        )
        others = [start(peer) for peer in chosen(options)]
        for server in others:
            load.warm_up(server)

        def contest(name: str, turn: rows.Turn, first: Server, seconds: list[Server]) -> None:
            if options.only not in name:
                return
            for row in rows.contest(name, load.rounds, turn, first, seconds):
                print(rows.show(row), flush=True)
                found.append(row)

        for count in (1, 64):
            name = f"SendMessage, {count} connections"
            contest(name, lambda s, n=count: load.flow("send", s, n), memory, [null_one, *others])
        name = "SendMessage on disk, 64 connections"
        contest(name, lambda s: load.flow("send", s, 64), disk, [memory])
        name = "SendMessageBatch x10, 16 connections"
        contest(name, lambda s: load.flow("batch", s, 16), memory, [null_ten, *others])
        for depth in DEPTHS[: 3 if options.quick else 4]:
            name = f"receive + delete by tens, 16 connections, depth {depth:,}"
            able = [peer for peer in others if depth <= rows.SLOW.get(peer.name, depth)]
            contest(name, lambda s, d=depth: load.drain(s, 16, d), memory, [disk, *able])
        routers = [server for server in others if server.name in routing.ROUTERS]
        found += routing.contests(load, routers, options.only, options.quick)
        found += streams.contests(load, routers, options.only, options.quick)
        found += executions.contests(load, routers, options.only, options.quick)
        found += apis.contests(load, options.only)
    return found


def alone(load: rows.Load) -> dict[str, object]:
    """Figures of the server by itself."""
    start, idle = rows.starts(ours, 5)
    held, added = rows.held(load, ours, HELD)
    polls, share = rows.idle_polls(load, ours, POLLS)
    return {
        "start to first answer, ms": start,
        "idle memory, MiB": idle,
        f"memory with {HELD:,} messages of 1 KiB, MiB": held,
        "of it added by the messages, MiB": added,
        f"memory added by {POLLS:,} idle long polls, MiB": polls,
        "share of a core they use": share,
    }


def as_text(record: dict[str, Any]) -> str:
    """The record to read."""
    facts = "\n".join(f"- {name}: {value}".rstrip() for name, value in record["machine"].items())
    lines = [rows.show(rows.Row(**row)) for row in record["rows"]]
    lines += [f"| - | | {name} | {why} | | | | | |" for name, why in record["absent"].items()]
    table = "\n".join(lines)
    # Parts of a record may have been measured with different numbers of rounds.
    span = sorted({min(record["rounds"]), max(record["rounds"])})
    single = "\n".join(f"| {name} | {value:,.2f} |" for name, value in record["alone"].items())
    sdks = "\n".join(
        f"| {name}: {key} | {value:,.2f} |"
        for name, figures in record["sdk"].items()
        for key, value in figures.items()
    )
    return (
        f"# The server, {record['at']}\n\n{facts}\n- load before and after: {record['load']}\n"
        f"- {record['note']}\n\n"
        "Messages of 1 KiB a second, the load generator on the same cores; medians of "
        f"{' to '.join(map(str, span))} rounds in turns. A ratio says how many times as fast as "
        "the peer.\n\n"
        "| row | ours | peer | theirs | ratio | spread | goal | server CPU, us a message | load |\n"
        f"|---|---|---|---|---|---|---|---|---|\n{table}\n\n"
        f"| by itself | |\n|---|---|\n{single}\n\n| boto3, one call | |\n|---|---|\n{sdks}\n"
    )


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The record of a machine that is quiet for minutes only: parts measured one after another."""
    measured = {(row["name"], row["peer"]) for row in new["rows"]}
    kept = [row for row in old.get("rows", []) if (row["name"], row["peer"]) not in measured]
    parts = {part: new[part] or old.get(part, {}) for part in ("alone", "sdk")}
    load = " | ".join(filter(None, (old.get("load"), new["load"])))
    rounds = sorted({*old.get("rounds", []), *new["rounds"]})
    rows_of_all = kept + new["rows"]
    there = {row["peer"] for row in rows_of_all}
    absent = {name: why for name, why in new["absent"].items() if name not in there}
    parts |= {"rows": sorted(rows_of_all, key=_place), "absent": absent}
    return new | parts | {"load": load, "rounds": rounds}


def _place(row: dict[str, Any]) -> tuple[int, int]:
    """Rows in the order in which a whole run would measure them."""
    kind = next(place for place, words in enumerate(KINDS) if row["name"].startswith(words))
    number = row["name"].rpartition("depth ")[2] if kind == 3 else row["name"].partition(", ")[2]
    return kind, int(number.split()[0].replace(",", ""))


def keep(new: dict[str, Any], at: time.struct_time, is_part: bool) -> None:
    """Writes the record."""
    name = f"{time.strftime('%Y-%m-%d', at)}-{new['machine']['commit']}-wire"
    RECORDS.mkdir(exist_ok=True)
    file = RECORDS / f"{name}.json"
    old = json.loads(file.read_text(encoding="utf-8")) if is_part and file.exists() else {}
    record = merged(old, new)
    file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (RECORDS / f"{name}.md").write_text(as_text(record), encoding="utf-8")
    print(f"wrote benches/records/{name}.json and .md")


def options_of() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="make bench-wire", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="three rounds, no depth of 200,000")
    add("--rounds", type=int, default=5)
    add("--seconds", type=float, default=1.0, help="length of a turn")
    add("--load", help="the load generator, if it is built already")
    add("--peers", help="names of peers, with commas; default: all there are")
    add("--only", default="", help='rows whose name holds this, "by itself" or "boto3"')
    add("--note", default="nothing else ran on purpose")
    return parser.parse_args()


def main() -> None:
    """Measures what is asked for and writes the record."""
    options = options_of()
    rounds = 3 if options.quick else options.rounds
    load = rows.Load(binary(options.load), options.seconds, rounds)
    at, before = time.gmtime(), os.getloadavg()[0]
    # On the file system of the checkout: a temporary folder may be memory.
    (ROOT / "target").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=ROOT / "target"))
    found: list[rows.Row] = []
    sdks: dict[str, object] = {}
    try:
        if options.only not in ("by itself", "boto3"):
            found = contests(load, options, folder)
    finally:
        shutil.rmtree(folder)
    if options.only in ("", "boto3"):
        with ours() as server, echo(load.binary, SEND_ANSWER_BYTES) as stub:
            sdks = {
                "over sockets": sdk.over_sockets(server, stub, rounds),
                "in the process": sdk.in_process(rounds),
                "Publish in the process": sdk.publishing(rounds),
            }
    record: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%d %H:%M UTC", at),
        "machine": machine(),
        "note": options.note,
        "rounds": [rounds],
        "rows": [rows.plain(row) for row in found],
        "absent": absent(options),
        "alone": alone(load) if options.only in ("", "by itself") else {},
        "sdk": sdks,
        "load": f"{before:.1f}, {os.getloadavg()[0]:.1f}",
    }
    keep(record, at, bool(options.only))


if __name__ == "__main__":
    main()
