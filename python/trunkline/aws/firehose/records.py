"""PutRecord and PutRecordBatch: a record is in the buffer, as durable as the engine promises."""

from __future__ import annotations

from trunkline._begun import begun
from trunkline.aws.firehose.documents import KEY, buffer_of, name_of, read, status_of
from trunkline.aws.firehose.errors import invalid, missing
from trunkline.aws.firehose.registry import operations
from trunkline.aws.limits import FIREHOSE_BATCH_BYTES_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline._core import Stream
    from trunkline.aws.operation import Call


def _buffer(call: Call, name: str) -> tuple[Stream, bool]:
    """The buffer of a delivery stream that takes records, and whether it tells of encryption."""
    document = read(call, name)
    if status_of(document, call.store) != "ACTIVE":
        raise missing(name, call.account)
    if document["type"] != "DirectPut":
        raise invalid(
            f"This operation is not permitted on {document['type']} delivery stream type."
        )
    buffer = buffer_of(call.store.core, name_of(document))
    if buffer is None:
        raise missing(name, call.account)
    return buffer, document["encryption"].get("Status") == "ENABLED"


@operations.add("PutRecord")
def put_record(
    call: Call, *, delivery_stream_name: str, record: Mapping[str, Any]
) -> dict[str, Any]:
    """Takes one record."""
    buffer, encrypted = _buffer(call, delivery_stream_name)
    result = begun(buffer.begin_put, record["Data"], KEY)
    return {"RecordId": result.sequence, "Encrypted": encrypted}


@operations.add("PutRecordBatch")
def put_record_batch(
    call: Call, *, delivery_stream_name: str, records: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Takes records, all of them: nothing here throttles one and not another."""
    if sum(len(record["Data"]) for record in records) > FIREHOSE_BATCH_BYTES_MAX:
        raise invalid("Records size exceeds 4 MB limit")
    buffer, encrypted = _buffer(call, delivery_stream_name)
    results = begun(buffer.begin_put_batch, [(KEY, record["Data"]) for record in records])
    return {
        "FailedPutCount": 0,
        "Encrypted": encrypted,
        "RequestResponses": [{"RecordId": result.sequence} for result in results],
    }
