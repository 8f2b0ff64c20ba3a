"""What pipes, targets and APIs may do under strict authorization: what their account may."""

from __future__ import annotations

import json

import pytest
from pipe_calls import wait_until

import trunkline
from trunkline.aws.dispatcher import make_dispatcher
from trunkline.aws.invoker import InvocationFailed, ServiceInvoker
from trunkline.server import Server

boto3 = pytest.importorskip("boto3")

OWNER, FRIEND = "111111111111", "222222222222"
REGION = "us-east-1"
NOT_OVER_PLAIN_HTTP = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sqs:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def allowing(account, *more):
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": account},
        "Action": "sqs:SendMessage",
        "Resource": f"arn:aws:sqs:{REGION}:{OWNER}:vault",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement, *more]})


@pytest.fixture
def engine():
    with trunkline.open() as engine:
        yield engine


def test_policies_count_for_a_trusted_caller_once_they_are_enforced(engine):
    invoker = ServiceInvoker(engine._core)

    def call(account, operation, **params):
        return invoker.invoke("sqs", operation, params, account=account, region=REGION)

    url = call(OWNER, "CreateQueue", QueueName="vault")["QueueUrl"]
    # Without proved signatures a policy would protect nothing.
    call(FRIEND, "SendMessage", QueueUrl=url, MessageBody="free")
    strict = make_dispatcher(engine, auth="strict", credentials=[("AKIA1", "s", None, OWNER)])
    assert strict is not None
    call(OWNER, "SendMessage", QueueUrl=url, MessageBody="own")
    for _ in range(2):
        with pytest.raises(InvocationFailed, match="not authorized") as refused:
            call(FRIEND, "SendMessage", QueueUrl=url, MessageBody="stolen")
        assert (refused.value.code, refused.value.status) == ("AccessDenied", 403)
        entries = [{"Id": "1", "MessageBody": "s"}]
        with pytest.raises(InvocationFailed, match="not authorized"):
            call(FRIEND, "SendMessageBatch", QueueUrl=url, Entries=entries)
    policy = {"Policy": allowing(FRIEND, NOT_OVER_PLAIN_HTTP)}
    call(OWNER, "SetQueueAttributes", QueueUrl=url, Attributes=policy)
    call(FRIEND, "SendMessage", QueueUrl=url, MessageBody="allowed")
    with pytest.raises(InvocationFailed, match="not authorized"):
        call(FRIEND, "ReceiveMessage", QueueUrl=url)
    queue = engine.queue("vault", account=OWNER, region=REGION)
    assert [one.text() for one in queue.peek(9)] == ["free", "own", "allowed"]


def test_a_pipe_reaches_a_queue_of_another_account_only_by_its_policy(engine, caplog):
    known = [(f"AKIA{account}", "secret", None, account) for account in (OWNER, FRIEND)]
    with Server(engine, port=0, auth="strict", credentials=known) as server:

        def client(service, account):
            return boto3.session.Session().client(
                service,
                region_name=REGION,
                endpoint_url=server.url,
                aws_access_key_id=f"AKIA{account}",
                aws_secret_access_key="secret",
            )

        mine, theirs, pipes = client("sqs", FRIEND), client("sqs", OWNER), client("pipes", FRIEND)
        source = mine.create_queue(QueueName="source", Attributes={"VisibilityTimeout": "1"})
        vault = theirs.create_queue(QueueName="vault")["QueueUrl"]
        pipes.create_pipe(
            Name="p",
            Source=f"arn:aws:sqs:{REGION}:{FRIEND}:source",
            Target=f"arn:aws:sqs:{REGION}:{OWNER}:vault",
            RoleArn=f"arn:aws:iam::{FRIEND}:role/r",
        )
        mine.send_message(QueueUrl=source["QueueUrl"], MessageBody="m")
        queue = engine.queue("source", account=FRIEND, region=REGION)
        wait_until(lambda: "AccessDenied" in caplog.text, 30)
        vault_queue = engine.queue("vault", account=OWNER, region=REGION)
        assert vault_queue.statistics().total == 0
        theirs.set_queue_attributes(QueueUrl=vault, Attributes={"Policy": allowing(FRIEND)})
        wait_until(lambda: vault_queue.statistics().total == 1, 30)
        wait_until(lambda: queue.statistics().total == 0, 30)
        for one in (mine, theirs, pipes):
            one.close()
