"""Which executions the data plane starts itself, and which it leaves to the control plane."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("boto3")

from trunkline.aws.stepfunctions import starting

ROLE = "arn:aws:iam::000000000000:role/states"
PASS = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
OTHER = PASS.replace("Pass", "Succeed").replace(', "End": true', "")
WAIT = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 3600, "End": True}}})
FAIL = json.dumps(
    {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "E", "Cause": 'a "b"'}}}
)
LOG = "arn:aws:logs:us-east-1:000000000000:log-group:/seen:*"


@pytest.fixture
def states(connect):
    from botocore.config import Config

    return connect("stepfunctions", config=Config(inject_host_prefix=False))


@pytest.fixture
def by_control(monkeypatch):
    """The names of what the control plane was asked to start."""
    asked = []

    def watched(verb):
        def call(runtime, store, text, name, *rest, **more):
            asked.append(name)
            return verb(runtime, store, text, name, *rest, **more)

        return call

    for name in ("start", "run_express"):
        monkeypatch.setattr(starting, name, watched(getattr(starting, name)))
    return asked


def create(states, name, definition=PASS, **given):
    made = states.create_state_machine(name=name, definition=definition, roleArn=ROLE, **given)
    return made["stateMachineArn"]


def code_of(call, **given):
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response["Error"]["Code"]


def test_the_first_execution_of_each_revision_is_started_by_the_control_plane(states, by_control):
    arn = create(states, "orders")
    for name in ("one", "two", "three"):
        states.start_execution(stateMachineArn=arn, name=name, input='{"a": 1}')
    assert by_control == ["one"]
    states.update_state_machine(stateMachineArn=arn, definition=OTHER)
    for name in ("four", "five"):
        states.start_execution(stateMachineArn=arn, name=name)
    assert by_control == ["one", "four"]
    told = {
        name: states.describe_execution(
            executionArn=arn.replace("stateMachine", "execution") + f":{name}"
        )
        for name in ("one", "two", "four", "five")
    }
    for first, later in (("one", "two"), ("four", "five")):
        assert told[first]["status"] == told[later]["status"] == "SUCCEEDED"
        assert told[first]["output"] == told[later]["output"]
        assert told[first].keys() == told[later].keys()
    for name, definition in (("two", PASS), ("five", OTHER)):
        found = states.describe_state_machine_for_execution(executionArn=told[name]["executionArn"])
        assert found["definition"] == definition


def test_histories_of_both_are_equal(states, by_control):
    arn = create(states, "orders")
    events = []
    for name in ("one", "two"):
        started = states.start_execution(stateMachineArn=arn, name=name, input='{"a": "\\u00e9"}')
        told = states.get_execution_history(executionArn=started["executionArn"])["events"]
        events.append([{k: v for k, v in event.items() if k != "timestamp"} for event in told])
        assert started["startDate"] == told[0]["timestamp"]
    assert by_control == ["one"]
    assert events[0] == events[1]


def test_names_are_idempotent_in_both(states, by_control):
    arn = create(states, "orders", WAIT)
    states.start_execution(stateMachineArn=arn, name="first")
    one = states.start_execution(stateMachineArn=arn, name="one", input='{"a":1}')
    again = states.start_execution(stateMachineArn=arn, name="one", input='{"a":1}')
    assert by_control == ["first"]
    assert (one["executionArn"], one["startDate"]) == (again["executionArn"], again["startDate"])
    given = {"stateMachineArn": arn, "name": "one", "input": '{"a":2}'}
    assert code_of(states.start_execution, **given) == "ExecutionAlreadyExists"
    assert by_control == ["first", "one"]


def test_an_express_execution_that_waits_for_nothing_never_reaches_the_control_plane(
    states, by_control
):
    arn = create(states, "fast", type="EXPRESS")
    told = states.start_sync_execution(stateMachineArn=arn, name="one", input='{"a": 1}')
    assert by_control == []
    assert (told["status"], told["output"], told["input"]) == ("SUCCEEDED", '{"a":1}', '{"a": 1}')
    assert told["executionArn"].startswith(arn.replace("stateMachine", "express") + ":one:")
    trace = {"traceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793"}
    by_name = states.start_sync_execution(
        stateMachineArn=arn, name="one", input='{"a": 1}', **trace
    )
    assert by_control == ["one"]
    own = ("executionArn", "startDate", "stopDate", "ResponseMetadata")
    told, by_name = ({k: v for k, v in one.items() if k not in own} for one in (told, by_name))
    assert told == by_name
    failed = create(states, "failing", FAIL, type="EXPRESS")
    told = states.start_sync_execution(stateMachineArn=failed)
    assert (told["status"], told["error"], told["cause"]) == ("FAILED", "E", 'a "b"')
    assert by_control == ["one"]


def test_what_the_data_plane_cannot_decide_is_left_to_the_control_plane(states, by_control):
    arn = create(states, "orders", publish=True)
    states.start_execution(stateMachineArn=arn, name="first")
    by_control.clear()
    states.start_execution(stateMachineArn=f"{arn}:1", name="of-version")
    states.create_state_machine_alias(
        name="live",
        routingConfiguration=[{"stateMachineVersionArn": f"{arn}:1", "weight": 100}],
    )
    states.start_execution(stateMachineArn=f"{arn}:live", name="of-alias")
    told = states.start_execution(stateMachineArn=arn, name="with.dots")
    assert told["executionArn"].endswith(":orders:with.dots")
    assert code_of(states.start_execution, stateMachineArn=arn, name="a b") == "InvalidName"
    bad = {"stateMachineArn": arn, "name": "bad", "input": "{"}
    assert code_of(states.start_execution, **bad) == "InvalidExecutionInput"
    gone = {"stateMachineArn": f"{arn}x", "name": "gone"}
    assert code_of(states.start_execution, **gone) == "StateMachineDoesNotExist"
    states.delete_state_machine(stateMachineArn=arn)
    deleted = {"stateMachineArn": arn, "name": "deleted"}
    assert code_of(states.start_execution, **deleted) == "StateMachineDoesNotExist"
    names = ["of-version", "of-alias", "with.dots", "a b", "bad", "gone", "deleted"]
    assert by_control == names


def test_executions_whose_status_a_rule_could_match_emit_their_start(states, connect, by_control):
    arn = create(states, "orders")
    states.start_execution(stateMachineArn=arn, name="one")
    connect("events").put_rule(Name="all", EventPattern='{"source": ["aws.states"]}')
    states.start_execution(stateMachineArn=arn, name="two")
    assert by_control == ["one", "two"]


def test_express_machines_with_logs_and_with_waits_run_under_the_control_plane(
    states, connect, by_control
):
    connect("logs").create_log_group(logGroupName="/seen")
    logging = {
        "level": "ALL",
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": LOG}}],
    }
    logged = create(states, "logged", type="EXPRESS", loggingConfiguration=logging)
    states.start_sync_execution(stateMachineArn=logged, name="logged")
    soon = WAIT.replace("3600", "1")
    states.start_sync_execution(
        stateMachineArn=create(states, "waits", soon, type="EXPRESS"), name="waits"
    )
    circle = json.dumps(
        {
            "StartAt": "A",
            "States": {
                "A": {"Type": "Pass", "Result": {"b": 2}, "Next": "B"},
                "B": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "A"}],
                    "Default": "C",
                },
                "C": {"Type": "Succeed"},
            },
        }
    )
    told = states.start_sync_execution(
        stateMachineArn=create(states, "circle", circle, type="EXPRESS"), name="circle"
    )
    assert told["status"] == "SUCCEEDED"
    assert by_control == ["logged", "waits", "circle"]


def test_each_request_is_counted_once(states, request):
    import urllib.request

    if request.node.callspec.id != "server":
        pytest.skip("clients in the process have no page of metrics")
    arn = create(states, "orders")
    for _ in range(3):
        states.start_execution(stateMachineArn=arn)
    url = request.getfixturevalue("server").url
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    started = [line for line in lines if "StartExecution" in line and "requests_total" in line]
    assert [line.rpartition(" ")[2] for line in started] == ["3"], started
