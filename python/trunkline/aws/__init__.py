"""AWS clients of an engine in this process: real boto3, no socket.

>>> import trunkline, trunkline.aws
>>> sqs = trunkline.aws.client("sqs", engine=trunkline.open())
>>> url = sqs.create_queue(QueueName="orders")["QueueUrl"]
>>> sent = sqs.send_message(QueueUrl=url, MessageBody="one coffee")
>>> sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]
'one coffee'
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.aio_local import aio_client
    from trunkline.aws.clients import adopt, client, local
    from trunkline.aws.errors import ServiceError
    from trunkline.aws.mocking import mock

__all__ = ["ServiceError", "adopt", "aio_client", "client", "local", "mock"]

# Imported at first use: a server needs none of them.
_LAZY = {
    "ServiceError": "errors",
    "adopt": "clients",
    "aio_client": "aio_local",
    "client": "clients",
    "local": "clients",
    "mock": "mocking",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _LAZY:
        raise AttributeError(f"module 'trunkline.aws' has no attribute {name!r}")
    value = getattr(import_module(f"trunkline.aws.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
