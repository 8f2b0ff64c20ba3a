"""Executions of Step Functions over the wire: histories, tokens, activities, redrives."""

from __future__ import annotations

import json

import pytest
from pipe_calls import wait_until

pytest.importorskip("boto3")

ROLE = "arn:aws:iam::000000000000:role/states"


@pytest.fixture
def states(connect):
    from botocore.config import Config

    # The SDKs put "sync-" in front of the host of StartSyncExecution, also of one that was given.
    return connect("stepfunctions", config=Config(inject_host_prefix=False))


def create(states, definition, name="orders", **given):
    made = states.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=ROLE, **given
    )
    return made["stateMachineArn"]


def one(state, **given):
    return {"StartAt": "A", "States": {"A": {**state, "End": True}}, **given}


PASS = one({"Type": "Pass", "Result": {"done": True}})


def ended(states, arn):
    """How an execution stands once it has ended."""

    def describe():
        return states.describe_execution(executionArn=arn)

    wait_until(lambda: describe()["status"] != "RUNNING")
    return describe()


def test_an_execution_runs_to_its_end_with_a_history(states):
    machine = create(states, PASS)
    arn = states.start_execution(stateMachineArn=machine, input='{"a":1}')["executionArn"]
    told = ended(states, arn)
    assert (told["status"], told["output"], told["input"]) == (
        "SUCCEEDED",
        '{"done":true}',
        '{"a":1}',
    )
    events = states.get_execution_history(executionArn=arn)["events"]
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    newest = states.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)
    assert newest["events"][0]["id"] == 4
    assert "nextToken" in newest


def test_a_name_is_given_once(states):
    machine = create(states, one({"Type": "Wait", "Seconds": 3_000}))
    start = {"stateMachineArn": machine, "name": "first", "input": "{}"}
    first = states.start_execution(**start)
    assert states.start_execution(**start)["executionArn"] == first["executionArn"]
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(**start | {"input": '{"other":1}'})
    states.stop_execution(executionArn=first["executionArn"], error="Why", cause="Because")
    told = states.describe_execution(executionArn=first["executionArn"])
    assert (told["status"], told["error"], told["cause"]) == ("ABORTED", "Why", "Because")
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(**start)


def test_a_token_ends_a_task_once(states, connect):
    queue = connect("sqs")
    url = queue.create_queue(QueueName="tasks")["QueueUrl"]
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": url, "MessageBody": {"token.$": "$$.Task.Token"}},
    }
    arn = states.start_execution(stateMachineArn=create(states, one(task)))["executionArn"]
    message = queue.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"][0]
    token = json.loads(message["Body"])["token"]
    states.send_task_heartbeat(taskToken=token)
    states.send_task_success(taskToken=token, output='"yes"')
    assert ended(states, arn)["output"] == '"yes"'
    with pytest.raises(states.exceptions.TaskTimedOut):
        states.send_task_success(taskToken=token, output='"yes"')
    with pytest.raises(states.exceptions.InvalidToken):
        states.send_task_failure(taskToken="other")
    events = states.get_execution_history(executionArn=arn)["events"]
    assert [event["type"] for event in events[2:6]] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
    ]


def test_a_worker_fetches_the_tasks_of_an_activity(states):
    activity = states.create_activity(name="ship")["activityArn"]
    machine = create(states, one({"Type": "Task", "Resource": activity}))
    arn = states.start_execution(stateMachineArn=machine, input='{"box":3}')["executionArn"]
    task = states.get_activity_task(activityArn=activity, workerName="me")
    assert task["input"] == '{"box":3}'
    states.send_task_failure(taskToken=task["taskToken"], error="Lost", cause="at sea")
    told = ended(states, arn)
    assert (told["status"], told["error"], told["cause"]) == ("FAILED", "Lost", "at sea")


def test_a_nested_execution_is_waited_for(states):
    child = create(states, PASS, "child")
    for suffix, output in ((".sync", '{"done":true}'), (".sync:2", {"done": True})):
        task = {
            "Type": "Task",
            "Resource": f"arn:aws:states:::states:startExecution{suffix}",
            "Parameters": {"StateMachineArn": child},
        }
        parent = create(states, one(task), f"parent{len(suffix)}")
        arn = states.start_execution(stateMachineArn=parent)["executionArn"]
        assert json.loads(ended(states, arn)["output"])["Output"] == output


def test_a_failed_task_fails_the_execution_in_the_words_of_the_service(states):
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {"TopicArn": f"arn:aws:sns:us-east-1:{'0' * 12}:none", "Message": "hello"},
    }
    arn = states.start_execution(stateMachineArn=create(states, one(task)))["executionArn"]
    told = ended(states, arn)
    assert (told["status"], told["error"]) == ("FAILED", "SNS.NotFoundException")
    assert told["cause"].startswith("Topic does not exist (Service: AmazonSNS; Status Code: 404;")
    assert told["redriveStatus"] == "REDRIVABLE"


def test_a_failed_execution_goes_on_where_it_failed(states, connect):
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {"TopicArn.$": "$.topic", "Message": "hello"},
    }
    definition = {
        "StartAt": "First",
        "States": {"First": {"Type": "Pass", "Next": "A"}, "A": {**task, "End": True}},
    }
    topic = "arn:aws:sns:us-east-1:000000000000:news"
    arn = states.start_execution(
        stateMachineArn=create(states, definition), input=json.dumps({"topic": topic})
    )["executionArn"]
    told = ended(states, arn)
    assert (told["status"], told["error"]) == ("FAILED", "SNS.NotFoundException")
    assert told["redriveStatus"] == "REDRIVABLE"
    connect("sns").create_topic(Name="news")
    states.redrive_execution(executionArn=arn)
    told = ended(states, arn)
    assert (told["status"], told["redriveCount"]) == ("SUCCEEDED", 1)
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in states.get_execution_history(executionArn=arn)["events"]
        if "stateEnteredEventDetails" in event
    ]
    assert entered.count("First") == 1


def test_express_machines_answer_at_once_and_are_not_listed(states):
    machine = create(states, PASS, "fast", type="EXPRESS")
    told = states.start_sync_execution(stateMachineArn=machine, input="{}")
    assert (told["status"], told["output"]) == ("SUCCEEDED", '{"done":true}')
    assert states.start_execution(stateMachineArn=machine)["executionArn"].split(":")[5] == (
        "express"
    )
    with pytest.raises(states.exceptions.StateMachineTypeNotSupported):
        states.list_executions(stateMachineArn=machine)


def test_the_end_of_an_execution_is_an_event(states, connect):
    events, queue = connect("events"), connect("sqs")
    url = queue.create_queue(QueueName="told")["QueueUrl"]
    events.put_rule(Name="ended", EventPattern=json.dumps({"source": ["aws.states"]}))
    target = {"Id": "1", "Arn": "arn:aws:sqs:us-east-1:000000000000:told"}
    events.put_targets(Rule="ended", Targets=[target])
    arn = states.start_execution(stateMachineArn=create(states, PASS))["executionArn"]
    seen = []
    while len(seen) < 2:
        got = queue.receive_message(QueueUrl=url, WaitTimeSeconds=10, MaxNumberOfMessages=10)
        seen += [json.loads(message["Body"]) for message in got["Messages"]]
    assert sorted(event["detail"]["status"] for event in seen) == ["RUNNING", "SUCCEEDED"]
    assert {event["resources"][0] for event in seen} == {arn}


def test_lists_show_the_newest_first_and_by_status(states):
    machine = create(states, PASS)
    for name in ("a", "b", "c"):
        states.start_execution(stateMachineArn=machine, name=name)
    page = states.list_executions(stateMachineArn=machine, maxResults=2)
    assert [one["name"] for one in page["executions"]] == ["c", "b"]
    rest = states.list_executions(stateMachineArn=machine, nextToken=page["nextToken"])
    assert [one["name"] for one in rest["executions"]] == ["a"]
    running = states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")
    assert running["executions"] == []
