"""`trunkline match`: its output, and the exit status that scripts rely on."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from trunkline.cli import main

ON, OFF = '{"detail": {"state": "running"}}', '{"detail": {"state": "stopped"}}'


@pytest.fixture
def pattern(tmp_path: Path) -> str:
    path = tmp_path / "pattern.json"
    path.write_text('{"detail": {"state": ["running"]}}', encoding="utf-8")
    return str(path)


def events(tmp_path: Path, text: str) -> str:
    path = tmp_path / "events.json"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_an_event_that_matches_is_printed(pattern, tmp_path, capsys):
    assert main(["match", pattern, events(tmp_path, ON)]) == 0
    assert capsys.readouterr() == (f"{ON}\n", "")


def test_an_event_that_does_not_match_is_not(pattern, tmp_path, capsys):
    assert main(["match", pattern, events(tmp_path, OFF)]) == 1
    assert capsys.readouterr() == ("", "")


def test_of_many_events_those_that_match_are_printed(pattern, tmp_path, capsys):
    assert main(["match", pattern, events(tmp_path, f"{OFF}\n{ON}\n\n{OFF}\n{ON}")]) == 0
    assert capsys.readouterr() == (f"{ON}\n{ON}\n", "")


def test_an_event_over_many_lines_is_one(pattern, tmp_path, capsys):
    text = '{\n  "detail": {\n    "state": "running"\n  }\n}\n'
    assert main(["match", pattern, events(tmp_path, text)]) == 0
    assert capsys.readouterr() == (text, "")


def test_explain_says_why_for_each_event(pattern, tmp_path, capsys):
    path = events(tmp_path, f"{OFF}\n{ON}\n{{}}\n")
    assert main(["match", pattern, path, "--explain"]) == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith("1: ")
    assert "detail.state" in first
    assert '"stopped"' in first
    assert '"running"' in first
    assert second.startswith("2: ")
    assert "matches" in second
    assert "detail.state" in third


def test_quiet_leaves_the_status(pattern, tmp_path, capsys):
    assert main(["match", "--quiet", pattern, events(tmp_path, ON)]) == 0
    assert main(["match", "--quiet", "--explain", pattern, events(tmp_path, OFF)]) == 1
    assert capsys.readouterr() == ("", "")


def test_bad_input_is_status_two_and_says_where(pattern, tmp_path, capsys):
    path = events(tmp_path, f"{ON}\nnot JSON\n{ON}")
    assert main(["match", pattern, path]) == 2
    out, err = capsys.readouterr()
    assert out == f"{ON}\n{ON}\n"
    assert err.startswith(f"trunkline: {path}:2: InvalidEvent: ")
    assert err.count("\n") == 1


def test_a_pattern_that_is_refused_is_status_two(tmp_path, capsys):
    bad = tmp_path / "bad.json"
    bad.write_text('{"a": "x"}', encoding="utf-8")
    assert main(["match", str(bad), events(tmp_path, ON)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("trunkline: InvalidEventPatternException: Event pattern is not valid.")


def test_a_file_that_is_missing_is_status_two(pattern, tmp_path, capsys):
    assert main(["match", pattern, str(tmp_path / "none")]) == 2
    assert main(["match", str(tmp_path / "none"), pattern]) == 2
    assert capsys.readouterr().err.count("No such file") == 2


def test_filter_policies_by_their_scope(tmp_path, capsys):
    policy = tmp_path / "policy.json"
    policy.write_text('{"n": [{"numeric": [">", 5]}]}', encoding="utf-8")
    attributes = '{"n": {"Type": "Number", "Value": "6"}}'
    path = events(tmp_path, f'{attributes}\n{{"n": {{"Type": "String", "Value": "6"}}}}')
    assert main(["match", "--scope", "MessageAttributes", str(policy), path]) == 0
    assert capsys.readouterr().out == f"{attributes}\n"
    path = events(tmp_path, '{"n": 6}')
    assert main(["match", "--scope", "MessageBody", str(policy), path]) == 0


def test_events_come_from_the_standard_input(pattern):
    command = [sys.executable, "-m", "trunkline", "match", pattern, "-"]
    done = subprocess.run(
        command, input=f"{ON}\n{OFF}\n", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{ON}\n", "")


def test_lines_are_answered_as_they_come(pattern):
    command = [sys.executable, "-m", "trunkline", "match", pattern, "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert isinstance(process.stdin, io.TextIOBase)
        for _ in range(2):
            process.stdin.write(f"{ON}\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"{ON}\n"
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def test_json_may_stand_in_the_place_of_a_file(capsys):
    assert main(["match", '{"detail": {"state": ["running"]}}', ON]) == 0
    assert capsys.readouterr().out == f"{ON}\n"
    assert main(["match", '{"detail": {"state": ["running"]}}', OFF]) == 1
    assert main(["match", '{"detail": ["x"', ON]) == 2
    assert main(["match", '{"detail": {"state": ["running"]}}', '{"detail":']) == 2
    assert "the event:1: InvalidEvent" in capsys.readouterr().err
