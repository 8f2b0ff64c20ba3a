"""Step Functions' control plane: state machines, versions, aliases, activities and tags."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("boto3")

ROLE = "arn:aws:iam::000000000000:role/states"
PASS = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
OTHER = json.dumps({"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}})


@pytest.fixture
def states(connect):
    return connect("stepfunctions")


def create(states, name="orders", **given):
    return states.create_state_machine(
        **{"name": name, "definition": PASS, "roleArn": ROLE} | given
    )


def refused(call, **given):
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        call(**given)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_machine_is_created_described_changed_and_deleted(states):
    arn = create(states)["stateMachineArn"]
    first = states.describe_state_machine(stateMachineArn=arn)
    assert (first["name"], first["status"], first["type"]) == ("orders", "ACTIVE", "STANDARD")
    assert first["definition"] == PASS
    assert first["loggingConfiguration"] == {"level": "OFF", "includeExecutionData": False}
    assert "revisionId" not in first
    revision = states.update_state_machine(stateMachineArn=arn, definition=OTHER)["revisionId"]
    changed = states.describe_state_machine(stateMachineArn=arn)
    assert (changed["definition"], changed["revisionId"]) == (OTHER, revision)
    same = states.update_state_machine(stateMachineArn=arn, definition=OTHER)["revisionId"]
    assert same == revision
    states.delete_state_machine(stateMachineArn=arn)
    states.delete_state_machine(stateMachineArn=arn)
    assert states.list_state_machines()["stateMachines"] == []
    gone = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    assert refused(states.describe_state_machine, stateMachineArn=arn) == gone


def test_the_same_machine_is_created_once_and_another_is_refused(states):
    arn = create(states)["stateMachineArn"]
    assert create(states, roleArn=f"{ROLE}2")["stateMachineArn"] == arn
    told = ("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
    for given in ({"definition": f" {PASS}"}, {"type": "EXPRESS"}):
        make = {"name": "orders", "definition": PASS, "roleArn": ROLE} | given
        assert refused(states.create_state_machine, **make) == told


def test_an_update_has_to_change_something(states):
    arn = create(states)["stateMachineArn"]
    code, _ = refused(states.update_state_machine, stateMachineArn=arn)
    assert code == "MissingRequiredParameter"


def test_versions_are_numbered_once_and_never_again(states):
    first = create(states, publish=True, versionDescription="first")
    arn, one = first["stateMachineArn"], first["stateMachineVersionArn"]
    assert one == f"{arn}:1"
    assert (
        states.publish_state_machine_version(stateMachineArn=arn)["stateMachineVersionArn"] == one
    )
    two = states.update_state_machine(stateMachineArn=arn, definition=OTHER, publish=True)
    assert two["stateMachineVersionArn"] == f"{arn}:2"
    states.delete_state_machine_version(stateMachineVersionArn=f"{arn}:2")
    again = states.publish_state_machine_version(stateMachineArn=arn)
    assert again["stateMachineVersionArn"] == f"{arn}:3"
    listed = states.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert [version["stateMachineVersionArn"] for version in listed] == [f"{arn}:3", f"{arn}:1"]
    kept = states.describe_state_machine(stateMachineArn=one)
    assert (kept["definition"], kept["description"]) == (PASS, "first")


def test_aliases_share_between_two_versions(states):
    arn = create(states, publish=True)["stateMachineArn"]
    states.update_state_machine(stateMachineArn=arn, definition=OTHER, publish=True)
    routes = [
        {"stateMachineVersionArn": f"{arn}:1", "weight": 30},
        {"stateMachineVersionArn": f"{arn}:2", "weight": 70},
    ]
    alias = states.create_state_machine_alias(name="live", routingConfiguration=routes)
    alias_arn = alias["stateMachineAliasArn"]
    told = states.describe_state_machine_alias(stateMachineAliasArn=alias_arn)
    assert told["routingConfiguration"] == routes
    code, text = refused(states.delete_state_machine_version, stateMachineVersionArn=f"{arn}:1")
    assert code == "ConflictException"
    assert "[live]" in text
    states.update_state_machine_alias(
        stateMachineAliasArn=alias_arn,
        routingConfiguration=[{"stateMachineVersionArn": f"{arn}:2", "weight": 100}],
    )
    states.delete_state_machine_version(stateMachineVersionArn=f"{arn}:1")
    listed = states.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]
    assert [one["stateMachineAliasArn"] for one in listed] == [alias_arn]
    missing = [{"stateMachineVersionArn": f"{arn}:9", "weight": 100}]
    code, _ = refused(states.create_state_machine_alias, name="other", routingConfiguration=missing)
    assert code == "ResourceNotFound"


def test_lists_come_in_pages(states):
    for number in range(5):
        create(states, f"machine-{number}")
    pages, token = [], {}
    while True:
        page = states.list_state_machines(maxResults=2, **token)
        pages.append([machine["name"] for machine in page["stateMachines"]])
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert pages == [["machine-0", "machine-1"], ["machine-2", "machine-3"], ["machine-4"]]
    assert refused(states.list_state_machines, nextToken="other")[0] == "InvalidToken"


def test_activities(states):
    arn = states.create_activity(name="ship")["activityArn"]
    assert states.create_activity(name="ship")["activityArn"] == arn
    assert states.describe_activity(activityArn=arn)["name"] == "ship"
    assert [one["name"] for one in states.list_activities()["activities"]] == ["ship"]
    states.delete_activity(activityArn=arn)
    told = ("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")
    assert refused(states.describe_activity, activityArn=arn) == told
    assert refused(states.create_activity, name="a b") == ("InvalidName", "Invalid Name: 'a b'")


def test_tags_of_machines_and_activities(states):
    machine = create(states, tags=[{"key": "a", "value": "1"}])["stateMachineArn"]
    activity = states.create_activity(name="ship")["activityArn"]
    for arn in (machine, activity):
        states.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}])
        states.untag_resource(resourceArn=arn, tagKeys=["a", "c"])
        told = states.list_tags_for_resource(resourceArn=arn)["tags"]
        assert told == [{"key": "b", "value": "2"}]
    assert refused(states.list_tags_for_resource, resourceArn=f"{machine}:1")[0] == (
        "ResourceNotFound"
    )
