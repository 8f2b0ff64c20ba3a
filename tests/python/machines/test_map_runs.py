"""Distributed maps of a program: readers, writers, batches, failures, limits, crashes."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from threading import Event, Lock

import pytest
from maps import mapped, run

import trunkline
from tests.waiting import until

GET, LIST = "arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2"


def reader(kind, key="items", resource=GET, **config):
    return {
        "Resource": resource,
        "ReaderConfig": {"InputType": kind, **config},
        "Parameters": {"Bucket": "data", "Key": key},
    }


@pytest.fixture
def engine():
    with trunkline.open() as engine:
        yield engine


@pytest.mark.parametrize("express", [False, True])
def test_each_item_is_the_input_of_a_child(engine, express):
    assert run(engine, mapped(express=express), [3, 1, 2]).output == [3, 1, 2]


def test_csv_json_lines_and_json_are_read_from_objects(engine):
    data = engine.bucket("data")
    data.put("csv", "a,b\n1,2\n3,4\n")
    data.put("lines", '{"a":1}\n\n{"a":2}\n')
    data.put("json", '{"deep":{"list":[5,6]}}')
    csv = mapped(ItemReader=reader("CSV", "csv", CSVHeaderLocation="FIRST_ROW"))
    assert run(engine, csv).output == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    lines = mapped(ItemReader=reader("JSONL", "lines", MaxItems=1))
    assert run(engine, lines).output == [{"a": 1}]
    deep = mapped(ItemReader=reader("JSON", "json", ItemsPointer="/deep/list"))
    assert run(engine, deep).output == [5, 6]


def test_parquet_is_read_through_pyarrow(engine):
    pyarrow = pytest.importorskip("pyarrow")
    import io

    import pyarrow.parquet as parquet

    file = io.BytesIO()
    parquet.write_table(pyarrow.table({"a": [1, 2], "b": ["x", None]}), file)
    engine.bucket("data").put("items", file.getvalue())
    execution = run(engine, mapped(ItemReader=reader("PARQUET")))
    assert execution.output == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]


def test_a_list_of_objects_is_read_and_may_be_flattened(engine):
    data = engine.bucket("data")
    data.put("in/1", "[1,2]")
    data.put("in/2", "[3]")
    data.put("out", "[9]")
    given = {"Bucket": "data", "Prefix": "in/"}
    listed = mapped(ItemReader={"Resource": LIST, "Parameters": given})
    found = run(engine, listed).output
    assert [one["Key"] for one in found] == ["in/1", "in/2"]
    assert found[0]["Size"] == 5
    config = {"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSON"}
    flat = mapped(ItemReader={"Resource": LIST, "Parameters": given, "ReaderConfig": config})
    assert run(engine, flat).output == [1, 2, 3]


def test_an_inventory_is_read_from_its_files(engine):
    data = engine.bucket("data")
    whole = gzip.compress(b'"data","a"\n') + gzip.compress(b'"data","b"\n')
    data.put("files/1.csv.gz", whole)
    manifest = {
        "destinationBucket": "arn:aws:s3:::data",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key",
        "files": [{"key": "files/1.csv.gz"}],
    }
    data.put("items", json.dumps(manifest))
    found = run(engine, mapped(ItemReader=reader("MANIFEST"))).output
    assert found == [{"Bucket": "data", "Key": "a"}, {"Bucket": "data", "Key": "b"}]
    data.put("files/1.csv.gz", whole[:-4])
    failed = run(engine, mapped(ItemReader=reader("MANIFEST")))
    assert (failed.error, "cut off" in failed.cause) == ("States.ItemReaderFailed", True)


def test_what_cannot_be_read_fails_the_state(engine):
    missing = run(engine, mapped(ItemReader=reader("JSON")))
    assert (missing.status, missing.error) == ("FAILED", "States.ItemReaderFailed")
    assert "bucket does not exist: data" in missing.cause
    engine.bucket("data")
    assert "key does not exist: items" in run(engine, mapped(ItemReader=reader("JSON"))).cause
    engine.bucket("foreign", account="111111111111").put("items", "[1]")
    other = reader("JSON")
    other["Parameters"]["Bucket"] = "foreign"
    assert "another account" in run(engine, mapped(ItemReader=other)).cause


def test_documents_nested_too_deeply_fail_the_reader(engine):
    data = engine.bucket("data")
    for key in ("items", "items2"):
        data.put(key, "[" * 100_000 + "]" * 100_000)
    given = {"Bucket": "data", "Prefix": "items"}
    config = {"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSON"}
    flat = {"Resource": LIST, "Parameters": given, "ReaderConfig": config}
    for one in (flat, reader("MANIFEST")):
        assert run(engine, mapped(ItemReader=one)).error == "States.ItemReaderFailed"


def test_items_are_selected_and_put_together(engine):
    selector = {"n.$": "$$.Map.Item.Value", "of.$": "$.name"}
    batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"day": 1}}
    state = {"ItemsPath": "$.list", "ItemSelector": selector, "ItemBatcher": batcher}
    found = run(engine, mapped(**state), {"list": [1, 2, 3], "name": "x"}).output
    one, two, three = ({"n": n, "of": "x"} for n in (1, 2, 3))
    assert found == [
        {"BatchInput": {"day": 1}, "Items": [one, two]},
        {"BatchInput": {"day": 1}, "Items": [three]},
    ]


def odd(item):
    if item % 2:
        raise LookupError("odd")
    return item


@pytest.mark.parametrize("express", [False, True])
def test_failures_are_tolerated_up_to_the_threshold(engine, express):
    functions = {"work": odd}
    definition = mapped(express=express, task=True, ToleratedFailureCount=2)
    good = run(engine, definition, [0, 1, 2, 3], functions)
    assert good.output == [0, 2]
    bad = run(engine, definition, [0, 1, 3, 5], functions)
    assert bad.error == "States.ExceedToleratedFailureThreshold"
    share = mapped(express=express, task=True, ToleratedFailurePercentage=50)
    assert run(engine, share, [0, 1], functions).output == [0]


def test_results_are_written_with_a_manifest(engine):
    results = engine.bucket("results")
    target = {"Bucket": "results", "Prefix": "jobs"}
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": target}
    definition = mapped(task=True, ResultWriter=writer, ToleratedFailureCount=1)
    output = run(engine, definition, [2, 3, 4], {"work": odd}).output
    key = output["ResultWriterDetails"]["Key"]
    assert key == f"jobs/{output['MapRunArn'].rpartition(':')[2]}/manifest.json"
    manifest = json.loads(results.get(key).text())
    assert manifest["DestinationBucket"] == "results"
    (good,) = manifest["ResultFiles"]["SUCCEEDED"]
    (bad,) = manifest["ResultFiles"]["FAILED"]
    assert results.head(good["Key"]).size == good["Size"]
    found = json.loads(results.get(good["Key"]).text())
    assert sorted(one["Output"] for one in found) == ["2", "4"]
    (failed,) = json.loads(results.get(bad["Key"]).text())
    assert (failed["Status"], failed["Error"], failed["Input"]) == ("FAILED", "LookupError", "3")


def test_results_may_be_lines_without_what_is_told_of_their_executions(engine):
    results = engine.bucket("results")
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": "results"},
        "WriterConfig": {"OutputType": "JSONL", "Transformation": "FLATTEN"},
    }
    output = run(engine, mapped(ResultWriter=writer), [[1, 2], [3]]).output
    manifest = json.loads(results.get(output["ResultWriterDetails"]["Key"]).text())
    (file,) = manifest["ResultFiles"]["SUCCEEDED"]
    assert results.get(file["Key"]).text() == "1\n2\n3"


def test_results_that_are_no_output_fail_the_state(engine):
    execution = run(engine, mapped(), ["x" * 60_000 for _ in range(4)])
    assert execution.status == "SUCCEEDED"
    batches = mapped(ItemReader=reader("JSONL"))
    engine.bucket("data").put("items", f'"{"x" * 60_000}"\n' * 5)
    assert run(engine, batches).error == "States.DataLimitExceeded"


def test_no_more_children_run_at_once_than_it_says(engine):
    lock, running, most = Lock(), 0, 0
    more = Event()

    def work(item):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        more.wait(0.01)
        with lock:
            running -= 1
        return item

    definition = mapped(task=True, MaxConcurrency=2)
    assert run(engine, definition, list(range(8)), {"work": work}).output == list(range(8))
    assert most <= 2


def test_stopping_an_execution_stops_the_children_of_its_map_run(engine):
    release = Event()
    definition = mapped(task=True)
    machine = engine.machine("maps", definition, functions={"work": lambda _: release.wait(60)})
    execution = machine.start([1, 2])
    children = ("000000000000", "us-east-1", "maps/each")
    core = machine._runtime().machines

    def started():
        found = core.find(children)
        return found is not None and len(found.executions()) == 2

    until(started)
    execution.stop("Over", "enough")
    until(lambda: {one.status for one in core.find(children).executions()} == {"ABORTED"})
    release.set()
    assert execution.status == "ABORTED"


def test_removing_a_machine_removes_the_children_of_its_map_runs(engine):
    run(engine, mapped(), [1])
    machine = engine.machine("maps")
    core = machine._runtime().machines
    children = ("000000000000", "us-east-1", "maps/each")
    assert core.find(children) is not None
    machine.remove()
    assert core.find(children) is None


KILLED = """
import os, sys, threading
import trunkline

engine = trunkline.open(sys.argv[1])
done = open(sys.argv[2], "a", buffering=1)
lock, count = threading.Lock(), 0

def work(item):
    global count
    with lock:
        count += 1
        if count == int(sys.argv[4]):
            os.kill(os.getpid(), 9)
        done.write(f"{item}\\n")
    return item

definition = __import__("json").loads(sys.argv[3])
machine = engine.machine("maps", definition, functions={"work": work})
names = [one.name for one in machine.executions()]
execution = machine.execution("run") if names else machine.start(list(range(200)), name="run")
print(execution.wait(120).output == list(range(200)))
engine.close()
"""


@pytest.mark.parametrize("express", [False, True])
def test_a_map_run_goes_on_after_kills(tmp_path, express):
    script = tmp_path / "run.py"
    script.write_text(KILLED)
    definition = json.dumps(mapped(express=express, task=True))
    called = tmp_path / "called"
    for number in (60, 100, 0):
        argv = [sys.executable, script, tmp_path / "data", called, definition, str(number)]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
        if ended.returncode == 0:
            break
        assert ended.returncode == -9, ended.stderr
    assert ended.stdout == "True\n", ended.stderr
    calls = called.read_text().split()
    assert set(calls) == {str(n) for n in range(200)}
    if not express:
        # Only what was under way when it was killed is called again.
        assert len(calls) <= 200 + 2 * 64


MANY = 20_000
MANY_MIB_MAX = 16
PROGRAM = """
import json, re, sys
from pathlib import Path

import trunkline

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1_024

definition, folder = json.loads(sys.argv[1]), sys.argv[2]
with trunkline.open(folder) as engine:
    machine = engine.machine("maps", definition)
    before = peak()
    status = machine.start().wait(300).status
    print(status, peak() - before)
"""


@pytest.mark.parametrize("kind", ["JSON", "JSONL"])
def test_the_memory_of_a_run_does_not_grow_with_its_items(tmp_path, kind):
    parameters = {"Bucket": "results", "Prefix": "run"}
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": parameters}
    definition = mapped(express=True, ItemReader=reader(kind), ResultWriter=writer)
    items = [f'{{"number":{number},"text":"{number:0500}"}}' for number in range(MANY)]
    with trunkline.open(tmp_path) as engine:
        whole = "\n".join(items) if kind == "JSONL" else f"[{','.join(items)}]"
        engine.bucket("data").put("items", whole)
        engine.bucket("results")
    argv = [sys.executable, "-c", PROGRAM, json.dumps(definition), tmp_path]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=True)
    status, mebibytes = ended.stdout.split()
    assert status == "SUCCEEDED"
    # The items alone are 10 MiB, and as values many times of that.
    assert int(mebibytes) <= MANY_MIB_MAX


def test_a_change_of_limits_keeps_the_run_as_it_stood_at_its_checkpoint(monkeypatch, engine):
    monkeypatch.setattr("trunkline.machines.map_runs.run.CHECKPOINT_CHILDREN", 2)
    may_end = [Event() for _ in range(6)]
    functions = {"work": lambda item: may_end[item].wait(60)}
    machine = engine.machine("maps", mapped(task=True), functions=functions)
    execution = machine.start(list(range(6)))
    runs = machine._runtime().map_runs

    until(lambda: runs.running() and runs.running()[0].progress.counts()["running"] == 6)
    arn = runs.running()[0].arn
    for ended, event in enumerate(may_end[:3], 1):
        event.set()
        until(lambda ended=ended: runs.find(arn)["counts"]["succeeded"] == ended)
    assert runs.update(arn, max_concurrency=9)
    told = runs.records.get(arn)
    assert told["max_concurrency"] == 9
    assert len(told["open"]) == told["counts"]["running"] == 4
    for event in may_end:
        event.set()
    assert execution.wait(60).status == "SUCCEEDED"
