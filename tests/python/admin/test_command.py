"""The verbs of the command, on a folder and on a server: both answer the same."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

import trunkline
from trunkline.cli import main
from trunkline.cli.parser import VERBS
from trunkline.server import Server
from waiting import until


@pytest.fixture(params=["folder", "server"])
def at(request, tmp_path):
    """What `--at` names, and a function that looks at its engine."""
    folder = str(tmp_path / "data")
    trunkline.open(folder).close()
    if request.param == "folder":
        yield folder
        return
    with trunkline.open(folder) as engine, Server(engine, port=0) as server:
        yield server.url


@pytest.fixture
def run(at, capsys):
    """Runs a verb there; the JSON lines that it printed."""

    def call(*words, status=0):
        assert main([*words, "--at", at]) == status
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


def test_messages_are_sent_shown_received_and_purged(run):
    sent = run("send", "orders", "one coffee", "--create", "--attribute", "kind=hot")[0]
    run("send", "orders", "two teas")
    assert [row["visible"] for row in run("queues")] == [2]
    shown = run("peek", "orders", "--search", "coffee")
    assert [row["message_id"] for row in shown] == [sent["message_id"]]
    assert shown[0]["attributes"] == {"kind": "hot"}
    assert run("receive", "orders", "--delete")[0]["body"] == "one coffee"
    assert run("purge", "orders") == [{"purged": 1}]
    assert run("stats")[0]["messages"]["visible"] == 0


def test_an_export_is_imported_as_it_was(run, tmp_path):
    run("send", "orders", "a", "--create")
    run("send", "orders", "b", "--attribute", "n=1")
    file = tmp_path / "orders.jsonl"
    run("export", "orders", str(file))
    assert run("queues")[0]["visible"] == 2
    assert run("import", "copy", str(file), "--create") == [{"imported": 2}]
    bodies = [(row["body"], row.get("attributes")) for row in run("peek", "copy")]
    assert bodies == [("a", None), ("b", {"n": "1"})]
    run("export", "orders", str(file), "--drain")
    assert [row["visible"] for row in run("queues", "orders")] == [0]
    assert len(file.read_text().splitlines()) == 2


def test_a_line_that_is_no_message_is_named(at, run, tmp_path, capsys):
    file = tmp_path / "bad.jsonl"
    file.write_text('{"body": "a"}\n[]\n')
    run("send", "orders", "x", "--create")
    assert main(["import", "orders", str(file), "--at", at]) == 1
    assert f"{file}:2: not a JSON object" in capsys.readouterr().err
    assert run("queues")[0]["visible"] == 1


def test_a_stream_is_written_and_tailed(at, run):
    with_engine(at, lambda engine: engine.stream("clicks", shards=2))
    for number in range(3):
        run("put", f"n{number}", "--stream", "clicks", "--key", f"k{number}")
    assert sorted(record["data"] for record in run("tail", "clicks")) == ["n0", "n1", "n2"]
    assert run("streams")[0]["records"] == 3


def with_engine(at, action):
    if at.startswith("http"):
        action(trunkline.connect(at))
    else:
        with trunkline.open(at) as engine:
            action(engine)


def test_events_are_put_and_dead_letters_moved(at, run):
    assert run("put", '{"source":"a","detail-type":"b","detail":{}}')[0]["event_id"]
    assert run("buses")[0]["events"] >= 0
    for name in ("dead", "orders"):
        options = {"dead_letter": "dead", "max_receive_count": 1} if name == "orders" else {}
        with_engine(at, lambda engine, name=name, given=options: engine.queue(name, **given))
    run("send", "orders", "a")
    run("receive", "orders", "--visibility-timeout", "0")
    run("receive", "orders")
    assert run("redrive", "dead")[0]["moved"] == 1
    assert [row["visible"] for row in run("queues", "orders")] == [1]


def test_one_dead_letter_is_moved_by_its_id(at, run, capsys):
    with_engine(at, lambda engine: engine.queue("dead"))
    letters = {"dead_letter": "dead", "max_receive_count": 1}
    with_engine(at, lambda engine: engine.queue("orders", **letters))
    for body in ("a", "b"):
        run("send", "orders", body)
        run("receive", "orders", "--visibility-timeout", "0")
        assert run("receive", "orders") == []
    ids = {row["body"]: row["message_id"] for row in run("peek", "dead")}
    moved = run("redrive", "dead", "--message", ids["b"])
    assert [row["message_id"] for row in run("peek", "orders")] == [moved[0]["message_id"]]
    assert [row["body"] for row in run("peek", "dead")] == ["a"]
    assert main(["redrive", "dead", "--message", ids["b"], "--at", at]) == 1
    assert "has no message" in capsys.readouterr().err


def test_a_snapshot_is_restored(run, tmp_path):
    run("send", "orders", "one coffee", "--create")
    copy, again = str(tmp_path / "copy"), str(tmp_path / "again")
    run("snapshot", copy)
    assert main(["restore", copy, again]) == 0
    with trunkline.open(again) as engine:
        assert engine.queue("orders").receive()[0].text() == "one coffee"
    assert main(["restore", copy, again]) == 1


def test_a_mistake_has_a_hint(at, capsys):
    assert main(["peek", "nope", "--at", at]) == 1
    assert "QueueDoesNotExist" in capsys.readouterr().err
    for where in ("no/such/folder", "http://127.0.0.1:9"):
        assert main(["queues", "--at", where]) == 1
        assert "hint: " in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["sned"])
    assert "did you mean 'send'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["serve", "--virtual-clok"])
    told = capsys.readouterr().err
    assert "--virtual-clok; did you mean --virtual-clock?" in told
    assert "hint: trunkline serve --help" in told


def test_a_queue_that_is_not_there_is_created_by_an_option_of_the_command(at, capsys):
    assert main(["send", "nope", "one coffee", "--at", at]) == 1
    told = capsys.readouterr().err
    assert "create=False" not in told
    assert "trunkline send --create" in told


def test_an_interrupt_ends_the_command_without_a_traceback_from_its_first_moment(monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("trunkline.cli.parser.parser_of", interrupted)
    assert main(["serve"]) == 130


def test_what_is_in_memory_needs_a_server(tmp_path, capsys):
    for words in (["advance", "900"], ["faults"], ["trace", "id"]):
        assert main([*words, "--at", str(tmp_path)]) == 2
        assert "hint: start one" in capsys.readouterr().err


def test_a_server_is_advanced_traced_and_made_to_fail(capsys):
    with (
        trunkline.open(clock=trunkline.VirtualClock(), trace="on") as engine,
        Server(engine, port=0) as server,
    ):

        def run(*words, status=0):
            assert main([*words, "--at", server.url]) == status
            return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

        before = engine.clock.now
        assert run("advance", "15m")[0]["now"] == before + 900
        sent = run("send", "orders", "a", "--create")[0]
        assert run("trace", sent["message_id"])[0]["what"] == "accepted"
        assert run("trace", "none", status=1) == []
        assert main(["trace", sent["message_id"], "--at", server.url, "--table"]) == 0
        heading, first, *_ = capsys.readouterr().out.splitlines()
        assert (heading.split()[0], first.split()[1][-1]) == ("when", "Z")
        run("faults", "--add", "error", "--queue", "orders", "--times", "1")
        assert run("faults")[0]["queue"] == "orders"
        run("send", "orders", "b", status=1)
        assert run("faults", "--clear") == []


def test_a_folder_in_use_is_inspected(tmp_path, capsys):
    with trunkline.open(tmp_path) as engine:
        engine.queue("orders").send("one coffee")
        engine.flush()
        with pytest.raises(trunkline.DataFolderInUse):
            trunkline.inspect(tmp_path)
        assert main(["inspect", str(tmp_path), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert [queue["name"] for queue in told["queues"]] == ["orders"]
        # Its owner goes on.
        engine.queue("orders").send("two teas")
        engine.flush()
        assert trunkline.inspect(tmp_path, in_use=True).queues[0].messages == 2


def test_a_table_is_printed_where_asked(at, capsys):
    main(["send", "orders", "a", "--create", "--at", at])
    capsys.readouterr()
    main(["queues", "--at", at, "--table"])
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split()[:2] == ["name", "fifo"]
    assert row.split()[:3] == ["orders", "no", "1"]


def test_a_body_comes_from_a_file_and_from_the_input(run, tmp_path, monkeypatch):
    file = tmp_path / "body"
    file.write_bytes(b"\xff\x00")
    run("send", "orders", f"@{file}", "--create")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"piped")))
    run("send", "orders", "-")
    assert [row.get("body") or row["body_base64"] for row in run("peek", "orders")] == [
        "/wA=",
        "piped",
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_name_every_verb_and_its_options(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(verb in script for verb in VERBS)
    assert "search" in script


def test_bash_takes_the_completions():
    script = subprocess.run(
        [sys.executable, "-m", "trunkline", "completion", "bash"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    words = 'COMP_WORDS=(trunkline pe); COMP_CWORD=1; _trunkline; echo "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "-c", script + words], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["peek"]


def test_the_version_needs_no_parser():
    code = (
        "import contextlib, sys; from trunkline.__main__ import main\n"
        "with contextlib.suppress(SystemExit): main(['--version'])\n"
        "sys.exit(not {'trunkline.server', 'trunkline.aws', 'argparse'}.isdisjoint(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"trunkline {trunkline.__version__}"


def test_a_file_that_cannot_be_used_is_named(at, tmp_path, capsys):
    broken = tmp_path / "broken"
    broken.write_bytes(b"\xff")
    assert main(["send", "orders", "a", "--create", "--at", at]) == 0
    for words, named in (
        (["export", "orders", str(tmp_path)], str(tmp_path)),
        (["import", "orders", str(broken)], "not UTF-8"),
    ):
        assert main([*words, "--at", at]) == 1
        assert named in capsys.readouterr().err


def test_an_export_that_fails_leaves_the_file_of_an_earlier_one(at, tmp_path):
    file = tmp_path / "orders.jsonl"
    file.write_text("earlier")
    assert main(["export", "nope", str(file), "--at", at]) == 1
    assert file.read_text() == "earlier"


def test_a_trace_mode_and_a_time_of_a_wrong_form_are_named(capsys):
    assert main(["trace", "--set", "loud", "--at", "http://127.0.0.1:1"]) == 1
    assert "'loud'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["replay", "past", "--start", "9"])
    assert "'9' is no time in ISO 8601" in capsys.readouterr().err


def test_an_event_that_is_too_deep_is_refused(tmp_path, capsys):
    pattern, event = tmp_path / "pattern.json", tmp_path / "event.json"
    pattern.write_text('{"source": ["a"]}')
    event.write_text("[" * 100_000)
    assert main(["match", str(pattern), str(event)]) == 2
    assert "trunkline: " in capsys.readouterr().err


def test_a_restore_leaves_what_others_have_made(tmp_path, monkeypatch):
    snapshot, draft = tmp_path / "snapshot", tmp_path / "again.restoring"
    trunkline.open(snapshot).close()
    draft.mkdir()
    (draft / "mine").write_text("kept")
    assert main(["restore", str(snapshot), str(tmp_path / "again")]) == 0
    assert (draft / "mine").read_text() == "kept"
    assert {path.name for path in tmp_path.iterdir()} == {"snapshot", "again", "again.restoring"}
    # Its own draft goes when it fails.
    monkeypatch.setattr("shutil.copytree", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["restore", str(snapshot), str(tmp_path / "third")])
    assert {path.name for path in tmp_path.iterdir()} == {"snapshot", "again", "again.restoring"}


def test_a_restore_into_the_snapshot_is_refused(tmp_path, capsys):
    snapshot = tmp_path / "snapshot"
    trunkline.open(snapshot).close()
    assert main(["restore", str(snapshot), str(snapshot / "data")]) == 1
    assert "lies in the snapshot" in capsys.readouterr().err
    assert not (snapshot / "data").exists()


def test_verbs_about_a_folder_at_rest_take_it_as_at_and_refuse_a_server(tmp_path, capsys):
    data, copy = str(tmp_path / "data"), str(tmp_path / "copy")
    with trunkline.open(data) as engine:
        engine.queue("orders").send("one coffee")
        engine.snapshot(copy)
    assert main(["verify", "--at", data]) == 0
    assert "1 queues" in capsys.readouterr().out
    assert main(["repair", "--at", data]) == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert main(["restore", copy, "--at", str(tmp_path / "again")]) == 0
    capsys.readouterr()
    for words in (["verify"], ["repair"], ["restore", copy]):
        assert main([*words, "--at", "http://127.0.0.1:9"]) == 2
        told = capsys.readouterr().err
        assert "NeedsFolder" in told, words
        assert "hint: trunkline" in told, words
        assert main(words) == 2
        assert "Folder" in capsys.readouterr().err, words


def test_arguments_that_no_verb_takes_exit_as_mistakes_of_arguments(tmp_path, capsys):
    data = str(tmp_path / "data")
    trunkline.open(data).close()
    assert main(["send", "orders", "hi", "--attribute", "kind", "--create", "--at", data]) == 2
    assert "not NAME=VALUE" in capsys.readouterr().err
    assert main(["advance", "15m", "--at", data]) == 2
    assert "NeedsServer" in capsys.readouterr().err
    assert main(["inspect"]) == 2
    assert main(["peek", "orders", "--at", data]) == 1


def test_a_wrong_folder_is_refused_without_looking_below_it(tmp_path, monkeypatch, capsys):
    below = tmp_path / "home" / "pictures"
    below.mkdir(parents=True)
    looked = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: looked.append(str(path)) or scan(path))
    assert main(["verify", str(tmp_path / "home")]) == 1
    assert "ForeignFormat" in capsys.readouterr().err
    assert str(below) not in looked


@pytest.mark.parametrize("words", [["states", "check", "m.json"], ["completion", "bash"]])
def test_a_verb_without_an_engine_says_why_it_takes_no_at(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--at", "data"])
    told = capsys.readouterr().err
    assert "no engine" in told
    assert "unrecognized" not in told


def test_work_that_counts_nothing_tells_for_how_long_it_runs(tmp_path, monkeypatch):
    from trunkline.cli import elapsed

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(elapsed, "PATIENCE", 0.001)
    (tmp_path / "half").write_bytes(b"x" * 2_048)
    with elapsed.Elapsed("copying", lambda: elapsed.size_of(tmp_path)):
        until(lambda: "2.0 KiB" in shown.getvalue())
    assert shown.getvalue().startswith("\rcopying: ")
    assert shown.getvalue().endswith("\r")


def test_a_long_body_is_cut_on_a_terminal_and_whole_in_a_pipe(tmp_path, capsys, monkeypatch):
    folder = str(tmp_path / "data")
    with trunkline.open(folder) as engine:
        engine.queue("orders").send("x" * 500)
    assert main(["peek", "orders", "--at", folder]) == 0
    assert json.loads(capsys.readouterr().out)["body"] == "x" * 500
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1)
    for columns, shown in ((120, 45), (80, 40)):
        monkeypatch.setattr(os, "get_terminal_size", lambda _, n=columns: os.terminal_size((n, 24)))
        assert main(["peek", "orders", "--at", folder]) == 0
        heading, row = capsys.readouterr().out.splitlines()
        assert heading.split() == ["sent", "at", "message", "id", "receive", "count", "body"]
        assert (row.count("x"), row[-1]) == (shown - 1, "…")


def test_an_event_is_held_against_the_rules_of_a_bus(tmp_path, capsys):
    folder = str(tmp_path / "data")

    def run(at, *words, status):
        assert main(["match", *words, "--at", at]) == status
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [(one["rule"], one["matched"], one["path"]) for one in found]

    event = {"source": "shop", "detail-type": "Order", "detail": {"total": 5}}
    with trunkline.open(folder) as engine, Server(engine, port=0) as server:
        bus, queue = engine.bus("shop"), engine.queue("q")
        bus.rule("all", {"source": ["shop"]}, queue)
        bus.rule("big", {"detail": {"total": [{"numeric": [">", 100]}]}}, queue)
        told = run(server.url, "--bus", "shop", json.dumps(event), status=0)
        assert told == [("all", True, None), ("big", False, "detail.total")]
    assert run(folder, "--bus", "shop", json.dumps(event), status=0) == told
    other = json.dumps(event | {"source": "inn"})
    assert run(folder, "--quiet", "--bus", "shop", other, status=1) == []
    for wrong in (["--bus", "none", other], ["--bus", "shop", "{"], [other], ["{}", other]):
        run(folder, *wrong, status=2)
    run(folder, "--bus", "shop", "{}", "{}", status=2)
