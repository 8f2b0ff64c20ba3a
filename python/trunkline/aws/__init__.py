"""AWS clients of an engine in this process: real boto3, no socket.

>>> import trunkline, trunkline.aws
>>> sqs = trunkline.aws.client("sqs", engine=trunkline.open())
>>> url = sqs.create_queue(QueueName="orders")["QueueUrl"]
>>> sent = sqs.send_message(QueueUrl=url, MessageBody="one coffee")
>>> sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]
'one coffee'
"""

from __future__ import annotations

from trunkline.aws.aio_local import aio_client
from trunkline.aws.errors import ServiceError
from trunkline.aws.local import adopt, client, local
from trunkline.aws.mocking import mock

__all__ = ["ServiceError", "adopt", "aio_client", "client", "local", "mock"]
