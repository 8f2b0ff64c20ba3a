"""The control plane of SQS through boto3."""

from __future__ import annotations

import base64
import json
import uuid
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

import trunkline
import trunkline.aws
from trunkline.aws.sqs.queues import list_queues


def refuses(code, call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] == code
    return error["Message"]


def attributes_of(sqs, url, *names):
    names = list(names) or ["All"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names).get("Attributes", {})


def test_a_fresh_standard_queue_has_exactly_the_attributes_of_aws(sqs):
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    found = attributes_of(sqs, url)
    assert sorted(found) == [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "CreatedTimestamp",
        "DelaySeconds",
        "LastModifiedTimestamp",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "QueueArn",
        "ReceiveMessageWaitTimeSeconds",
        "SqsManagedSseEnabled",
        "VisibilityTimeout",
    ]
    assert found["QueueArn"] == "arn:aws:sqs:us-east-1:000000000000:q"
    assert found["VisibilityTimeout"] == "30"
    assert found["MaximumMessageSize"] == "1048576"
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url)


def test_a_fresh_fifo_queue_adds_four_attributes(sqs):
    url = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    found = attributes_of(sqs, url)
    assert {name: found[name] for name in found if "Fifo" in name or "Dedup" in name} == {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "false",
        "DeduplicationScope": "queue",
        "FifoThroughputLimit": "perQueue",
    }


def test_creating_a_queue_again_compares_only_what_is_given(sqs):
    first = sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "5"})["QueueUrl"]
    assert sqs.create_queue(QueueName="q")["QueueUrl"] == first
    assert (
        sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "30"})["QueueUrl"] == first
    )
    message = refuses(
        "QueueAlreadyExists", sqs.create_queue, QueueName="q", Attributes={"DelaySeconds": "6"}
    )
    assert message == (
        "A queue already exists with the same name and a different value for attribute DelaySeconds"
    )


@pytest.mark.parametrize("name", ["", "a b", "x" * 81, "a.fifo", "a.b"])
def test_a_name_that_breaks_the_rule_is_refused(sqs, name):
    with pytest.raises(ClientError):
        sqs.create_queue(QueueName=name)


@pytest.mark.parametrize(
    ("attributes", "code", "message"),
    [
        (
            {"DelaySeconds": "901"},
            "InvalidAttributeValue",
            "Invalid value for the parameter DelaySeconds.",
        ),
        ({"Foobar": "1"}, "InvalidAttributeName", "Unknown Attribute Foobar."),
        ({"FifoQueue": "true"}, "InvalidAttributeName", "Unknown Attribute FifoQueue."),
        (
            {"ContentBasedDeduplication": "true"},
            "InvalidAttributeName",
            "Unknown Attribute ContentBasedDeduplication.",
        ),
        (
            {"DeduplicationScope": "queue"},
            "InvalidAttributeName",
            "You can specify the DeduplicationScope only when FifoQueue is set to true.",
        ),
        (
            {"KmsMasterKeyId": "alias/a", "SqsManagedSseEnabled": "true"},
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. "
            "You can either enable KMS SSE or SQS SSE.",
        ),
        ({"Policy": "{"}, "InvalidAttributeValue", "Invalid value for the parameter Policy."),
    ],
)
def test_an_attribute_that_breaks_a_rule_changes_nothing(sqs, attributes, code, message):
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    before = attributes_of(sqs, url)
    given = {"VisibilityTimeout": "77", **attributes}
    assert refuses(code, sqs.set_queue_attributes, QueueUrl=url, Attributes=given) == message
    assert attributes_of(sqs, url) == before


def test_a_key_turns_the_managed_encryption_off_and_an_empty_one_removes_it(sqs):
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/a"})
    found = attributes_of(sqs, url)
    assert (found["KmsMasterKeyId"], found["SqsManagedSseEnabled"]) == ("alias/a", "false")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": ""})
    assert "KmsMasterKeyId" not in attributes_of(sqs, url)


def test_a_redrive_policy_out_of_range_is_refused_in_the_words_of_aws(sqs):
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = attributes_of(sqs, dead, "QueueArn")["QueueArn"]
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1001})
    message = refuses(
        "InvalidParameterValue",
        sqs.set_queue_attributes,
        QueueUrl=url,
        Attributes={"RedrivePolicy": policy},
    )
    assert message == (
        f"Value {policy} for parameter RedrivePolicy is invalid. Reason: Invalid value for "
        "maxReceiveCount: 1001, valid values are from 1 to 1000 both inclusive."
    )
    good = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "3"})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": good})
    # However it was written, it is read back compact, and its count is a number.
    shown = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":3}}'
    assert attributes_of(sqs, url, "RedrivePolicy") == {"RedrivePolicy": shown}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    assert attributes_of(sqs, url, "RedrivePolicy") == {}


def test_a_dead_letter_queue_that_denies_is_not_taken(sqs):
    allow = json.dumps({"redrivePermission": "denyAll"})
    dead = sqs.create_queue(QueueName="dead", Attributes={"RedriveAllowPolicy": allow})["QueueUrl"]
    arn = attributes_of(sqs, dead, "QueueArn")["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    refuses(
        "InvalidParameterValue",
        sqs.create_queue,
        QueueName="q",
        Attributes={"RedrivePolicy": policy},
    )
    assert attributes_of(sqs, dead, "RedriveAllowPolicy") == {"RedriveAllowPolicy": allow}


def test_lists_come_in_pages_only_when_asked(sqs):
    urls = [sqs.create_queue(QueueName=f"q{n}")["QueueUrl"] for n in range(5)]
    assert sqs.list_queues()["QueueUrls"] == urls
    page = sqs.list_queues(MaxResults=2)
    assert page["QueueUrls"] == urls[:2]
    rest = sqs.list_queues(MaxResults=10, NextToken=page["NextToken"])
    assert rest["QueueUrls"] == urls[2:]
    assert "NextToken" not in rest
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="none")
    pages = sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 2})
    assert [url for page in pages for url in page["QueueUrls"]] == urls


def test_a_page_of_a_list_reads_that_page(engine):
    for number in range(200):
        engine.queue(f"q{number:03}")
    read = []

    class Core:
        def queue_page(self, owner, prefix, after, limit):
            found = engine._core.queue_page(owner, prefix, after, limit)
            read.extend(queue.name for queue in found)
            return found

    call = SimpleNamespace(
        account="000000000000",
        region="us-east-1",
        base="http://localhost",
        store=SimpleNamespace(core=Core()),
    )
    token, names = None, []
    for _ in range(3):
        read.clear()
        page = list_queues(call, queue_name_prefix="q1", max_results=5, next_token=token)
        token = page["NextToken"]
        names += [url.rpartition("/")[2] for url in page["QueueUrls"]]
        assert len(read) == 6, "five that are shown, and one that says there are more"
    assert names == [f"q{number}" for number in range(100, 115)]


def test_tags_are_kept_changed_and_removed(sqs):
    url = sqs.create_queue(QueueName="q", tags={"a": "1"})["QueueUrl"]
    sqs.tag_queue(QueueUrl=url, Tags={"a": "2", "b": ""})
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "2", "b": ""}
    sqs.untag_queue(QueueUrl=url, TagKeys=["a", "b"])
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=url)


def test_permissions_are_statements_of_the_policy(sqs):
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.add_permission(
        QueueUrl=url, Label="one", AWSAccountIds=["111111111111"], Actions=["SendMessage"]
    )
    policy = json.loads(attributes_of(sqs, url, "Policy")["Policy"])
    assert policy == {
        "Version": "2008-10-17",
        "Id": "arn:aws:sqs:us-east-1:000000000000:q/SQSDefaultPolicy",
        "Statement": [
            {
                "Sid": "one",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                "Action": "SQS:SendMessage",
                "Resource": "arn:aws:sqs:us-east-1:000000000000:q",
            }
        ],
    }
    again = refuses(
        "InvalidParameterValue",
        sqs.add_permission,
        QueueUrl=url,
        Label="one",
        AWSAccountIds=["arn:aws:iam::111111111111:user/one"],
        Actions=["*"],
    )
    assert again == "Value one for parameter Label is invalid. Reason: Already exists."
    sqs.remove_permission(QueueUrl=url, Label="one")
    assert attributes_of(sqs, url, "Policy") == {}


def test_a_name_is_free_and_a_purge_allowed_at_once(sqs):
    for _ in range(2):
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sqs.purge_queue(QueueUrl=url)
        sqs.purge_queue(QueueUrl=url)
        sqs.delete_queue(QueueUrl=url)


def test_the_pauses_of_aws_are_limits_of_their_own():
    with trunkline.open(limits=trunkline.Limits.aws()) as engine:
        sqs = trunkline.aws.client("sqs", engine=engine)
        pauses_for_a_minute(sqs)


def pauses_for_a_minute(sqs):
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a")
    sqs.purge_queue(QueueUrl=url)
    assert attributes_of(sqs, url)["ApproximateNumberOfMessages"] == "0"
    message = refuses("AWS.SimpleQueueService.PurgeQueueInProgress", sqs.purge_queue, QueueUrl=url)
    assert message == "Only one PurgeQueue operation on q is allowed every 60 seconds."
    sqs.delete_queue(QueueUrl=url)
    refuses("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, QueueName="q")
    refuses("AWS.SimpleQueueService.QueueDeletedRecently", sqs.create_queue, QueueName="q")


def test_the_caller_is_who_its_key_says(connect):
    sts = connect("sts", account="123456789012")
    identity = sts.get_caller_identity()
    assert identity["Account"] == "123456789012"


def test_roles_and_policies_are_kept(connect):
    iam = connect("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]
    assert role["Arn"] == "arn:aws:iam::000000000000:role/r"
    assert iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"] == json.loads(trust)
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=trust)
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == ["p"]
    policy = iam.create_policy(PolicyName="p", PolicyDocument=trust)["Policy"]
    iam.attach_role_policy(RoleName="r", PolicyArn=policy["Arn"])
    attached = iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
    assert attached == [{"PolicyName": "p", "PolicyArn": policy["Arn"]}]
    with pytest.raises(iam.exceptions.DeleteConflictException):
        iam.delete_role(RoleName="r")
    iam.detach_role_policy(RoleName="r", PolicyArn=policy["Arn"])
    iam.delete_role_policy(RoleName="r", PolicyName="p")
    iam.delete_role(RoleName="r")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="r")


def test_what_is_no_account_is_no_principal(sqs):
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for account in ("1", "11111111111x", "arn:aws:iam::1:root", "*"):
        message = refuses(
            "InvalidParameterValue",
            sqs.add_permission,
            QueueUrl=url,
            Label="one",
            AWSAccountIds=[account],
            Actions=["*"],
        )
        expected = f"Value {account} for parameter PrincipalId is invalid."
        assert message == f"{expected} Reason: Unable to verify."


def test_documents_that_cannot_be_read_are_refused(sqs):
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for raw in ("{}", "[" * 5_000, '{"maxReceiveCount":1}', "1e400"):
        refuses(
            "InvalidParameterValue",
            sqs.set_queue_attributes,
            QueueUrl=url,
            Attributes={"RedrivePolicy": raw},
        )
    message = refuses(
        "InvalidParameterValue",
        sqs.set_queue_attributes,
        QueueUrl=url,
        Attributes={"RedrivePolicy": "{}"},
    )
    assert message == (
        "Value {} for parameter RedrivePolicy is invalid. Reason: Redrive policy does not contain "
        "mandatory attribute: maxReceiveCount."
    )
    message = refuses("InvalidParameterValue", sqs.untag_queue, QueueUrl=url, TagKeys=[])
    assert message == "Tag keys must be between 1 and 128 characters in length."


def test_a_queue_of_another_region_has_another_address(connect):
    one, other = connect("sqs"), connect("sqs", region="eu-west-1")
    urls = {client.create_queue(QueueName="q")["QueueUrl"] for client in (one, other)}
    assert len(urls) == 2
    for url in urls:
        one.send_message(QueueUrl=url, MessageBody=url)
    assert other.receive_message(QueueUrl="q")["Messages"][0]["Body"] in urls


@pytest.mark.parametrize(
    ("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_names_of_resources_have_the_partition_of_their_region(connect, region, partition):
    sqs = connect("sqs", region=region)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    expected = f"arn:{partition}:sqs:{region}:000000000000:q"
    assert attributes_of(sqs, url, "QueueArn") == {"QueueArn": expected}
    policy = json.dumps({"deadLetterTargetArn": expected, "maxReceiveCount": 1})
    other = sqs.create_queue(QueueName="other", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    assert expected in attributes_of(sqs, other, "RedrivePolicy")["RedrivePolicy"]
    arn = connect("sts", region=region).get_caller_identity()["Arn"]
    assert arn == f"arn:{partition}:iam::000000000000:root"


def test_move_tasks_are_named_by_uuids_and_keep_their_destination(sqs):
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("dead", "other")}
    prefix = "arn:aws:sqs:us-east-1:000000000000:"
    policy = json.dumps({"deadLetterTargetArn": f"{prefix}dead", "maxReceiveCount": 1})
    sqs.create_queue(QueueName="q", Attributes={"RedrivePolicy": policy})
    for _ in range(3):
        sqs.send_message(QueueUrl=urls["dead"], MessageBody="a")
    started = sqs.start_message_move_task(
        SourceArn=f"{prefix}dead", DestinationArn=f"{prefix}other", MaxNumberOfMessagesPerSecond=1
    )
    handle = json.loads(base64.urlsafe_b64decode(started["TaskHandle"]))
    assert str(uuid.UUID(handle["taskId"])) == handle["taskId"]
    unknown = json.dumps(handle | {"taskId": str(uuid.uuid4())}).encode()
    message = refuses(
        "ResourceNotFoundException",
        sqs.cancel_message_move_task,
        TaskHandle=base64.urlsafe_b64encode(unknown).decode(),
    )
    assert message == "Task does not exist."
    refuses("InvalidParameterValue", sqs.cancel_message_move_task, TaskHandle="bm9uc2Vuc2U=")
    sqs.cancel_message_move_task(TaskHandle=started["TaskHandle"])
    sqs.delete_queue(QueueUrl=urls["other"])
    listed = sqs.list_message_move_tasks(SourceArn=f"{prefix}dead")["Results"]
    assert [task["DestinationArn"] for task in listed] == [f"{prefix}other"]


def test_roles_come_in_pages(connect):
    iam = connect("iam")
    names = [f"role-{number}" for number in range(5)]
    for name in names:
        path = "/odd/" if name.endswith(("1", "3")) else "/even/"
        iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument="{}")
    pages = iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 2})
    assert [[role["RoleName"] for role in page["Roles"]] for page in pages] == [
        names[:2],
        names[2:4],
        names[4:],
    ]
    odd = iam.list_roles(PathPrefix="/odd/", MaxItems=2)
    assert [role["RoleName"] for role in odd["Roles"]] == ["role-1", "role-3"]
    assert not odd["IsTruncated"]
