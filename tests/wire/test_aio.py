"""aiobotocore: clients that are answered in the process, and clients of a server."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

import trunkline
import trunkline.aws

pytest.importorskip("aiobotocore", reason="there is no aiobotocore; `make wire-aio` brings it")

from aiobotocore.session import get_session

from waiting import tasks_waiting

KEYS = {"aws_access_key_id": "000000000000", "aws_secret_access_key": "secret"}
LONG = 20
# A loop that waits for a thread or for a poll shows it by being late; machines may be slow.
SOON = 15.0


@pytest.fixture(params=["server", "process"])
def connect(request):
    """Makes clients of one engine: `async with connect("sqs") as sqs`."""
    if request.param == "server":
        url = request.getfixturevalue("server").url

        def make(service):
            session = get_session()
            return session.create_client(service, region_name="us-east-1", endpoint_url=url, **KEYS)
    else:
        engine = request.getfixturevalue("engine")

        def make(service):
            return trunkline.aws.aio_client(service, engine=engine)

    return make


@asynccontextmanager
async def queue_of(connect, **attributes):
    async with connect("sqs") as sqs:
        made = await sqs.create_queue(QueueName="orders", Attributes=attributes)
        yield sqs, made["QueueUrl"]


def test_a_message_goes_there_and_back(connect):
    async def main():
        async with queue_of(connect) as (sqs, url):
            sent = await sqs.send_message(
                QueueUrl=url,
                MessageBody="one \u00e9",
                MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}},
            )
            answer = await sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])
            (message,) = answer["Messages"]
            assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "one \u00e9")
            assert message["MessageAttributes"]["k"]["StringValue"] == "v"
            await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            found = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
            assert set(found["Attributes"].values()) == {"0"}

    asyncio.run(main())


def test_errors_are_exceptions_of_the_client(connect):
    async def main():
        async with connect("sqs") as sqs:
            with pytest.raises(sqs.exceptions.QueueDoesNotExist) as caught:
                await sqs.get_queue_url(QueueName="none")
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        async with connect("sts") as sts:
            assert (await sts.get_caller_identity())["Account"] == "000000000000"

    asyncio.run(main())


def test_pages_come_one_after_the_other(connect):
    async def main():
        async with connect("sqs") as sqs:
            for number in range(5):
                await sqs.create_queue(QueueName=f"q{number}")
            pages = sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 2})
            sizes = [len(page["QueueUrls"]) async for page in pages]
        assert sizes == [2, 2, 1]

    asyncio.run(main())


def test_a_long_poll_wakes_on_a_send_and_holds_no_other_up(connect, engine):
    async def main():
        async with queue_of(connect) as (sqs, url):
            began = time.monotonic()
            poll = asyncio.create_task(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=LONG))
            await tasks_waiting(engine.queue("orders"))
            await sqs.send_message(QueueUrl=url, MessageBody="a")
            assert (await poll)["Messages"][0]["Body"] == "a"
            assert time.monotonic() - began < SOON

    asyncio.run(main())


def test_more_polls_wait_in_the_process_than_there_are_threads(engine):
    async def main():
        async with trunkline.aws.aio_client("sqs", engine=engine) as sqs:
            url = (await sqs.create_queue(QueueName="orders"))["QueueUrl"]
            polls = [
                asyncio.create_task(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=LONG))
                for _ in range(200)
            ]
            await tasks_waiting(engine.queue("orders"), 200)
            for number in range(200):
                await sqs.send_message(QueueUrl=url, MessageBody=str(number))
            answers = await asyncio.wait_for(asyncio.gather(*polls), LONG)
        bodies = sorted(int(answer["Messages"][0]["Body"]) for answer in answers)
        assert bodies == list(range(200))

    asyncio.run(main())


def test_a_poll_that_is_cancelled_swallows_no_message(engine):
    async def main():
        async with trunkline.aws.aio_client("sqs", engine=engine) as sqs:
            url = (await sqs.create_queue(QueueName="orders"))["QueueUrl"]
            first, second = (
                asyncio.create_task(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=LONG))
                for _ in range(2)
            )
            await tasks_waiting(engine.queue("orders"), 2)
            # The wake is for the first; it is cancelled before the loop comes to look.
            engine.queue("orders").send("a")
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            answer = await asyncio.wait_for(second, SOON)
            assert answer["Messages"][0]["Body"] == "a"

    asyncio.run(main())


def test_a_poll_ends_when_its_time_is_over_in_the_world_or_on_the_clock():
    clock = trunkline.VirtualClock()

    async def main(engine):
        async with trunkline.aws.aio_client("sqs", engine=engine) as sqs:
            url = (await sqs.create_queue(QueueName="orders"))["QueueUrl"]
            assert "Messages" not in await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
            poll = asyncio.create_task(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=LONG))
            await tasks_waiting(engine.queue("orders"))
            began = time.monotonic()
            clock.advance(LONG)
            assert "Messages" not in await poll
            assert time.monotonic() - began < SOON

    with trunkline.open(clock=clock) as engine:
        asyncio.run(main(engine))


def test_a_send_to_a_durable_engine_is_answered_when_it_is_durable(tmp_path):
    async def main():
        async with (
            trunkline.aio.open(tmp_path) as engine,
            trunkline.aws.aio_client("sqs", engine=engine) as sqs,
        ):
            url = (await sqs.create_queue(QueueName="orders"))["QueueUrl"]
            sends = [sqs.send_message(QueueUrl=url, MessageBody=str(n)) for n in range(100)]
            await asyncio.gather(*sends)

    asyncio.run(main())
    with trunkline.open(tmp_path) as engine:
        assert engine.queue("orders").statistics().visible == 100


def test_faults_delay_and_fail_requests_in_the_process(engine):
    async def main():
        async with trunkline.aws.aio_client("sqs", engine=engine) as sqs:
            url = (await sqs.create_queue(QueueName="orders"))["QueueUrl"]
            engine.faults.delay("send", seconds=0.05, times=1)
            began = time.monotonic()
            await sqs.send_message(QueueUrl=url, MessageBody="a")
            assert time.monotonic() - began >= 0.05

    asyncio.run(main())


def test_clients_made_inside_the_block_are_answered_by_the_engine(engine, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)

    async def main():
        with trunkline.aws.local(engine):
            async with get_session().create_client("sqs") as sqs:
                url = (await sqs.create_queue(QueueName="orders"))["QueueUrl"]
                await sqs.send_message(QueueUrl=url, MessageBody="a")
        assert engine.queue("orders").receive()[0].text() == "a"
        async with get_session().create_client("sqs", region_name="us-east-1", **KEYS) as outside:
            assert "amazonaws.com" in outside.meta.endpoint_url

    asyncio.run(main())


def test_a_client_that_was_made_before_the_block_is_answered_in_it(engine):
    from trunkline.aws.endpoint import NotServed

    keys = KEYS | {"region_name": "us-east-1"}

    async def main():
        sessions = get_session()
        async with (
            sessions.create_client("sqs", **keys) as sqs,
            sessions.create_client("dynamodb", **keys) as table,
        ):
            sqs._request_signer._credentials = None
            with trunkline.aws.local(engine):
                url = (await sqs.create_queue(QueueName="orders"))["QueueUrl"]
                await sqs.send_message(QueueUrl=url, MessageBody="a")
                with pytest.raises(NotServed, match="dynamodb is not served"):
                    await table.list_tables()
        assert engine.queue("orders").receive()[0].text() == "a"

    asyncio.run(main())
