"""TestState: one state, tried alone."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("boto3")

ROLE = "arn:aws:iam::000000000000:role/states"
SEND = "arn:aws:states:::sqs:sendMessage"


@pytest.fixture
def states(connect):
    from botocore.config import Config

    return connect("stepfunctions", config=Config(inject_host_prefix=False))


def tried(states, state, input=None, **given):
    return states.test_state(definition=json.dumps(state), input=json.dumps(input or {}), **given)


def refused(states, state, **given):
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        tried(states, state, **given)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_task_that_is_not_mocked_calls_its_service(states, connect):
    queues = connect("sqs")
    url = queues.create_queue(QueueName="orders")["QueueUrl"]
    send = {"QueueUrl": url, "MessageBody.$": "$.body"}
    state = {"Type": "Task", "Resource": SEND, "Parameters": send, "Next": "B"}
    told = tried(states, state, {"body": "hello"}, roleArn=ROLE, inspectionLevel="DEBUG")
    assert (told["status"], told["nextState"]) == ("SUCCEEDED", "B")
    assert json.loads(told["inspectionData"]["afterParameters"])["MessageBody"] == "hello"
    [message] = queues.receive_message(QueueUrl=url)["Messages"]
    assert message["MessageId"] == json.loads(told["output"])["MessageId"]


def test_a_service_that_refuses_fails_the_state(states):
    send = {"QueueUrl": "http://localhost/000000000000/none", "MessageBody": "x"}
    state = {"Type": "Task", "Resource": SEND, "Parameters": send, "End": True}
    told = tried(states, state, roleArn=ROLE)
    assert told["status"] == "FAILED"
    assert told["error"].startswith("SQS.")
    caught = state | {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Lost"}]}
    told = tried(states, caught, roleArn=ROLE)
    assert (told["status"], told["nextState"]) == ("CAUGHT_ERROR", "Lost")


@pytest.mark.botocore_knows("stepfunctions", "TestState.mock")
def test_a_wait_is_not_waited_for(states):
    told = tried(states, {"Type": "Wait", "Seconds": 86_400, "End": True})
    assert told["status"] == "SUCCEEDED"


@pytest.mark.botocore_knows("stepfunctions", "TestState.mock")
@pytest.mark.parametrize("suffix", [".sync:2", ".waitForTaskToken"])
def test_what_is_waited_for_needs_a_mock(states, suffix):
    resource = f"arn:aws:states:::states:startExecution{suffix}"
    given = {"StateMachineArn": "x", "Input": {"Token.$": "$$.Task.Token"}}
    state = {"Type": "Task", "Resource": resource, "Parameters": given, "End": True}
    code, message = refused(states, state, roleArn=ROLE)
    assert (code, resource in message) == ("ValidationException", True)
    assert tried(states, state, mock={"result": "{}"})["status"] == "SUCCEEDED"


@pytest.mark.botocore_knows("stepfunctions", "TestState.mock")
def test_a_mock_has_the_shape_of_the_answer(states):
    state = {"Type": "Task", "Resource": SEND, "End": True}
    wrong = {"result": '{"MessageId": 3}'}
    assert refused(states, state, mock=wrong) == (
        "ValidationException",
        "Mock result schema validation error: Field 'MessageId' must be a string",
    )
    unchecked = wrong | {"fieldValidationMode": "NONE"}
    assert tried(states, state, mock=unchecked)["output"] == '{"MessageId":3}'


@pytest.mark.botocore_knows("stepfunctions", "TestState.mock")
def test_a_definition_that_is_no_state_is_refused(states):
    assert refused(states, {"Type": "Nothing"})[0] == "InvalidDefinition"
