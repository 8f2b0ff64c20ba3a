"""`local`, `mock` and `adopt`: which clients an engine answers, and what stays in the process."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import pytest

import trunkline
import trunkline.aws

boto3 = pytest.importorskip("boto3")
from botocore.config import Config  # noqa: E402
from botocore.credentials import Credentials, RefreshableCredentials  # noqa: E402

from trunkline.aws.endpoint import NotServed  # noqa: E402

KEYS = {
    "aws_access_key_id": "AKIAREAL",
    "aws_secret_access_key": "real",
    "region_name": "us-east-1",
}


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """Every socket that is opened fails the test."""

    def connect(*_):
        pytest.fail("a request left the process")

    monkeypatch.setattr(socket.socket, "connect", connect)


def before(service="sqs", **options):
    """A client as a module makes it, before any block."""
    return boto3.session.Session().client(service, **KEYS | options)


def test_a_client_that_was_made_before_is_answered(engine):
    sqs = before(region_name="eu-west-1")
    with trunkline.aws.local(engine):
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="one coffee")
    assert url.endswith(".amazonaws.com/queue/eu-west-1/000000000000/orders")
    assert engine.queue("orders", region="eu-west-1").receive()[0].text() == "one coffee"


def test_the_innermost_block_counts_and_blocks_may_end_in_any_order():
    sqs = before()
    with trunkline.open() as outer, trunkline.open() as inner:
        with trunkline.aws.local(outer):
            with trunkline.aws.local(inner):
                sqs.create_queue(QueueName="inner")
            sqs.create_queue(QueueName="outer")
        first, second = trunkline.aws.local(outer), trunkline.aws.local(inner)
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        sqs.create_queue(QueueName="late")
        second.__exit__(None, None, None)
        assert [queue.name for queue in outer.queues()] == ["outer"]
        assert [queue.name for queue in inner.queues()] == ["inner", "late"]


def test_after_the_last_block_botocore_is_as_it_was(engine):
    from botocore.endpoint import Endpoint
    from botocore.session import Session
    from botocore.signers import RequestSigner

    names = [
        (Endpoint, "_do_get_response"),
        (Session, "create_client"),
        (RequestSigner, "get_auth_instance"),
    ]
    was = [owner.__dict__[name] for owner, name in names]
    with trunkline.aws.local(engine), trunkline.aws.local(engine):
        assert was != [owner.__dict__[name] for owner, name in names]
    assert was == [owner.__dict__[name] for owner, name in names]


@pytest.mark.parametrize("made", ["before", "inside"])
def test_a_service_that_is_not_served_is_refused_before_a_socket_is_opened(engine, made):
    table = before("dynamodb") if made == "before" else None
    with trunkline.aws.local(engine):
        table = table or boto3.session.Session().client("dynamodb")
        with pytest.raises(NotServed, match=r"^dynamodb is not served by Trunkline") as caught:
            table.list_tables()
    assert "mock_aws" in str(caught.value)
    assert "sqs" in str(caught.value)


def test_only_the_chosen_services_are_answered(engine):
    sns = before("sns")
    with trunkline.aws.local(engine, services=["sqs"]), pytest.raises(NotServed):
        sns.list_topics()
    with (
        pytest.raises(ValueError, match="service 'dynamodb' is not served"),
        trunkline.aws.local(engine, services=["dynamodb"]),
    ):
        pass
    with (
        pytest.raises(TypeError, match="must be lists of names"),
        trunkline.aws.local(engine, services="sqs"),
    ):
        pass


def test_a_service_that_is_let_through_goes_to_the_network(engine, monkeypatch):
    called = []

    def connect(_socket, address):
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    once = Config(retries={"total_max_attempts": 1})
    table = before("dynamodb", endpoint_url="http://127.0.0.1:9", config=once)
    with trunkline.aws.local(engine, passthrough=["dynamodb"]):
        with pytest.raises(Exception, match="Could not connect"):
            table.list_tables()
        before().list_queues()
    assert called


def test_credentials_that_would_be_fetched_are_not_asked_for(engine):
    def refresh():
        pytest.fail("credentials were fetched")

    sqs = before()
    sqs._request_signer._credentials = RefreshableCredentials(
        "key", "secret", "token", expiry_time=_long_ago(), refresh_using=refresh, method="sso"
    )
    unsigned = before()
    unsigned._request_signer._credentials = None
    with trunkline.aws.local(engine):
        assert sqs.list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert unsigned.list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def _long_ago():
    from datetime import UTC, datetime

    return datetime(2020, 1, 1, tzinfo=UTC)


def test_a_client_of_an_account_keeps_it(engine):
    sts = before("sts")
    sts._request_signer._credentials = Credentials("123456789012", "secret")
    with trunkline.aws.local(engine):
        assert sts.get_caller_identity()["Account"] == "123456789012"


def test_a_client_of_another_engine_keeps_its_engine_in_a_block(engine):
    with trunkline.open() as other:
        own = trunkline.aws.client("sqs", engine=other)
        with trunkline.aws.local(engine):
            own.create_queue(QueueName="own")
        assert [queue.name for queue in other.queues()] == ["own"]
    assert engine.queues() == []


def test_a_client_can_be_adopted_for_good(engine):
    sqs = trunkline.aws.adopt(before(), engine=engine)
    sqs.create_queue(QueueName="orders")
    with trunkline.open() as other, trunkline.aws.local(other):
        assert len(sqs.list_queues()["QueueUrls"]) == 1
    with pytest.raises(ValueError, match="service 'dynamodb' is not served"):
        trunkline.aws.adopt(before("dynamodb"), engine=engine)


def test_mock_decorates_functions_and_coroutines():
    sqs = before()

    @trunkline.aws.mock
    def once(name):
        sqs.create_queue(QueueName=name)
        return len(sqs.list_queues()["QueueUrls"])

    @trunkline.aws.mock(limits=trunkline.Limits.aws())
    async def later(name):
        await asyncio.sleep(0)
        return once(name) + len(sqs.list_queues().get("QueueUrls", []))

    assert [once("a"), once("b")] == [1, 1]
    assert asyncio.run(later("c")) == 1
    with trunkline.aws.mock() as engine:
        sqs.create_queue(QueueName="d")
        assert [queue.name for queue in engine.queues()] == ["d"]


def run_pytest(pytestconfig, folder, *options):
    is_there = pytestconfig.pluginmanager.hasplugin("trunkline")
    # Named, because a checkout need not be installed; an installation finds it by itself.
    plugin = [] if is_there else ["-p", "trunkline.aws.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *options]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


FIXTURES = """
import boto3, pytest, trunkline

SQS = boto3.client("sqs", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")

def test_a_module_level_client(trunkline_engine):
    SQS.create_queue(QueueName="orders")
    assert [queue.name for queue in trunkline_engine.queues()] == ["orders"]

def test_the_clock(trunkline_clock, trunkline_engine):
    queue = trunkline_engine.queue("orders")
    queue.send("one", delay=900)
    trunkline_clock.advance(900)
    assert len(queue.receive()) == 1

@pytest.mark.trunkline(limits=trunkline.Limits.aws(), services=["sqs"])
def test_options(trunkline_engine):
    assert trunkline_engine.limits.purge_interval == 60_000

def test_the_server(trunkline_server, trunkline_engine):
    assert trunkline_server.url.startswith("http://127.0.0.1:")

async def receive(engine):
    await engine.queue("orders").send("one")
    return await engine.queue("orders").receive()

def test_coroutines(trunkline_aio_engine):
    import asyncio
    assert len(asyncio.run(receive(trunkline_aio_engine))) == 1
"""


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_the_fixtures_of_pytest(pytestconfig, tmp_path, options, monkeypatch):
    if options:
        pytest.importorskip("xdist")
    monkeypatch.undo()
    (tmp_path / "test_orders.py").write_text(FIXTURES)
    run_pytest(pytestconfig, tmp_path, *options)


def test_moto_answers_the_rest(engine):
    moto = pytest.importorskip("moto")
    sqs, secrets = before(), before("secretsmanager")
    with moto.mock_aws(), trunkline.aws.local(engine):
        assert secrets.list_secrets()["SecretList"] == []
        sqs.create_queue(QueueName="orders")
        trunkline.aws.client("sqs", engine=engine).create_queue(QueueName="own")
    with trunkline.aws.local(engine), moto.mock_aws():
        inside = boto3.session.Session().client("secretsmanager", region_name="us-east-1")
        assert inside.list_secrets()["SecretList"] == []
        assert len(sqs.list_queues()["QueueUrls"]) == 2
    with moto.mock_aws():
        assert "QueueUrls" not in before().list_queues()
    assert [queue.name for queue in engine.queues()] == ["orders", "own"]
