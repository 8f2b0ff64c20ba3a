"""Definitions drawn as SVG, coloured by what an execution did."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

import trunkline
from trunkline import states
from trunkline.cli import main
from trunkline.machines.drawing.layers import Edge, Node, arrange
from trunkline.server import Server

SEND = "arn:aws:states:::sqs:sendMessage"
NAMESPACE = "{http://www.w3.org/2000/svg}"

SAGA = {
    "StartAt": "Charge",
    "States": {
        "Charge": {
            "Type": "Task",
            "Resource": SEND,
            "Catch": [{"ErrorEquals": ["Declined"], "Next": "Undo"}],
            "Next": "Both",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Left", "States": {"Left": {"Type": "Pass", "End": True}}},
                {"StartAt": "Right", "States": {"Right": {"Type": "Pass", "End": True}}},
            ],
            "Next": "Again",
        },
        "Again": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.again", "IsPresent": True, "Next": "Charge"}],
            "Default": "Done",
        },
        "Undo": {"Type": "Fail", "Error": "Undone"},
        "Done": {"Type": "Succeed"},
    },
}


def drawn(text):
    """The status of each state in a drawing."""
    root = ET.fromstring(text)
    return {
        group.get("data-state"): group.get("data-status") for group in root.iter(f"{NAMESPACE}g")
    }


def test_every_state_is_drawn_without_an_execution():
    found = drawn(states.graph(SAGA))
    assert set(found) == {"Charge", "Both", "Left", "Right", "Again", "Undo", "Done"}
    assert set(found.values()) == {"none"}


def test_the_colours_tell_what_an_execution_did():
    good = states.test(SAGA, {}, mocks={"Charge": {}})
    found = drawn(states.graph(SAGA, good.history))
    assert found["Undo"] == "none"
    assert {found[name] for name in ("Charge", "Both", "Left", "Right", "Again", "Done")} == {
        "succeeded"
    }
    caught = states.test(SAGA, {}, mocks={"Charge": states.TaskFailed("Declined")})
    found = drawn(states.graph(SAGA, caught.history))
    assert (found["Charge"], found["Undo"], found["Both"]) == ("caught", "failed", "none")
    failed = states.test(SAGA, {}, mocks={"Charge": states.TaskFailed("Other")})
    assert drawn(states.graph(SAGA, failed.history))["Charge"] == "failed"


def test_no_box_lies_upon_another():
    names = "abcdefgh"
    nodes = {name: Node(60 + 20 * number, 30) for number, name in enumerate(names)}
    pairs = ("ab", "ac", "ad", "be", "ce", "df", "ef", "fa", "gh", "hg", "bb", "ah")
    edges = [Edge(*pair) for pair in pairs]
    width, height = arrange(nodes, edges, "a")
    boxes = list(nodes.values())
    for number, one in enumerate(boxes):
        assert 0 <= one.x <= width - one.width
        assert 0 <= one.y <= height - one.height
        for other in boxes[number + 1 :]:
            beside = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert beside or one.y + one.height <= other.y or other.y + other.height <= one.y
    # Edges lead from their source to their target, backward ones too.
    back = edges[pairs.index("fa")]
    assert back.points[-1][1] < back.points[0][1]


def test_names_are_text_and_no_markup():
    name = '<script>"&'
    text = states.graph({"StartAt": name, "States": {name: {"Type": "Pass", "End": True}}})
    assert drawn(text) == {name: "none"}


def test_a_definition_that_aws_refuses_is_not_drawn():
    with pytest.raises(trunkline.errors.ValidationException, match="SCHEMA_VALIDATION_FAILED"):
        states.graph({"StartAt": "A", "States": {}})


def test_the_command_draws_an_execution_of_a_folder(tmp_path, capsys):
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    file, out = tmp_path / "machine.json", tmp_path / "out.svg"
    file.write_text(json.dumps(definition))
    data = str(tmp_path / "data")
    with trunkline.open(data) as engine:
        engine.machine("orders", definition).start(name="one").wait(30)
    command = ["states", "graph", str(file), "--svg", str(out)]
    with trunkline.open(data) as engine, Server(engine, port=0) as server:
        assert main([*command, "--at", server.url, "--execution", "orders:one"]) == 0
        assert drawn(out.read_text()) == {"A": "succeeded"}
    out.unlink()
    assert main([*command, "--at", data, "--execution", "orders:one"]) == 0
    assert drawn(out.read_text()) == {"A": "succeeded"}
    assert main(["states", "graph", str(file)]) == 0
    assert drawn(capsys.readouterr().out) == {"A": "none"}
    assert main([*command, "--at", data]) == 2
    assert "--execution" in capsys.readouterr().err


def test_the_command_takes_an_answer_of_get_execution_history(tmp_path):
    file, history = tmp_path / "machine.json", tmp_path / "history.json"
    file.write_text(json.dumps(SAGA))
    events = states.test(SAGA, {}, mocks={"Charge": {}}).history
    history.write_text(json.dumps({"events": events}))
    out = tmp_path / "out.svg"
    command = ["states", "graph", str(file), "--svg", str(out), "--history", str(history)]
    assert main(command) == 0
    assert drawn(out.read_text())["Done"] == "succeeded"
