"""Clients that are answered in the process: one by one, or all that are made meanwhile."""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING

from trunkline.aws.defaults import fill, region_of, with_defaults
from trunkline.aws.dispatcher import dispatcher_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from trunkline._core import WireDispatcher
    from trunkline.engine import Engine


def client(service: str, *, engine: Engine, region_name: str | None = None, **options: Any) -> Any:
    """A boto3 client of `engine`, or a botocore client where boto3 is not installed.

    `options` go to boto3 as they are; a 12-digit ``aws_access_key_id`` names the account.

    >>> import trunkline, trunkline.aws
    >>> sts = trunkline.aws.client("sts", engine=trunkline.open())
    >>> sts.get_caller_identity()["Account"]
    '000000000000'
    """
    from trunkline.aws.transport import LocalSession

    session = _session()
    region = region_name or region_of(session)
    made = _make(session, service, region, with_defaults(options))
    made._endpoint.http_session = LocalSession(dispatcher_of(engine))
    return made


def _session() -> Any:
    try:
        import boto3
    except ImportError:
        import botocore.session

        return botocore.session.get_session()
    # A session of its own: the default one may be in the middle of being made by another thread.
    return boto3.session.Session()


def _make(session: Any, service: str, region: str, options: dict[str, Any]) -> Any:
    if hasattr(session, "create_client"):
        return session.create_client(service, region_name=region, **options)
    return session.client(service, region_name=region, **options)


_patching = Lock()


@contextmanager
def local(engine: Engine) -> Iterator[Engine]:
    """Every botocore and boto3 client that is made inside the block is answered by `engine`.

    So is every aiobotocore client, if that is installed. Clients keep the engine after the block;
    clients that were made before are left alone. Blocks may be nested; the innermost counts. The
    block is for the whole process, not for one thread.

    >>> import boto3, trunkline, trunkline.aws
    >>> with trunkline.aws.local(trunkline.open()):
    ...     sqs = boto3.client("sqs", region_name="eu-west-1")
    >>> sqs.create_queue(QueueName="orders")["QueueUrl"]
    'http://trunkline.local/queue/eu-west-1/000000000000/orders'
    """
    dispatcher = dispatcher_of(engine)
    with _patching:
        undo = [_patch_botocore(dispatcher)]
        if find_spec("aiobotocore") is not None:
            from trunkline.aws.aio_local import patch_aiobotocore

            undo.append(patch_aiobotocore(dispatcher))
    try:
        yield engine
    finally:
        with _patching:
            for step in undo:
                step()


def _patch_botocore(dispatcher: WireDispatcher) -> Callable[[], None]:
    from botocore.session import Session

    from trunkline.aws.transport import LocalSession

    original = Session.create_client

    @wraps(original)
    def create_client(session: Any, service_name: str, *args: Any, **options: Any) -> Any:
        fill(session, args, options)
        made = original(session, service_name, *args, **options)
        made._endpoint.http_session = LocalSession(dispatcher)
        return made

    def undo() -> None:
        Session.create_client = original

    Session.create_client = create_client
    return undo
