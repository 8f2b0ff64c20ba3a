"""Clients that are answered in the process: one by one, or all of them for a while."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from trunkline.aws.defaults import region_of, with_defaults
from trunkline.aws.dispatcher import dispatcher_of
from trunkline.aws.services import choose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from trunkline.engine import Engine


def client(service: str, *, engine: Engine, region_name: str | None = None, **options: Any) -> Any:
    """A boto3 client of `engine`, or a botocore client where boto3 is not installed.

    `options` go to boto3 as they are; a 12-digit ``aws_access_key_id`` names the account.

    >>> import trunkline, trunkline.aws
    >>> sts = trunkline.aws.client("sts", engine=trunkline.open())
    >>> sts.get_caller_identity()["Account"]
    '000000000000'
    """
    session = _session()
    region = region_name or region_of(session)
    return adopt(_make(session, service, region, with_defaults(options)), engine=engine)


def adopt(client: Any, *, engine: Engine) -> Any:
    """Lets `engine` answer all requests of a boto3 or botocore client from now on.

    It returns the client. Use it for a client that outlives the test that it is made in; those of
    one test are answered inside `local` whenever they were made.

    >>> import boto3, trunkline, trunkline.aws
    >>> sqs = trunkline.aws.adopt(boto3.client("sqs", "eu-west-1"), engine=trunkline.open())
    """
    from trunkline.aws.endpoint import bind
    from trunkline.aws.transport import LocalSession

    choose([client.meta.service_model.service_name])
    bind(client, LocalSession(dispatcher_of(engine)))
    return client


def _session() -> Any:
    try:
        import boto3
    except ImportError:
        from trunkline.aws.transport import get_session

        return get_session()
    # A session of its own: the default one may be in the middle of being made by another thread.
    return boto3.session.Session()


def _make(session: Any, service: str, region: str, options: dict[str, Any]) -> Any:
    if hasattr(session, "create_client"):
        return session.create_client(service, region_name=region, **options)
    return session.client(service, region_name=region, **options)


@contextmanager
def local(
    engine: Engine, *, services: Iterable[str] | None = None, passthrough: Iterable[str] = ()
) -> Iterator[Engine]:
    """Inside the block `engine` answers every botocore, boto3 and aiobotocore client.

    It does not matter when a client was made: at the top of a module, before the block or in it.
    A client that was made in the block keeps the engine afterwards. `engine` answers for the
    services that are served, or for those of `services`. A request for another service is answered
    by moto, if `mock_aws` is active around the block or in it; otherwise it raises an error before
    a socket is opened, unless `passthrough` names the service.

    Blocks may be nested; the innermost counts. The block is for the whole process, not for one
    thread. It raises ValueError for a service in `services` that is not served.

    >>> import boto3, trunkline, trunkline.aws
    >>> sqs = boto3.client("sqs", region_name="us-east-1")
    >>> with trunkline.aws.local(trunkline.open()):
    ...     sqs.create_queue(QueueName="orders")["QueueUrl"]
    'https://sqs.us-east-1.amazonaws.com/000000000000/orders'
    """
    from trunkline.aws.interception import Interceptor, enter, leave

    if isinstance(services, str) or isinstance(passthrough, str):
        raise TypeError("services and passthrough must be lists of names, not a str")
    served = tuple(service.name for service in choose(services))
    interceptor = Interceptor(dispatcher_of(engine), served, frozenset(passthrough))
    enter(interceptor)
    try:
        yield engine
    finally:
        leave(interceptor)
