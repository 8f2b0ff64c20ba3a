"""Queues by address and by resource name."""

from __future__ import annotations

import re

from trunkline.aws.arns import partition
from trunkline.aws.errors import ServiceError
from trunkline.aws.sqs.errors import invalid, missing, no_such_queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Queue
    from trunkline.aws.operation import Call

_DEFAULT = "us-east-1"
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.fifo)?")


def check_name(call: Call, name: str) -> None:
    """Raises for what may not be the name of a queue."""
    if not name:
        raise missing("QueueName")
    if len(name) > call.store.limit("name_chars_max") or not _NAME.fullmatch(name):
        raise invalid_name(call)


def invalid_name(call: Call) -> ServiceError:
    """The error for a name that no queue may have, or not a queue of this kind."""
    most = call.store.limit("name_chars_max")
    return invalid(
        f"Can only include alphanumeric characters, hyphens, or underscores. 1 to {most} in length"
    )


def find(call: Call, queue_url: str, *, own: bool = False) -> Queue:
    """The queue at `queue_url`; `own` asks that it belongs to the caller's account."""
    if not queue_url:
        raise missing("QueueUrl")
    if call.target is None:
        raise no_such_queue()
    account, region, name = call.target
    if own and account != call.account:
        raise ServiceError(
            "AccessDenied", f"Access to the resource {queue_url} is denied.", status=403
        )
    queue = call.store.core.find_queue((account, region, name))
    if queue is None:
        raise no_such_queue()
    return queue


def find_arn(call: Call, arn: str) -> Queue | None:
    """The queue of a resource name, if there is one."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sqs":
        return None
    if parts[1] != partition(parts[3]):
        return None
    return call.store.core.find_queue((parts[4], parts[3], parts[5]))


def arn_of(queue: Queue) -> str:
    """The resource name of a queue."""
    return arn_of_name(queue.account, queue.region, queue.name)


def arn_of_name(account: str, region: str, name: str) -> str:
    """The resource name of the queue of this name."""
    return f"arn:{partition(region)}:sqs:{region}:{account}:{name}"


def url_of(call: Call, queue: Queue) -> str:
    """The address of a queue, as the caller reaches it.

    Regions share this server, so an address names its region unless that is the default one.
    """
    place = queue.account if queue.region == _DEFAULT else f"queue/{queue.region}/{queue.account}"
    return f"{call.base}/{place}/{queue.name}"
