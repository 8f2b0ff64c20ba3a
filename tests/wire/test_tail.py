"""``trunkline tail``: the records of a stream of a server."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytest.importorskip("boto3")


def command(server, *options):
    return [sys.executable, "-m", "trunkline", "tail", "clicks", "--at", server.url, *options]


def test_all_records_are_printed(server, engine):
    stream = engine.stream("clicks", shards=2)
    put = stream.put_batch([("a", "home"), ("b", "cart \xe9"), ("c", b"\xff")])
    stream.split("shardId-000000000000")
    stream.put("late", key="a")
    done = subprocess.run(command(server, "--json"), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(line["data"] for line in lines if "data" in line) == ["cart \xe9", "home", "late"]
    # Bytes that are no text are told in base64, as everywhere among the operator's verbs.
    assert [line["data_base64"] for line in lines if "data" not in line] == ["/w=="]
    assert {line["sequence"] for line in lines} > {one.sequence for one in put}
    plain = subprocess.run(command(server, "--table"), capture_output=True, text=True, timeout=60)
    assert [line.split(" ", 1)[1] for line in plain.stdout.splitlines()].count("a home") == 1


def test_it_follows_what_is_put(server, engine):
    stream = engine.stream("clicks")
    stream.put("old", key="a")
    follow = command(server, "--follow", "--all", "--json")
    with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert json.loads(process.stdout.readline())["data"] == "old"
            stream.put("new", key="a")
            assert json.loads(process.stdout.readline())["data"] == "new"
        finally:
            process.kill()


def test_a_stream_that_does_not_exist_is_told(server):
    done = subprocess.run(command(server), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Stream clicks under account 000000000000 not found." in done.stderr
