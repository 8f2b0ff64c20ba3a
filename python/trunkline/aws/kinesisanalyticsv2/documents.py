"""How applications are kept: a document each, in the words of the service's own configuration."""

from __future__ import annotations

from trunkline.aws.arns import read_resource
from trunkline.aws.kept_name import KeptName
from trunkline.aws.kinesisanalyticsv2.errors import in_use, invalid, missing, outdated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call
    from trunkline.aws.store import Store

    Document = dict[str, Any]

PREFIX = "kinesisanalytics/"
"""The start of all keys; the table of services names it too."""


class ApplicationName(KeptName):
    """Which application.

    >>> ApplicationName("000000000000", "us-east-1", "counts").arn
    'arn:aws:kinesisanalytics:us-east-1:000000000000:application/counts'
    """

    prefix = PREFIX
    service = "kinesisanalytics"
    kind = "application"


def name_of(document: Document) -> ApplicationName:
    """Which application a document is of."""
    return ApplicationName(document["account"], document["region"], document["name"])


def inner_stream(document: Document, stream: str) -> tuple[str, str, str]:
    """The full name of the engine's stream that holds an in-application stream.

    It is in a region of its own, so that it takes no name of a Kinesis stream."""
    where = f"kinesisanalytics.{document['region']}"
    return document["account"], where, f"{document['number']}.{stream}"


def read(call: Call, name: str) -> Document:
    """The document of an application; raises if there is none."""
    found = call.store.get(ApplicationName(call.account, call.region, name).key)
    if found is None:
        raise missing(f"The application {name} of account {call.account}")
    return found


def by_arn(call: Call, arn: str) -> Document:
    """The document of the application that a resource name means."""
    found = read_resource(arn)
    if found is None or found.service != "kinesisanalytics":
        raise invalid(f"{arn} is no resource name of an application.")
    if found.owner != (call.account, call.region):
        raise missing(f"The application {arn}")
    return read(call, found.name)


def status_of(document: Document, store: Store) -> str:
    """``STARTING`` or ``STOPPING`` for a while, then what it leads to."""
    between = {"RUNNING": "STARTING", "READY": "STOPPING"}
    status: str = document["status"]
    return between[status] if store.lasts(document["settled_at"]) else status


def check_version(document: Document, given: int | None, token: str | None = None) -> None:
    """Refuses a change to another version than the current one."""
    if given is None and token is None:
        raise invalid("CurrentApplicationVersionId or ConditionalToken must be given.")
    if given is not None and given != document["version"]:
        raise outdated(document["name"], document["version"], given)
    if token is not None and token != token_of(document):
        raise outdated(document["name"], document["version"], -1)


def token_of(document: Document) -> str:
    """What names the current version."""
    return f"{document['number']}-{document['version']}"


def check_settled(call: Call, document: Document) -> None:
    """Refuses a change while the application starts or stops."""
    status = status_of(document, call.store)
    if status not in ("READY", "RUNNING"):
        raise in_use(f"The application {document['name']} is {status}.")


def keep(call: Call, document: Document) -> None:
    """Stores a changed application as its next version."""
    document["version"] += 1
    document["updated"] = call.store.now()
    call.store.put(name_of(document).key, document)
