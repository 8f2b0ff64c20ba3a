"""Executions over the wire of Step Functions: what is told of them, and what tasks tell others."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("boto3")

ROLE = "arn:aws:iam::000000000000:role/states"
PASS = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})


@pytest.fixture
def states(connect):
    from botocore.config import Config

    return connect("stepfunctions", config=Config(inject_host_prefix=False))


def create(states, name, definition=PASS, **given):
    return states.create_state_machine(name=name, definition=definition, roleArn=ROLE, **given)[
        "stateMachineArn"
    ]


def refused(call, **given):
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response["Error"]["Code"]


def test_metadata_only_leaves_the_input_and_the_output_out(states):
    express = create(states, "fast", type="EXPRESS")
    told = states.start_sync_execution(stateMachineArn=express, input='{"a":1}')
    assert (told["status"], told["output"]) == ("SUCCEEDED", '{"a":1}')
    only = {"includedData": "METADATA_ONLY"}
    told = states.start_sync_execution(stateMachineArn=express, input='{"a":1}', **only)
    assert told["inputDetails"] == told["outputDetails"] == {"included": False}
    assert not {"input", "output"} & told.keys()
    started = states.start_execution(stateMachineArn=create(states, "slow"), input='{"a":1}')
    told = states.describe_execution(executionArn=started["executionArn"], **only)
    assert told["inputDetails"] == told["outputDetails"] == {"included": False}
    assert not {"input", "output"} & told.keys()


def test_a_synchronous_start_says_what_is_wrong(states):
    express = create(states, "fast", type="EXPRESS")
    start = states.start_sync_execution
    standard = create(states, "slow")
    assert refused(start, stateMachineArn=standard) == "StateMachineTypeNotSupported"
    assert refused(start, stateMachineArn=f"{express}x") == "StateMachineDoesNotExist"
    assert refused(start, stateMachineArn=express, input="{") == "InvalidExecutionInput"
    assert refused(start, stateMachineArn=express, name="a b") == "InvalidName"


def test_events_that_a_task_puts_name_the_execution(states, connect):
    sqs, events = connect("sqs"), connect("events")
    url = sqs.create_queue(QueueName="seen")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    events.put_rule(Name="all", EventPattern='{"source": ["shop"]}')
    target = {"Id": "q", "Arn": attributes["Attributes"]["QueueArn"]}
    events.put_targets(Rule="all", Targets=[target])
    entry = {"Source": "shop", "DetailType": "sold", "Detail": {"a": 1}, "Resources": ["own"]}
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::events:putEvents",
        "Parameters": {"Entries": [entry]},
        "End": True,
    }
    arn = create(states, "sells", json.dumps({"StartAt": "A", "States": {"A": state}}))
    execution = states.start_execution(stateMachineArn=arn, name="first")["executionArn"]
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert json.loads(message["Body"])["resources"] == ["own", arn, execution]
