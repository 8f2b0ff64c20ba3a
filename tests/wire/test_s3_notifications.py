"""What buckets tell functions, and whose policies are asked where signatures are proved."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("boto3")
from source_calls import until
from test_s3_hostile import client, code_of, strict  # noqa: F401 - a fixture

import trunkline.aws

OWNER, OTHER = "111111111111", "222222222222"
CREATED = ["s3:ObjectCreated:*"]


def notifications(member, arn, events=CREATED, **options):
    kind = {"QueueArn": "Queue", "TopicArn": "Topic", "LambdaFunctionArn": "LambdaFunction"}
    entry = {member: arn, "Events": events} | options
    return {f"{kind[member]}Configurations": [entry]}


def test_a_bucket_calls_a_function(connect, engine):
    called = []
    function = engine.function("tell", lambda event, context: called.append(event))
    s3 = connect("s3")
    s3.create_bucket(Bucket="uploads")
    rules = [{"Name": "prefix", "Value": "in/"}]
    told = notifications(
        "LambdaFunctionArn", function.arn, Id="new", Filter={"Key": {"FilterRules": rules}}
    )
    s3.put_bucket_notification_configuration(Bucket="uploads", NotificationConfiguration=told)
    kept = s3.get_bucket_notification_configuration(Bucket="uploads")
    assert kept["LambdaFunctionConfigurations"][0]["LambdaFunctionArn"] == function.arn
    s3.put_object(Bucket="uploads", Key="out/1", Body=b"no")
    s3.put_object(Bucket="uploads", Key="in/a b", Body=b"yes")
    until(lambda: called)
    [record] = called[0]["Records"]
    assert (record["eventSource"], record["eventName"]) == ("aws:s3", "ObjectCreated:Put")
    assert record["s3"]["configurationId"] == "new"
    assert (record["s3"]["object"]["key"], record["s3"]["object"]["size"]) == ("in/a+b", 3)
    assert len(called) == 1


def test_a_bucket_calls_an_alias(engine):
    from lambda_calls import archive, create

    from trunkline.functions.registry import functions_of

    functions_of(engine._core).allows_code = True
    code = "def handler(event, context):\n    import boto3\n"
    lambda_ = trunkline.aws.client("lambda", engine=engine)
    told = engine.queue("told")
    code = "def handler(event, context):\n    return context.invoked_function_arn\n"
    arn = create(lambda_, Code={"ZipFile": archive(handler__py=code)})["FunctionArn"]
    lambda_.publish_version(FunctionName="echo")
    lambda_.create_alias(FunctionName="echo", Name="live", FunctionVersion="1")
    queue = "arn:aws:sqs:us-east-1:000000000000:told"
    lambda_.put_function_event_invoke_config(
        FunctionName="echo",
        Qualifier="live",
        DestinationConfig={"OnSuccess": {"Destination": queue}},
    )
    s3 = trunkline.aws.client("s3", engine=engine)
    s3.create_bucket(Bucket="uploads")
    s3.put_bucket_notification_configuration(
        Bucket="uploads",
        NotificationConfiguration=notifications("LambdaFunctionArn", f"{arn}:live"),
    )
    s3.put_object(Bucket="uploads", Key="a", Body=b"x")
    [message] = told.receive(wait=30)
    assert json.loads(message.text())["responsePayload"] == f"{arn}:live"


def test_a_target_that_is_not_there_is_refused(connect):
    s3 = connect("s3")
    s3.create_bucket(Bucket="uploads")
    for member, arn in [
        ("LambdaFunctionArn", "arn:aws:lambda:us-east-1:000000000000:function:none"),
        ("LambdaFunctionArn", "arn:aws:sqs:us-east-1:000000000000:none"),
        ("QueueArn", "arn:aws:sqs:us-east-1:000000000000:none"),
    ]:
        given = {"Bucket": "uploads", "NotificationConfiguration": notifications(member, arn)}
        assert code_of(s3.put_bucket_notification_configuration, **given) == "InvalidArgument"


@pytest.mark.parametrize("kind", ["queue", "topic", "function"])
@pytest.mark.parametrize("account", [OWNER, OTHER])
def test_the_policy_of_the_target_decides(engine, strict, kind, account):  # noqa: F811
    s3 = client(strict)
    s3.create_bucket(Bucket="uploads")
    given = {"engine": engine, "aws_access_key_id": account, "region_name": "us-east-1"}
    source = {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::uploads"}}
    if kind == "queue":
        engine.queue("told", account=account, region="us-east-1")
        arn, member = f"arn:aws:sqs:us-east-1:{account}:told", "QueueArn"
    elif kind == "topic":
        sns = trunkline.aws.client("sns", **given)
        arn, member = sns.create_topic(Name="told")["TopicArn"], "TopicArn"
    else:
        function = engine.function(
            "told", lambda event, context: None, account=account, region="us-east-1"
        )
        arn, member = function.arn, "LambdaFunctionArn"
    put = {"Bucket": "uploads", "NotificationConfiguration": notifications(member, arn)}
    call = s3.put_bucket_notification_configuration
    assert code_of(call, **put) == "InvalidArgument"
    assert code_of(call, **put, SkipDestinationValidation=True) == "InvalidArgument"
    for bucket, is_allowed in (("other", False), ("uploads", True)):
        allowed = source["ArnLike"] | {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}
        allow(kind, arn, {"ArnLike": allowed}, **given)
        if is_allowed:
            call(**put)
        else:
            assert code_of(call, **put) == "InvalidArgument"


def allow(kind, arn, condition, **given):
    action = {"queue": "sqs:SendMessage", "topic": "SNS:Publish"}.get(kind)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": action,
        "Resource": arn,
        "Condition": condition,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    if kind == "queue":
        sqs = trunkline.aws.client("sqs", **given)
        url = sqs.get_queue_url(QueueName="told")["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    elif kind == "topic":
        sns = trunkline.aws.client("sns", **given)
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    else:
        trunkline.aws.client("lambda", **given).add_permission(
            FunctionName="told",
            StatementId=condition["ArnLike"]["aws:SourceArn"].rpartition(":")[2],
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn=condition["ArnLike"]["aws:SourceArn"],
        )
