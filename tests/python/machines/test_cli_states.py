"""``trunkline states``: definitions that are checked and run from a shell."""

from __future__ import annotations

import io
import json

import pytest

from trunkline.cli import main

TASK = {
    "StartAt": "Charge",
    "States": {
        "Charge": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 5}],
            "End": True,
        }
    },
}


@pytest.fixture
def file(tmp_path):
    def write(content, name="machine.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def test_a_good_definition_has_no_findings(file, capsys):
    assert main(["states", "check", file(TASK)]) == 0
    assert capsys.readouterr().out == ""


def test_findings_have_a_location(file, capsys):
    wrong = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}
    name = file(wrong)
    assert main(["states", "check", name]) == 1
    assert capsys.readouterr().out.startswith(f"{name}: /States/A/Next error ")
    assert main(["states", "check", "--json", name]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["result"] == "FAIL"
    assert told["diagnostics"][0]["location"] == "/States/A/Next"


def test_a_text_that_is_no_json_is_a_finding_and_a_missing_file_is_not(file, capsys):
    assert main(["states", "check", file("{")]) == 1
    assert main(["states", "check", "no/such/file"]) == 2
    assert "no/such/file" in capsys.readouterr().err


def test_the_definition_may_come_from_the_standard_input(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(TASK)))
    assert main(["states", "check", "-"]) == 0


def test_a_run_takes_its_mocks_from_a_file(file, capsys):
    busy = {"Throw": {"Error": "Busy", "Cause": "later"}}
    mock = file({"Charge": {"0": busy, "1-2": {"Return": {"id": 7}}}}, "mock.json")
    given = "@" + file({"total": 3}, "input.json")
    assert main(["states", "run", file(TASK), "--input", given, "--mock", mock]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "status": "SUCCEEDED",
        "output": {"id": 7},
        "path": ["Charge"],
        "seconds": 5.0,
    }
    always = file({"Charge": busy}, "mock.json")
    assert main(["states", "run", file(TASK), "--mock", always, "--history"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["error"], told["cause"]) == ("FAILED", "Busy", "later")
    assert told["history"][-1]["type"] == "ExecutionFailed"


@pytest.mark.parametrize(
    ("mock", "words"),
    [
        ([], "no JSON object"),
        ({"Charge": 3}, "no object with responses"),
        ({"Charge": {"x": {"Return": 3}}}, "'x' is no number of calls"),
        ({"Charge": {"0": {"Return": 3, "Throw": {}}}}, "either Return or Throw"),
        ({"Charge": {"0": {"Throw": {}}}}, "Throw has no Error"),
        ({"Charge": {"1": {"Return": 3}}}, "no response for call 0"),
        ({"Other": {"Return": 3}}, "'Other' is neither"),
        ("{", "is no JSON"),
    ],
)
def test_a_bad_mock_is_told(file, capsys, mock, words):
    assert main(["states", "run", file(TASK), "--mock", file(mock, "mock.json")]) == 2
    assert words in capsys.readouterr().err


def test_a_bad_input_is_told(file, capsys):
    assert main(["states", "run", file(TASK), "--input", "{"]) == 2
    assert "--input is no JSON" in capsys.readouterr().err
    assert main(["states", "run", file("{}")]) == 2
