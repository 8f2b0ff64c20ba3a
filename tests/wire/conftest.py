"""A server and boto3 clients of it; the same tests also run against in-process clients."""

from __future__ import annotations

import pytest
from known_models import unknown_to_botocore

import trunkline
from trunkline.server import Server


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "botocore_knows(service, *places): skipped with a botocore whose model of the service "
        "lacks an operation or a member, as in 'PutObject.IfNoneMatch'",
    )


def pytest_runtest_setup(item):
    for mark in item.iter_markers("botocore_knows"):
        lacking = unknown_to_botocore(*mark.args)
        if lacking:
            pytest.skip(lacking)


@pytest.fixture
def clock():
    return trunkline.VirtualClock()


@pytest.fixture
def engine(request):
    """An engine in memory; on the virtual clock, where a test takes `clock` too."""
    clock = request.getfixturevalue("clock") if "clock" in request.fixturenames else None
    with trunkline.open(clock=clock) as engine:
        yield engine


@pytest.fixture
def server(engine):
    with Server(engine, port=0) as server:
        yield server


@pytest.fixture(params=["server", "process"])
def connect(request):
    """Makes clients of one engine: `connect("sqs")`."""
    boto3 = pytest.importorskip("boto3")
    if request.param == "server":
        url = request.getfixturevalue("server").url

        def make(service, account="000000000000", region="us-east-1", **options):
            return boto3.session.Session().client(
                service,
                region_name=region,
                endpoint_url=url,
                aws_access_key_id=account,
                aws_secret_access_key="secret",
                **options,
            )
    else:
        import trunkline.aws

        engine = request.getfixturevalue("engine")

        def make(service, account="000000000000", region="us-east-1", **options):
            return trunkline.aws.client(
                service, engine=engine, region_name=region, aws_access_key_id=account, **options
            )

    return make


@pytest.fixture
def sqs(connect):
    return connect("sqs")


@pytest.fixture
def events(connect):
    return connect("events")


@pytest.fixture
def queue(sqs):
    return sqs.create_queue(QueueName="paid")["QueueUrl"]


@pytest.fixture
def make(request, connect, engine):
    """Makes REST APIs that are called as their client is: over a socket, or in the process."""
    from front import Front

    is_served = request.node.callspec.params["connect"] == "server"

    def made(**given):
        url = request.getfixturevalue("server").url if is_served else None
        return Front(connect("apigateway"), engine, url, **given)

    return made


@pytest.fixture
def s3(connect):
    return connect("s3")


@pytest.fixture
def bucket(s3):
    s3.create_bucket(Bucket="uploads")
    return "uploads"
